// A request as it stands in the fields: what is sent, and what is copied, is made from this and nothing else.
import { SAFETENSORS } from "../common/safetensors.js";
import { startingParameters, startingValue } from "./starting-values.js";

const FORM = "multipart/form-data";

/// The request of one operation. Changing it tells whoever asked to be told.
export class Draft {
  constructor(contract, operation) {
    this.contract = contract;
    this.operation = operation;
    this.mediaTypes = Object.keys(operation.body?.content ?? {});
    this.accepts = Object.keys(operation.responses.find(({ status }) => status === "200")?.value.content ?? {});
    this.accept = "";
    this.listeners = new Set();
    // Settled once the built-in picture that is to be sent has arrived.
    this.ready = Promise.resolve();
    this.take(this.mediaTypes[0] ?? null);
  }

  /// Changes the body's media type, and begins anew with what such requests start with.
  take(mediaType) {
    this.mediaType = mediaType;
    this.text = "";
    this.files = new Map();
    const starting = startingParameters(this.operation, mediaType);
    this.values = new Map();
    // What is in the path comes first: it says what the request is about.
    const inPath = ({ in: place }) => (place === "path" ? 0 : 1);
    for (const parameter of this.operation.parameters.toSorted((a, b) => inPath(a) - inPath(b))) {
      const value = starting[parameter.name] ?? (parameter.required ? startingValue(this.contract, parameter) : undefined);
      if (value !== undefined) this.values.set(parameter.name, value);
    }
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener();
  }

  get isForm() {
    return this.mediaType === FORM;
  }

  get isJSON() {
    return this.mediaType === "application/json";
  }

  get isPicture() {
    return this.mediaType?.startsWith("image/") ?? false;
  }

  /// Parameters that have a value, of one place: `[name, value]`.
  given(place) {
    return this.operation.parameters
      .filter((parameter) => parameter.in === place && this.values.has(parameter.name))
      .map(({ name }) => [name, this.values.get(name)]);
  }

  /// Path and query, without a slash in front: relative to wherever the server is.
  get target() {
    const values = Object.fromEntries(this.given("path"));
    const path = this.operation.path.slice(1).replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
    const query = this.given("query").map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    return query.length > 0 ? `${path}?${query.join("&")}` : path;
  }

  /// The file that is the body, or undefined.
  get file() {
    return this.files.get("");
  }

  /// The body's file by name, as a command reads it.
  get fileName() {
    return this.file?.name ?? "FILE";
  }

  /// Header fields but the token's. A form's Content-Type, which has a boundary, is the sender's business.
  get headers() {
    const fields = this.given("header");
    if (this.accept) fields.push(["Accept", this.accept]);
    if (this.mediaType && !this.isForm) fields.push(["Content-Type", this.bodyType]);
    return fields;
  }

  /// The body's media type: a chosen picture's own one, where the operation takes it.
  get bodyType() {
    const own = this.file?.type;
    return this.isPicture && own && this.mediaTypes.includes(own) ? own : this.mediaType;
  }

  /// The media type that the reply will have, as the contract says: what was asked for, else the request's own form.
  get replyType() {
    if (this.accept) return this.accept;
    const { accepts, mediaType } = this;
    if (this.isPicture) {
      const format = this.values.get("format");
      if (format === "raw") return "application/octet-stream";
      return format === "jpeg" ? "image/jpeg" : accepts.find((type) => type === "image/png") ?? accepts[0];
    }
    const own = this.isForm ? "application/json" : mediaType === "application/octet-stream" ? SAFETENSORS : mediaType;
    return accepts.includes(own) ? own : accepts[0] ?? "";
  }

  /// What `fetch` sends, or undefined where there is no body.
  get body() {
    if (!this.mediaType) return undefined;
    if (this.isForm) {
      const form = new FormData();
      form.append("request", new Blob([this.text], { type: "application/json" }));
      for (const [name, file] of this.files) form.append(name, file, file.name);
      return form;
    }
    return this.isJSON ? this.text : this.file;
  }
}
