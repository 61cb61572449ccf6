// Deep links: brings an element into view, whatever is folded around it, and marks it for a moment.

/// Shows the element of this id, moves the focus to it, and marks it as the one that the address names.
export function reveal(id) {
  const found = id && document.getElementById(id);
  if (!found) return;
  for (let around = found.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  const own = found.querySelector(":scope > details");
  if (own) own.open = true;
  document.querySelector(".is-target")?.classList.remove("is-target");
  found.classList.add("is-target");
  if (!found.matches("a, button, input, [tabindex]")) found.tabIndex = -1;
  found.focus({ preventScroll: true });
  found.scrollIntoView({ block: "start" });
}
