// The request as Python: a call of perception_client where there is one that says the same, else the standard library.
import { savedAs } from "./as-curl.js";
import { clientCall } from "./client-call.js";
import { python } from "./python-literal.js";

/// A program that sends the request and prints the reply.
export function asPython(draft, base, needsToken) {
  return clientCall(draft, base.replace(/\/$/, ""), needsToken) ?? withURLLib(draft, base, needsToken);
}

function withURLLib(draft, base, needsToken) {
  const imports = new Set(["import urllib.request"]);
  const headers = draft.headers.map(([name, value]) => `${python(name)}: ${python(value)}`);
  if (needsToken) {
    imports.add("import os");
    headers.push('"Authorization": "Bearer " + os.environ["PERCEPTION_TOKEN"]');
  }
  const lines = [];
  const file = savedAs(draft);
  if (draft.isForm) {
    lines.push(...formLines(draft, headers));
    imports.add("import uuid");
  } else if (draft.isJSON) {
    lines.push(`body = ${longText(draft.text)}.encode()`);
  } else if (draft.mediaType) {
    lines.push(`body = open(${python(draft.fileName)}, "rb").read()`);
  }
  const members = [
    python(base + draft.target), ...(draft.mediaType ? ["data=body"] : []),
    ...(headers.length > 0 ? [`headers={${headers.join(", ")}}`] : []), `method=${python(draft.operation.method)}`,
  ];
  lines.push("request = urllib.request.Request(", ...members.map((each) => `    ${each},`), ")",
    "with urllib.request.urlopen(request) as reply:",
    "    print(reply.status, reply.headers[\"Content-Type\"])",
    file ? `    open(${python(file)}, "wb").write(reply.read())` : "    print(reply.read().decode())");
  return `${[...imports].sort().join("\n")}\n\n${lines.join("\n")}\n`;
}

function formLines(draft, headers) {
  headers.push('"Content-Type": "multipart/form-data; boundary=" + boundary');
  const parts = [["request", null, draft.text], ...[...draft.files].map(([name, file]) => [name, file.name, null])];
  return [
    "boundary = uuid.uuid4().hex", "body = b\"\"",
    ...parts.flatMap(([name, file, text]) => [
      `body += f'--{boundary}\\r\\nContent-Disposition: form-data; name="${name}"${file ? `; filename="${name}"` : ""}\\r\\n'.encode()`,
      `body += b"Content-Type: ${file ? "application/octet-stream" : "application/json"}\\r\\n\\r\\n"`,
      file ? `body += open(${python(file)}, "rb").read() + b"\\r\\n"` : `body += ${longText(text)}.encode() + b"\\r\\n"`,
    ]),
    'body += f"--{boundary}--\\r\\n".encode()',
  ];
}

/// A text of several lines, kept as it is where Python can read it so.
function longText(text) {
  return text.includes("\n") && !/\\|'''/.test(text) && !text.endsWith("'") ? `'''${text}'''` : python(text);
}
