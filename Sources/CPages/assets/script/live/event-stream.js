// A stream of events read with fetch, because the browser's own reader of them can't send a token.
import { send } from "../common/request.js";

const MOST_LINE = 1 << 20;

/// Takes a stream apart (WHATWG HTML, section 9.2): `push` takes text as it comes, and `take` is called with each
/// complete event, {event, data, id}.
export class EventParser {
  #rest = "";
  #event = "";
  #data = [];
  #take;
  id = "";

  constructor(take) {
    this.#take = take;
  }

  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    if (this.#rest.length > MOST_LINE) throw new Error("a line of the event stream does not end");
    for (const line of lines) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  #line(line) {
    if (line === "") {
      if (this.#data.length > 0) this.#take({ event: this.#event || "message", data: this.#data.join("\n"), id: this.id });
      this.#event = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.id = value;
  }
}

/// Reads one connection's events until it ends or `signal` says so. Resolves with the last event's id.
/// - opened(): called when the server has begun to answer; heard(): whenever anything comes.
export async function readEvents(path, { after = "", opened, heard, take, signal }) {
  const headers = { Accept: "text/event-stream" };
  if (after) headers["Last-Event-ID"] = after;
  const response = await send(path, { headers, signal });
  opened();
  const parser = new EventParser(take);
  parser.id = after;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return parser.id;
      heard();
      parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
