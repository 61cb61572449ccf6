// Asks the server again as options change: after a short pause, one request at a time, the newest wins.

const PAUSE_MS = 90;

export class Scoring {
  #timer = 0;
  #abort = null;
  #done;

  /// - done({ batch, result, timing, took } or { problem }).
  constructor(done) {
    this.#done = done;
  }

  /// - resolved: all options with their values, to read; sent: those to send.
  ask(inputs, resolved, sent, atOnce) {
    clearTimeout(this.#timer);
    // An answer to what was asked before would look like one to this.
    this.#abort?.abort();
    this.#abort = null;
    this.#timer = setTimeout(() => this.#run(inputs, resolved, sent), atOnce ? 0 : PAUSE_MS);
  }

  async #run(inputs, resolved, sent) {
    const abort = new AbortController();
    this.#abort = abort;
    const began = performance.now();
    try {
      const outcome = await inputs.score(sent, abort.signal, resolved);
      if (this.#abort === abort) this.#done({ ...outcome, took: inputs.canScore ? performance.now() - began : null });
    } catch (problem) {
      if (problem.name !== "AbortError" && this.#abort === abort) this.#done({ problem });
    }
  }
}
