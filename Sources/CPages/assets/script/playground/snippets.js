// The request on the page, as it would be made elsewhere.
import { address } from "../common/request.js";
import { token } from "../common/session.js";
import { shellWord } from "../common/shell.js";
import { python as literal } from "../docs/python-literal.js";
import { perturbRequest } from "./perturb.js";

/// Everything that the snippets say: { picture: name, second: name or null, views, settings }.

/// curl, one command for each view where the picture is sent alone; the reply is the view itself.
export function curl({ picture, second, views, settings, mediaType }) {
  const access = token() ? ' \\\n  -H "Authorization: Bearer $PERCEPTION_TOKEN"' : "";
  if (second) {
    const request = JSON.stringify(perturbRequest(second, views, settings));
    return (
      `curl -s${access} ${shellWord(address("v1/perturb").href)} \\\n  -F ${shellWord(`images=@${picture}`)} -F ${shellWord(`second=@${second}`)} \\\n` +
      `  -F ${shellWord(`request=${request};type=application/json`)} -o views.json`
    );
  }
  return views
    .map(({ name, seed, recipe, steps }) => {
      const url = address("v1/perturb", {
        recipe: recipe ?? null,
        steps: steps ? JSON.stringify(steps) : null,
        seed: seed ?? null,
        ...settings,
        format: "png",
      });
      return `curl -s${access} --data-binary ${shellWord(`@${picture}`)} -H ${shellWord(`Content-Type: ${mediaType}`)} \\\n  ${shellWord(url.href)} -o ${shellWord(`${name}.png`)}`;
    })
    .join("\n\n");
}

/// Python with the client that this server hands out.
export function python({ picture, second, views, settings }) {
  const files = [picture, second]
    .filter(Boolean)
    .map((name, place) => `    ${literal(place === 0 ? "0" : "second")}: pathlib.Path(${literal(name)}).read_bytes(),`);
  const base = address("").href.replace(/\/$/, "");
  const more = [
    second && '    second_only=["second"],',
    ...Object.entries(settings).map(([name, value]) => `    ${name}=${literal(value)},`),
  ].filter(Boolean);
  return [
    "import pathlib",
    "",
    "from perception_client import Perception",
    "",
    `P = Perception(${literal(base)})${token() ? "  # the token is PERCEPTION_TOKEN" : ""}`,
    "images = {",
    ...files,
    "}",
    "views = [",
    ...views.map((view) => `    ${literal(view)},`),
    "]",
    more.length > 0
      ? `made = P.perturb(\n    images,\n    views,\n    format="png",\n${more.join("\n")}\n)`
      : 'made = P.perturb(images, views, format="png")',
    "for view in made.views:",
    '    pathlib.Path(f"{view.name}.png").write_bytes(view.data)',
  ].join("\n");
}

/// The JSON of the request, for a multipart part `request`.
export function requestJSON({ second, views, settings }) {
  return JSON.stringify(perturbRequest(second, views, settings), null, 2);
}
