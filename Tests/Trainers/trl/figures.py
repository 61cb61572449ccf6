"""What the perception loss costs a step of TRL: python figures.py URL. Run it by hand on an idle machine.

The model is tiny, so that the share of the service is larger than in any real training.
"""

import pathlib
import statistics
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1])]

import conftest  # noqa: F401  finds the shared modules

STEPS = 12


class Late:
    """Views that are made when they are wanted: without prefetching."""

    def __init__(self, make):
        self.make = make

    def collect(self, grids=None):
        start = time.perf_counter()
        made = self.make()
        made.waited = time.perf_counter() - start
        return made


def median(run, name):
    """Leaves out the first steps, in which everything is loaded."""
    return statistics.median(run.curve(name)[3:])


def main(url):
    import training

    import tiny_model
    from perception_client import Perception

    rows = [{"prompt": r["prompt"], "images": [r["images"][0].resize((1024, 768))]} for r in tiny_model.rows(8)]
    given = {"rows": rows, "max_steps": STEPS, "max_completion_length": 48, "learning_rate": 1e-4}
    with tempfile.TemporaryDirectory() as folder:
        alone = training.train(training.GRPOTrainer, folder, **given)
        print(f"GRPO alone: {median(alone, 'step_time') * 1000:.0f} ms a step")
        for mode in ("direct", "grad_cache", "detached"):
            client, calls = Perception(url), []
            send = client._transport.send

            def timed(call, send=send, calls=calls):
                start = time.perf_counter()
                answer = send(call)
                calls.append((call.path.split("?")[0], time.perf_counter() - start))
                return answer

            client._transport.send = timed
            run = training.train(training.GRPO, folder, client=client, settings={"mode": mode}, **given)
            step = median(run, "step_time") * 1000
            scores = [s * 1000 for path, s in calls if path == "/v1/score"]
            print(
                f"{mode}: {step:.0f} ms a step; loss of a micro-batch {statistics.median(scores):.2f} ms, of which the server "
                f"{median(run, 'perception/server_ms'):.2f}; views {median(run, 'perception/views_seconds') * 1000:.1f} ms, "
                f"waited {median(run, 'perception/views_waited_seconds') * 1000:.3f} ms; share of a step "
                f"{(2 * statistics.median(scores) + median(run, 'perception/views_waited_seconds') * 1000) / step:.1%}")  # fmt: skip
        trainer = training.made(training.GRPO, folder, client=Perception(url), **given)
        views = trainer._perception_steps.views
        views.start = lambda rows, step: Late(lambda: views.make([list(r) for r in rows], step))
        trainer.train()
        late = training.Run(trainer)
        print(f"without prefetching: waited {median(late, 'perception/views_waited_seconds') * 1000:.1f} ms a step")


if __name__ == "__main__":
    main(*sys.argv[1:])
