// A place to try an operation: fields for its request, buttons to send and to copy it, and the reply.
import { copyButton } from "../common/copy.js";
import { button, element, field, freshID } from "../common/elements.js";
import { problemView } from "../common/problem.js";
import { token } from "../common/session.js";
import { visible } from "../common/visible-text.js";
import { asCurl } from "./as-curl.js";
import { asPython } from "./as-python.js";
import { Draft } from "./draft.js";
import { exampleText } from "./ordered-json.js";
import { release } from "./pictures.js";
import { replyView } from "./reply-view.js";
import { sendDraft } from "./send.js";
import { bodyFields } from "./try-body.js";
import { parameterFields } from "./try-parameters.js";

const MOST_CODE = 6000;

export function tryIt({ contract }, operation) {
  const draft = new Draft(contract, operation);
  const types = contract.resolve(contract.schemas.get("Problem")).value.properties?.type?.enum ?? [];
  const reply = replyPlace(draft, new Set(types));
  const title = freshID("try");
  const send = () => reply.send();
  const request = element("form", { class: "try-request", "aria-labelledby": title },
    requestFields(draft, reply),
    element("div", { class: "row" },
      element("button", { type: "submit", class: "button primary" }, "Send"), reply.stop),
    codeBox(draft));
  request.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  request.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); }
  });
  return element("section", { class: "try", "aria-labelledby": title },
    element("h4", { class: "unseen", id: title }, `Try ${operation.method} ${visible(operation.path)}`),
    request, reply.place);
}

/// Media type and example to choose, the body's fields, the parameters, the reply's media type.
function requestFields(draft, reply) {
  const { contract, operation } = draft;
  const body = element("div", { class: "try-body" });
  const parameters = parameterFields(draft);
  const examples = () => contract.examples(operation.body?.content?.[draft.mediaType]);
  const example = element("select", {});
  const exampleField = field("Example", example);
  const fill = () => {
    const listed = examples();
    const chosen = listed.find(([name]) => name === example.value) ?? listed[0] ?? null;
    if (draft.mediaType) body.replaceChildren(...nodes(bodyFields(draft, chosen?.[1] ?? null)));
    reply.expect(chosen?.[0] ?? null);
    draft.changed();
  };
  const offer = () => {
    const listed = examples();
    example.replaceChildren(...listed.map(([name, { summary }]) => element("option", { value: name, title: summary }, visible(summary ?? name, 90))));
    exampleField.hidden = listed.length < 2;
    fill();
  };
  example.addEventListener("change", fill);
  const type = choice("Body as", draft.mediaTypes, (chosen) => {
    draft.take(chosen);
    parameters.show();
    offer();
  });
  const accept = choice("Reply as", ["", ...draft.accepts], (chosen) => { draft.accept = chosen; draft.changed(); });
  offer();
  return [
    element("div", { class: "try-choices" }, draft.mediaTypes.length > 1 && type, draft.accepts.length > 1 && accept),
    exampleField, body, operation.parameters.length > 0 && parameters.place,
  ];
}

function nodes(list) {
  return [list].flat(Infinity).filter(Boolean);
}

function choice(label, values, choose) {
  const select = element("select", { on: { change: (event) => choose(event.target.value) } },
    values.map((value) => element("option", { value }, value || "the server chooses")));
  return field(label, select);
}

/// The request as code, and the buttons that copy it.
function codeBox(draft) {
  const languages = [["curl", asCurl], ["Python", asPython]];
  const made = (write) => write(draft, new URL(".", document.baseURI).href, token() !== null);
  const boxes = languages.map(([label, write]) => {
    const shown = element("pre", { class: "code", tabindex: "0", role: "group", "aria-label": `Request as ${label}` });
    const details = element("details", { class: "try-code" },
      element("summary", {}, label), shown);
    const show = () => {
      const text = made(write);
      shown.textContent = text.length > MOST_CODE ? `${text.slice(0, MOST_CODE)}\n…` : text;
    };
    details.addEventListener("toggle", () => { if (details.open) show(); });
    draft.listeners.add(() => { if (details.open) show(); });
    return element("div", { class: "try-as" }, details, copyButton(() => made(write), { label: `Copy as ${label}`, shown }));
  });
  return element("div", { class: "try-codes" }, boxes);
}

/// Where the reply appears; until then, the contract's example of one.
function replyPlace(draft, problemTypes) {
  const shown = element("div", { class: "try-shown" });
  const told = element("p", { class: "unseen", role: "status" });
  const title = element("p", { class: "label" }, "Reply");
  const stop = button("Stop", () => running?.abort(), { hidden: true });
  let running = null;

  const show = (label, ...content) => {
    release(shown);
    title.textContent = label;
    shown.replaceChildren(...nodes(content));
  };
  async function send() {
    running?.abort();
    const own = running = new AbortController();
    stop.hidden = false;
    shown.classList.add("busy");
    told.textContent = "Sending";
    try {
      const reply = await sendDraft(draft, { signal: own.signal, arrived: (text) => {
        shown.classList.remove("busy");
        show("Reply", element("pre", { class: "code", tabindex: "0" }, visible(text.slice(-4000), 4000)));
      } });
      if (own !== running) return;
      show("Reply", replyView(reply, problemTypes));
      told.textContent = `Status ${reply.status}`;
    } catch (error) {
      if (own !== running) return;
      const stopped = error.name === "AbortError";
      if (stopped) show("Reply", element("p", { class: "note" }, "Stopped."));
      else show("Reply", problemView({ title: "No answer", detail: `The server could not be reached: ${error.message}` }));
      told.textContent = stopped ? "Stopped" : "No answer";
    } finally {
      if (own === running) {
        stop.hidden = true;
        shown.classList.remove("busy");
        running = null;
      }
    }
  }
  /// Shows the example of a reply that has the request's example's name, or the only one there is.
  function expect(name) {
    const content = draft.operation.responses.find(({ status }) => status === "200")?.value.content ?? {};
    const listed = draft.contract.examples(Object.values(content)[0]);
    const found = listed.find(([each]) => each === name) ?? (name === null && listed.length === 1 ? listed[0] : null);
    if (!found) {
      show("Reply", element("p", { class: "note" }, "Send the request to see the reply."));
      return;
    }
    const { value } = found[1];
    show("Example of a reply", element("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Example of a reply" },
      exampleText(value)));
  }
  return { place: element("div", { class: "try-reply" }, title, shown, told), stop, send, expect };
}
