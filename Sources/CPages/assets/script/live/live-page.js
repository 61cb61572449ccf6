// The page of what was scored last: runs and batches at the side, a run's signals, and the heat map of one batch.
import { button, element } from "../common/elements.js";
import { problemView } from "../common/problem.js";
import { sendForJSON } from "../common/request.js";
import { onToken } from "../common/session.js";
import { isolated } from "../common/visible-text.js";
import { TokenStage } from "../playground/token-stage.js";
import { LiveConnection } from "./connection.js";
import { keptBatch } from "./kept-batch.js";
import { ChoiceList, describeBatch, describeRun, timeText } from "./lists.js";
import { Runs } from "./runs.js";
import { signalPanel } from "./signal-panel.js";

// Batches may come by the thousand a second: lists and lines follow at this pace, the heat map at that of eyes.
const DRAW_EVERY = 250;
const LOAD_EVERY = 2000;

export class LivePage {
  #runs = new Runs();
  #run = null;
  #follows = true;
  /// What the heat map shows, and what it should show.
  #shown = null;
  #wanted = null;
  #loading = null;
  #meanwhile = null;
  #loadedAt = 0;
  #drawTimer = 0;
  #loadTimer = 0;
  #state = element("p", { class: "live-state", role: "status" });
  #trouble = element("div", { class: "trouble" });
  #pausing = button("Pause", () => this.#setFollowing(!this.#follows), { "aria-pressed": "false", hidden: true });
  #runList = new ChoiceList({ label: "Runs", describe: describeRun, choose: (name) => this.#chooseRun(name) });
  #batchList = new ChoiceList({ label: "Kept batches, newest first", describe: describeBatch, choose: (key) => this.#chooseBatch(key) });
  #signals = element("div", { class: "signals" });
  #title = element("h2", {});
  #content;
  #stage = new TokenStage();
  #connection;

