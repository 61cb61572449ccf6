// What the contract says of options: kinds, ranges and explanations, from /openapi.json.
import { sendForJSON } from "../common/request.js";

/// The options of /v1/score as [{ name, kind, choices, minimum, maximum, default, isOpenBelow, isNullable, isWhole, says }], in the
/// contract's order.
export async function optionSchemas() {
  const contract = await sendForJSON("openapi.json");
  const resolve = (schema) => {
    if (!schema?.$ref) return schema ?? {};
    const found = schema.$ref
      .replace(/^#\//, "")
      .split("/")
      .reduce((at, word) => at?.[word], contract);
    return { ...resolve(found), ...Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "$ref")) };
  };
  const { properties } = resolve({ $ref: "#/components/schemas/ScoreOptions" });
  return Object.entries(properties).map(([name, schema]) => described(name, resolve(schema), resolve));
}

function described(name, schema, resolve) {
  const types = [schema.type ?? []].flat();
  const item = resolve(schema.items);
  const isNumber = types.includes("number") || types.includes("integer");
  return {
    name,
    kind: schema.enum
      ? "choice"
      : isNumber
        ? "number"
        : types.includes("array")
          ? item.enum
            ? "choices"
            : "list"
          : types.includes("object")
            ? "numbers"
            : "text",
    choices: schema.enum ?? item.enum ?? Object.keys(schema.properties ?? {}),
    minimum: schema.minimum ?? schema.exclusiveMinimum ?? null,
    maximum: schema.maximum ?? schema.exclusiveMaximum ?? null,
    default: schema.default ?? null,
    isOpenBelow: schema.exclusiveMinimum !== undefined,
    isNullable: types.includes("null"),
    isWhole: types.includes("integer"),
    says: String(schema.description ?? "")
      .replace(/\s+/g, " ")
      .trim(),
  };
}
