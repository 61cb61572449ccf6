// The request as a curl command.
import { SAFETENSORS } from "../common/safetensors.js";
import { shellWord } from "../common/shell.js";

/// The command. `base` is the server's address with a slash at its end; `needsToken` names the token by its variable,
/// never by its text.
export function asCurl(draft, base, needsToken) {
  const { operation, headers } = draft;
  const lines = [`curl -sS ${shellWord(base + draft.target)}`];
  if (operation.method !== "GET" && !(operation.method === "POST" && draft.mediaType)) lines[0] += ` -X ${operation.method}`;
  if (needsToken) lines.push('-H "Authorization: Bearer $PERCEPTION_TOKEN"');
  for (const [name, value] of headers) lines.push(`-H ${shellWord(`${name}: ${value}`)}`);
  if (draft.isForm) {
    lines.push(`-F ${shellWord(`request=${draft.text};type=application/json`)}`);
    for (const [name, file] of draft.files) lines.push(`-F ${shellWord(`${name}=@${partFile(file.name)}`)}`);
  } else if (draft.isJSON) {
    lines.push(`-d ${shellWord(draft.text)}`);
  } else if (draft.mediaType) {
    lines.push(`--data-binary ${shellWord(`@${draft.fileName}`)}`);
  }
  const name = savedAs(draft);
  if (name) lines.push(`-o ${name}`);
  return lines.join(" \\\n  ");
}

/// A file's name as curl reads it in a form, where some characters separate.
function partFile(name) {
  return /[;,"\\]/.test(name) ? `"${name.replace(/[\\"]/g, "\\$&")}"` : name;
}

/// The name of the file for a reply that is no text, or null.
export function savedAs(draft) {
  return {
    "image/png": "view.png", "image/jpeg": "view.jpg", [SAFETENSORS]: "reply.safetensors", "multipart/mixed": "reply.multipart",
    "application/octet-stream": "reply.bin",
  }[draft.replyType] ?? null;
}
