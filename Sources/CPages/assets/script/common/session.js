// The bearer token. It lives in this tab's session storage: closing the tab forgets it, no other tab or server sees it.

const KEY = "perception-token";
const listeners = new Set();
// Browsers that refuse storage (private windows, embedded pages) keep it in memory: a reload forgets it.
let remembered = null;

/// The token, or null.
export function token() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return remembered;
  }
}

/// Keeps a token for this tab; null or an empty text forgets it.
export function setToken(text) {
  const kept = text ? text.trim() : "";
  remembered = kept || null;
  try {
    if (kept) sessionStorage.setItem(KEY, kept);
    else sessionStorage.removeItem(KEY);
  } catch {
    // `remembered` has it.
  }
  for (const listener of listeners) listener();
}

/// Calls `listener` whenever the token changes. Returns a function that ends it.
export function onToken(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
