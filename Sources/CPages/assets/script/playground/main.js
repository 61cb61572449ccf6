// The playground: its two tabs, each made when it is first shown.
import { mountHeader } from "../common/page.js";
import { problemView } from "../common/problem.js";
import { onToken } from "../common/session.js";
import { activateTabs } from "../common/tabs.js";
import { mountTokens } from "./tokens-tab.js";
import { mountViews } from "./views-tab.js";

mountHeader("playground");

const MOUNTS = { tokens: mountTokens, views: mountViews };
const mounted = new Set();

async function show(name) {
  if (mounted.has(name)) return;
  mounted.add(name);
  const panel = document.getElementById(`${name}-panel`);
  try {
    await MOUNTS[name](panel);
  } catch (problem) {
    mounted.delete(name);
    panel.replaceChildren(problemView(problem));
  }
}

const shown = () => document.querySelector('[role="tab"][aria-selected="true"]').dataset.name;
activateTabs(document.querySelector('[role="tablist"]'), show);
// With a token a tab that was refused before can be made.
onToken(() => show(shown()));
