// Keeps a stream of events open: connects again, where it was, until it is told to stop.
import { readEvents } from "./event-stream.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
// Without a word for so long, pulses included, the way to the server is broken.
const SILENCE = 45_000;

/// - take({event, data}): each event.
/// - opened(isFirst): connected.
/// - said(state, detail): `open`, `waiting` (detail: milliseconds until the next try), `refused` (detail: the problem).
export class LiveConnection {
  #path;
  #handlers;
  #id = "";
  #stop = null;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #wasOpen = false;

  constructor(path, handlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  /// Connects, or connects anew.
  start() {
    this.stop();
    const stop = new AbortController();
    this.#stop = stop;
    this.#run(stop.signal);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
  }

  async #run(signal) {
    while (!signal.aborted) {
      const problem = await this.#once(signal);
      if (signal.aborted) return;
      // A wrong token, or a server that keeps nothing: trying again changes nothing by itself.
      if (problem && problem.status >= 400 && problem.status < 500) {
        this.#handlers.said("refused", problem);
        return;
      }
      this.#handlers.said("waiting", this.#pause);
      await new Promise((resolve) => { this.#timer = setTimeout(resolve, this.#pause); });
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    }
  }

  /// One connection from its beginning to its end; returns what went wrong, or null.
  async #once(signal) {
    const silence = new AbortController();
    let watch = 0;
    const heard = () => {
      clearTimeout(watch);
      watch = setTimeout(() => silence.abort(), SILENCE);
    };
    heard();
    try {
      this.#id = await readEvents(this.#path, {
        after: this.#id, signal: AbortSignal.any([signal, silence.signal]), heard,
        opened: () => {
          this.#pause = FIRST_PAUSE;
          this.#handlers.said("open");
          this.#handlers.opened(!this.#wasOpen);
          this.#wasOpen = true;
        },
        take: (event) => {
          this.#id = event.id;
          this.#handlers.take(event);
        },
      });
      return null;
    } catch (error) {
      return error;
    } finally {
      clearTimeout(watch);
    }
  }
}
