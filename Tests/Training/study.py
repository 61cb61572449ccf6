"""The whole study, or parts of it: `python study.py --help`. `run` sets up what it needs."""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(REPOSITORY / "Tests/Contract")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

import serving
import torch
from tqdm import tqdm

import arms
import jobs
import reinforcement
import supervised
from jobs import Study

PORT = 8093
PARTS = ["arms", "sweeps", "mature", "trl", "equality", "report"]
SERVED = {"arms", "sweeps", "mature", "trl"}  # parts that share one server, where runs can be watched
SEEDS, SWEEP_SEEDS = range(5), range(3)
# `/live` keeps the last batches of every run, of which there are more than the server counts apart by default.
SERVER = ("--keep-recent", "20", "--max-runs", "400", "--threads", "1")

_steps: Any = None


def _begin(steps: Any) -> None:
    """Set a worker process up: it computes on one core, and reports its steps."""
    global _steps
    _steps = steps
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the study is gone, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(job: Callable[..., None], *arguments: Any) -> None:
    job(*arguments, progress=_steps.put)


def run_all(title: str, planned: list[tuple[str, int, Callable[..., None], tuple[Any, ...]]], workers: int) -> None:
    """Run jobs in so many processes, with a bar of their steps. A job that fails ends the study.

    Args:
        title: of the bar.
        planned: of each job its name, its steps, the function and its arguments.
        workers: processes.
    """
    if not planned:
        return
    spawn = multiprocessing.get_context("spawn")
    steps = spawn.Manager().Queue()
    with (
        ProcessPoolExecutor(workers, spawn, _begin, (steps,)) as pool,
        tqdm(total=sum(p[1] for p in planned), desc=title, unit="step", mininterval=2) as bar,
    ):
        pending: dict[Future[None], str] = {pool.submit(_work, job, *given): name for name, _, job, given in planned}
        while pending:
            done, _ = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            with contextlib.suppress(queue.Empty):
                while True:
                    bar.update(steps.get_nowait())
            for future in done:
                name = pending.pop(future)
                try:
                    future.result()
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                tqdm.write(f"{time.strftime('%H:%M:%S')}  {name}")


def supervise(study: Study, seeds: list[int], workers: int) -> None:
    """Make the models that the arms start from, and judge the detector on them."""
    missing = [s for s in seeds if not study.file("supervised", "model", s).exists()]
    planned = [(f"supervised, seed {s}", supervised.EXPECTED, jobs.supervise, (study, s)) for s in missing]
    run_all("supervised", planned, workers)
    missing = [s for s in seeds if not study.file("examined", "model", s).exists()]
    run_all("detector", [(f"detector, seed {s}", 1, jobs.examine, (study, s)) for s in missing], workers)


def sized(study: Study, seed: int) -> float:
    """Return how many times GRPO's steps the longer arm takes; measured once for a study."""
    path = study.folder / "size.json"
    if not path.exists():
        jobs.write(path, jobs.size(study, seed))
    return float(json.loads(path.read_text()))


def reinforce(study: Study, names: list[str], seeds: list[int], workers: int) -> None:
    """Train arms. Seeds come first, so that an interrupted study has whole comparisons."""
    longer = sized(study, seeds[0])
    planned = []
    for seed in seeds:
        for name in names:
            if not study.file("arm", name, seed).exists():
                count = round(study.steps * longer) if arms.named(name).longer else study.steps
                planned.append((f"{name}, seed {seed}", count, jobs.reinforce, (study, name, seed, longer)))
    run_all("reinforcement", planned, workers)


def trl(folder: pathlib.Path, url: str) -> None:
    """Run TRL's trainer in its own environment, which `run` makes."""
    path = folder / "trl.json"
    if not path.exists():
        python = REPOSITORY / ".venv-trainer-trl/bin/python"
        subprocess.run([python, HERE / "trl_run.py", path], env=os.environ | {"PERCEPTION_URL": url}, check=True)


@contextlib.contextmanager
def server(binary: str, port: int) -> Iterator[str]:
    """A server for the study, with the page /live."""
    with serving.running(binary, "--port", str(port), *SERVER) as url:
        print(f"{url}/live shows the runs as they train", flush=True)
        yield url


def commit() -> str:
    """Return the commit that is checked out."""
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True).stdout.strip()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them without one")
    parser.add_argument("--smoke", action="store_true", help="a short form of everything but TRL, with assertions")
    parser.add_argument("--arm", action="append", help="this arm alone; may be given again")
    parser.add_argument("--seeds", type=int, nargs="+", help=f"default: {[*SEEDS]}, sweeps {[*SWEEP_SEEDS]}")
    parser.add_argument("--steps", type=int, default=reinforcement.STEPS, help="of reinforcement (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument("--url", help="of a server that runs, in place of one that is started")
    parser.add_argument("--port", type=int, default=PORT, help="of the server (default %(default)s)")
    parser.add_argument("--folder", type=pathlib.Path, default=REPOSITORY / ".training", help="of what is kept")
    return parser.parse_args()


def main() -> None:
    """Do what the command line says."""
    given = arguments()
    unknown = set(given.part) - set(PARTS)
    if unknown:
        raise SystemExit(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    binary = os.environ["PERCEPTION_SERVER_BINARY"]
    torch.set_num_threads(1)
    if given.smoke:
        import smoke

        return smoke.check(binary)
    parts = given.part or PARTS
    given.folder.mkdir(exist_ok=True)
    if SERVED & set(parts):
        with contextlib.nullcontext(given.url) if given.url else server(binary, given.port) as url:
            study_of = Study(given.folder, url, given.steps)
            seeds = given.seeds or [*SEEDS]
            supervise(study_of, seeds, given.workers)
            if "arms" in parts:
                reinforce(study_of, given.arm or [*arms.MAIN], seeds, given.workers)
            if "sweeps" in parts:
                reinforce(study_of, given.arm or arms.swept(), given.seeds or [*SWEEP_SEEDS], given.workers)
            if "mature" in parts:
                missing = [s for s in given.seeds or [*SWEEP_SEEDS] if not study_of.file("mature", "model", s).exists()]
                planned = [(f"mature, seed {s}", sum(jobs.LATER), jobs.mature, (study_of, s)) for s in missing]
                run_all("mature", planned, given.workers)
            if "trl" in parts:
                trl(given.folder, url)
    if "equality" in parts:
        import equality

        start = supervised.checkpoint(given.folder, SEEDS[0])
        jobs.write(given.folder / "equality.json", equality.compared(binary, start) | {
            "apart_float64": equality.apart_in_float64(binary, start)})
    if "report" in parts:
        import report

        report.write(given.folder, given.steps, commit())


if __name__ == "__main__":
    main()
