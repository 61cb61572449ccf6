// Where files come in: dropped, pasted or chosen.
import { element, freshID } from "../common/elements.js";

/// An element that takes files. Dropping works on all of `target`, pasting while `target` is in sight.
/// - take(files): called with a list of files.
export function fileSource({ label, hint, accept, multiple = false, take, target }) {
  const id = freshID("file");
  const input = element("input", {
    type: "file",
    class: "unseen",
    id,
    accept,
    multiple,
    on: {
      change: () => {
        if (input.files.length) take([...input.files]);
        input.value = "";
      },
    },
  });
  const place = element(
    "div",
    { class: "drop" },
    element("span", {}, label),
    element("label", { class: "button", for: id }, multiple ? "Choose files" : "Choose a file", input),
    hint && element("p", { class: "help" }, hint),
  );
  let depth = 0;
  const over = (is) => {
    depth = Math.max(0, depth + is);
    place.classList.toggle("over", depth > 0);
  };
  target.addEventListener("dragenter", (event) => {
    event.preventDefault();
    over(1);
  });
  target.addEventListener("dragleave", () => over(-1));
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(0);
    const files = [...event.dataTransfer.files];
    if (files.length > 0) take(multiple ? files : files.slice(0, 1));
  });
  document.addEventListener("paste", (event) => {
    if (target.hidden || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const files = [...event.clipboardData.files];
    const text = event.clipboardData.getData("text/plain").trim();
    if (files.length > 0) take(multiple ? files : files.slice(0, 1));
    else if (text.startsWith("{") && accept.includes("json")) take([new File([text], "pasted.json")]);
    else return;
    event.preventDefault();
  });
  return place;
}
