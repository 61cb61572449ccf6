// The contract as the pages need it: references followed, operations with all their parameters, who uses which schema.
import { unmarked } from "./ordered-json.js";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What openapi.json says. Members that are missing are empty here, so that views need not ask.
export class Contract {
  constructor(document) {
    this.document = document;
    this.info = document.info ?? {};
    this.components = document.components ?? {};
    this.schemas = new Map(Object.entries(this.components.schemas ?? {}));
    this.operations = this.#operations();
    this.tags = this.#tags();
    this.uses = this.#uses();
  }

  /// What a node stands for: `{ name, value }`, where the name is the last reference's. Members beside a `$ref`, such as
  /// a description, win over those of what it names.
  resolve(node) {
    let name = null;
    // `true` stands for any value and `false` for none: neither says anything more.
    let value = node !== null && typeof node === "object" ? node : {};
    for (let depth = 0; value && typeof value.$ref === "string" && depth < 32; depth += 1) {
      const { $ref: reference, ...beside } = value;
      name = reference.split("/").at(-1);
      value = { ...this.#at(reference), ...beside };
    }
    return { name, value };
  }

  /// The operation whose path, as the contract writes it, is this one; the first method where there are several.
  operationAt(path) {
    return this.operations.find((operation) => operation.path === path);
  }

  /// `[name, { summary, value }]` of the examples of a media type, whether they are one or many.
  examples(media) {
    if (media?.examples) {
      return Object.entries(media.examples).map(([name, example]) => [name, this.resolve(example).value]);
    }
    return media && "example" in media ? [["example", { value: media.example }]] : [];
  }

  #at(reference) {
    if (!reference.startsWith("#/")) return {};
    const steps = reference.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return steps.reduce((node, step) => (node && Object.hasOwn(node, step) ? node[step] : undefined), this.document) ?? {};
  }

  #operations() {
    const found = [];
    for (const [path, item] of Object.entries(this.document.paths ?? {})) {
      for (const method of METHODS.filter((name) => item[name])) {
        const said = item[method];
        const parameters = [...(said.parameters ?? []), ...(item.parameters ?? [])].map((node) => this.resolve(node).value);
        found.push({
          id: said.operationId ?? `${method}${path}`,
          method: method.toUpperCase(),
          path,
          tag: said.tags?.[0] ?? "",
          summary: said.summary ?? "",
          description: said.description ?? "",
          parameters,
          body: said.requestBody ? this.resolve(said.requestBody).value : null,
          responses: Object.entries(said.responses ?? {}).map(([status, node]) => ({ status: unmarked(status), ...this.resolve(node) })),
          open: (said.security ?? []).length === 0 && said.security !== undefined,
        });
      }
    }
    return found;
  }

  #tags() {
    const named = (this.document.tags ?? []).map(({ name, description = "" }) => ({ name, description }));
    const others = new Set(this.operations.map(({ tag }) => tag).filter((tag) => !named.some(({ name }) => name === tag)));
    return [...named, ...[...others].map((name) => ({ name, description: "" }))]
      .map((tag) => ({ ...tag, operations: this.operations.filter((operation) => operation.tag === tag.name) }))
      .filter((tag) => tag.operations.length > 0);
  }

  /// Schema's name → `{ operations, schemas }` that refer to it themselves.
  #uses() {
    const uses = new Map([...this.schemas.keys()].map((name) => [name, { operations: new Set(), schemas: new Set() }]));
    for (const [name, schema] of this.schemas) {
      for (const used of schemasIn(schema)) uses.get(used)?.schemas.add(name);
    }
    for (const operation of this.operations) {
      const { parameters, body, responses } = operation;
      for (const used of schemasIn({ parameters, body, responses })) uses.get(used)?.operations.add(operation);
    }
    return uses;
  }
}

/// Names of the schemas that a node refers to, at any depth within it.
function schemasIn(node, found = new Set()) {
  if (node === null || typeof node !== "object") return found;
  const match = typeof node.$ref === "string" && node.$ref.match(/^#\/components\/schemas\/(.+)$/);
  if (match) found.add(match[1]);
  for (const child of Object.values(node)) schemasIn(child, found);
  return found;
}

/// Ids of elements, which are the page's deep links.
export const anchors = {
  operation: (operation) => operation.id,
  parameter: (operation, name) => `${operation.id}.${name}`,
  section: (title) => `section-${title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "")}`,
  schema: (name) => `schema-${name}`,
  member: (schema, path) => `schema-${schema}.${path}`,
  problem: (type) => `problem-${type}`,
  status: (status) => `status-${status}`,
};
