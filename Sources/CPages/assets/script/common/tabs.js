// Tabs, operated as ARIA's authoring practices say: arrows move, Home and End jump. The page's fragment names the tab.

/// Makes the `[role=tab]` buttons of a `[role=tablist]` work. `shown` is called with a tab's name when it appears.
export function activateTabs(list, shown) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const name = (tab) => tab.dataset.name;

  function show(tab, focus = false) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    if (location.hash.slice(1) !== name(tab)) history.replaceState(null, "", `#${name(tab)}`);
    shown?.(name(tab));
  }
  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) show(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    show(tabs[(next + tabs.length) % tabs.length], true);
  });
  const named = () => tabs.find((tab) => name(tab) === location.hash.slice(1));
  addEventListener("hashchange", () => named() && show(named()));
  show(named() ?? tabs[0]);
}
