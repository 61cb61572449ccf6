// What is known of the runs: their kept batches and the signals of many more.

const MOST_POINTS = 512;
const MOST_RUNS = 64;

/// The signals that are drawn: name, label, what it is, how its numbers read.
export const SIGNALS = [
  { name: "loss", label: "Loss", title: "loss_numerator / loss_denominator" },
  { name: "mean_delta_entropy", label: "Mean ΔH", unit: "nats", title: "H_removing − H_original over response tokens" },
  { name: "selected_fraction", label: "Perception tokens", isShare: true, title: "selected by the detector, of response tokens" },
  { name: "gated_fraction", label: "In the loss", isShare: true, title: "perception tokens that pass the gate, of response tokens" },
  { name: "mean_contrast", label: "Mean contrast", unit: "nats", title: "m over tokens in the loss" },
  { name: "clamped_fraction", label: "Clamped", isShare: true, title: "tokens in the loss on which a clamp acted" },
  { name: "objective", label: "Objective", title: "what gradients are of, where it has other parts than the loss" },
  { name: "tokens", label: "Response tokens", isCount: true, title: "of each batch" },
];

export class Runs {
  #runs = new Map();
  /// How many batches are kept of each.
  keeps = 0;

  get isEmpty() {
    return this.#runs.size === 0;
  }

  /// The one heard of last first.
  get list() {
    return [...this.#runs.values()].sort((a, b) => b.last - a.last);
  }

  get(name) {
    return this.#runs.get(name) ?? null;
  }

  /// Takes the server's list in place of all that was known.
  replace(listing) {
    this.keeps = listing.keep_recent;
    this.#runs.clear();
    for (const { run, total, history, batches } of listing.runs) {
      const points = history.batch.map((batch, index) => ({
        batch, time: history.time[index],
        values: Object.fromEntries(SIGNALS.map(({ name }) => [name, history[name]?.[index] ?? null])),
      }));
      this.#runs.set(run, { name: run, total, points, batches: [...batches], last: points.at(-1)?.batch ?? 0 });
    }
  }

  /// A batch that was just scored. Returns whether it is new.
  add(summary) {
    let run = this.#runs.get(summary.run);
    if (!run) {
      if (this.#runs.size >= MOST_RUNS) this.#runs.delete(this.list.at(-1).name);
      run = { name: summary.run, total: 0, points: [], batches: [], last: 0 };
      this.#runs.set(summary.run, run);
    }
    if (summary.batch <= run.last) return false;
    run.last = summary.batch;
    run.total += 1;
    run.points.push({ batch: summary.batch, time: summary.time, values: { ...summary.signals, tokens: summary.response_tokens } });
    if (run.points.length > MOST_POINTS) run.points.shift();
    run.batches.push(summary);
    while (run.batches.length > this.keeps) run.batches.shift();
    return true;
  }

  /// The server no longer has this batch.
  forget(name, batch) {
    const run = this.#runs.get(name);
    if (run) run.batches = run.batches.filter((kept) => kept.batch !== batch);
  }
}