  constructor(main) {
    this.#content = element("div", { class: "with-sidebar", hidden: true },
      element("aside", { class: "stack", "aria-label": "Runs and batches" },
        element("section", { class: "panel" }, element("h2", {}, "Runs"), this.#runList.element),
        element("section", { class: "panel" }, element("h2", {}, "Batches"), this.#batchList.element)),
      element("div", { class: "stack" },
        element("section", { class: "panel", "aria-label": "Training signals" }, this.#signals),
        element("section", { class: "stack", "aria-label": "Batch" }, this.#title, this.#stage.element)));
    main.append(element("div", { class: "live-head" }, element("h1", {}, "Live"), this.#state, element("span", { class: "spring" }), this.#pausing), this.#trouble, this.#content);
    this.#connection = new LiveConnection("v1/live/events", {
      take: (event) => this.#take(event), opened: () => this.#list(), said: (state, detail) => this.#say(state, detail),
    });
    // What nobody sees is not fetched; the newest is once it is seen again.
    document.addEventListener("visibilitychange", () => this.#draw());
    onToken(() => this.#begin());
    this.#begin();
  }

  /// Asks whether batches are kept at all, and watches if so.
  async #begin() {
    this.#connection.stop();
    try {
      const { limits } = await sendForJSON("v1/info");
      if (limits.keep_recent) this.#connection.start();
      else this.#refuse(howToKeep());
    } catch (problem) {
      this.#refuse(problemView(problem));
    }
  }

  #refuse(reason) {
    this.#state.dataset.state = "refused";
    this.#pausing.hidden = true;
    this.#content.hidden = true;
    this.#trouble.replaceChildren(reason);
  }

  async #list() {
    // Events may overtake the list's answer, and are in none then.
    this.#meanwhile = [];
    try {
      this.#runs.replace(await sendForJSON("v1/live"));
      for (const summary of this.#meanwhile) this.#runs.add(summary);
      this.#trouble.replaceChildren();
      this.#draw();
    } catch (problem) {
      this.#trouble.replaceChildren(problemView(problem));
    }
    this.#meanwhile = null;
  }

  #take({ event, data }) {
    if (event === "lost") this.#list();
    if (event !== "batch") return;
    const summary = JSON.parse(data);
    this.#meanwhile?.push(summary);
    if (this.#runs.add(summary)) this.#drawSoon();
  }

  #say(state, detail) {
    if (state === "refused") return this.#refuse(problemView(detail));
    this.#state.dataset.state = state;
    this.#pausing.hidden = false;
    const words = { open: "Connected", waiting: `No connection. Trying again in ${Math.round(detail / 1000)} s` };
    this.#state.textContent = words[state];
  }

  #drawSoon() {
    this.#drawTimer ||= setTimeout(() => this.#draw(), DRAW_EVERY);
  }

  #draw() {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = 0;
    if (document.hidden) return;
    if (this.#runs.isEmpty) {
      this.#content.hidden = true;
      this.#trouble.replaceChildren(waiting());
      return;
    }
    if (this.#content.hidden) this.#trouble.replaceChildren();
    this.#content.hidden = false;
    const list = this.#runs.list;
    const run = this.#runs.get(this.#run) ?? list[0];
    this.#run = run.name;
    // By name: runs that take turns must not change places all the time.
    this.#runList.show(list.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((one) => [one.name, one]), run.name);
    this.#signals.replaceChildren(...signalPanel(run.points));
    if (this.#follows) this.#wanted = run.batches.at(-1) ?? null;
    this.#batchList.show(run.batches.toReversed().map((batch) => [batch.batch, batch]), this.#wanted?.batch);
    this.#loadSoon();
  }

  #chooseRun(name) {
    this.#run = name;
    this.#setFollowing(true);
    this.#loadedAt = 0;
    this.#draw();
  }

  #chooseBatch(number) {
    this.#wanted = this.#runs.get(this.#run)?.batches.find((batch) => batch.batch === number) ?? null;
    this.#setFollowing(false);
    this.#loadedAt = 0;
    this.#draw();
  }

  #setFollowing(follows) {
    this.#follows = follows;
    this.#pausing.textContent = follows ? "Pause" : "Follow newest";
    this.#pausing.setAttribute("aria-pressed", String(!follows));
    this.#drawSoon();
  }

  #loadSoon() {
    if (!this.#wanted || this.#wanted.batch === this.#shown || this.#loading || this.#loadTimer) return;
    const pause = this.#loadedAt + LOAD_EVERY - performance.now();
    if (this.#loadedAt === 0 || pause <= 0) this.#load();
    else this.#loadTimer = setTimeout(() => { this.#loadTimer = 0; this.#draw(); }, pause);
  }

  async #load() {
    const summary = this.#wanted;
    this.#loading = summary.batch;
    this.#stage.busy(true);
    try {
      const { batch, result, inputs } = await keptBatch(summary.batch);
      this.#shown = summary.batch;
      this.#title.replaceChildren("Batch ", element("span", { class: "number" }, `#${summary.batch}`), " of ", isolated(summary.run, 64),
        element("span", { class: "help" }, `${timeText(summary.time)} · ${summary.preset}`));
      this.#stage.show(batch, result, inputs);
      this.#trouble.replaceChildren();
    } catch (problem) {
      // It went between the list and the asking.
      if (problem.status === 404) this.#runs.forget(summary.run, summary.batch);
      else this.#trouble.replaceChildren(problemView(problem));
    }
    this.#stage.busy(false);
    this.#loading = null;
    this.#loadedAt = performance.now();
    this.#drawSoon();
  }
}

function howToKeep() {
  return element("section", { class: "panel stack empty" },
    element("h2", {}, "This server keeps no batches"),
    element("p", {}, "Started with this option, it keeps the last batches of each run in memory, for everybody who may call it to see:"),
    element("pre", { class: "code" }, "perception-server --keep-recent 20"),
    element("p", { class: "help" }, "A trainer names its run in the header Perception-Run, and may send the tokens' texts as “tokens”."));
}

function waiting() {
  return element("section", { class: "panel stack empty" },
    element("h2", {}, "Waiting for the first batch"),
    element("p", {}, "Each batch that is posted to ", element("code", {}, "/v1/score"), " appears here."));
}
