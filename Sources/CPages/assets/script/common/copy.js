// Copying text. Over plain HTTP browsers give no clipboard: then the old command is tried, and at last the text is
// selected for the reader to copy.
import { button, element } from "./elements.js";

/// Copies a text. Returns whether it reached the clipboard.
export async function copyText(text) {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused: the old way may still work.
  }
  const area = element("textarea", { class: "unseen", readonly: true, "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  const before = document.activeElement;
  document.body.append(area);
  area.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    copied = false;
  }
  area.remove();
  before?.focus?.();
  return copied;
}

/// A button that copies what `text()` returns. Where nothing can be copied, `shown` (an element with the text) is selected.
export function copyButton(text, { label = "Copy", shown = null } = {}) {
  const told = element("span", { class: "unseen", role: "status" });
  let resetting;
  const press = async () => {
    const copied = await copyText(text());
    const said = copied ? "Copied" : shown ? "Selected: press Ctrl+C" : "Could not copy";
    if (!copied && shown) getSelection().selectAllChildren(shown);
    made.firstChild.textContent = said;
    told.textContent = said;
    // Who copies twice is told twice: the first telling's end must not end the second.
    clearTimeout(resetting);
    resetting = setTimeout(() => {
      made.firstChild.textContent = label;
      told.textContent = "";
    }, 1800);
  };
  const made = button(element("span", {}, label), press, { class: "button copy" });
  made.append(told);
  return made;
}
