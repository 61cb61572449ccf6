// Saving what the page made as a file.
import { element } from "./elements.js";

/// Saves a blob under a name. Nothing is sent anywhere.
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = element("a", { href: url, download: safeName(name) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/// A file name without folders, controls or anything that some system minds.
export function safeName(name) {
  const kept = String(name)
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}._, -]+/gu, "-")
    .replace(/^[. -]+/, "")
    .slice(0, 120);
  return kept || "perception";
}
