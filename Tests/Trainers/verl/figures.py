"""Figures of the adapter for verl, on this machine: python figures.py URL. Each line says what it is.

Memory is what the process grows by during a step of a larger model, above what it has before; each in a process of its own.
"""

import importlib.util
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
kept = []  # the installed client goes with the module that installed it
for name, file in (("shared", HERE.parent / "conftest.py"), ("own", HERE / "conftest.py")):
    spec = importlib.util.spec_from_file_location(name, file)
    kept.append(importlib.util.module_from_spec(spec))
    spec.loader.exec_module(kept[-1])

import os

import torch

import tiny_model

# Activations of 8 sequences of some 60 tokens: more than parameters and gradients.
LARGER = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 16, "num_key_value_heads": 4}
PATCHES = 28 * 28 * 1000


def resident(field):
    """VmRSS or VmHWM of this process in megabytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def prepared(url, mode, folder, **text):
    import mini_batch
    import training

    from perception_client.trainers.settings import TrainerSettings

    os.environ |= {"PERCEPTION_URL": url, "PERCEPTION_MODE": mode if mode != "alone" else "direct"}
    if mode == "alone":
        os.environ.pop("VERL_ENGINE_VENDOR")
    torch.distributed.init_process_group("gloo", rank=0, world_size=1)
    words = tiny_model.processor()
    words.save_pretrained(folder)
    tiny_model.model(words.tokenizer, spread=1.0 if text else 3.0, **text).save_pretrained(folder)
    views = None if mode == "alone" else mini_batch.views(words, TrainerSettings.of())
    rows = mini_batch.sequences(words, rollouts=(0, 2) * 4, views=views)
    return training.engine(folder), mini_batch.tensordict(rows, words, micro_batch_size_per_gpu=8)


def memory(url, mode, folder):
    import training

    engine, data = prepared(url, mode, folder, **LARGER)
    training.steps(engine, data, 1)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    training.steps(engine, data, 1)
    print(f"{resident('VmHWM') - before:.0f}")


def step(url, mode, folder):
    import training

    engine, data = prepared(url, mode, folder)
    training.steps(engine, data, 2)
    client, spent = (None, []) if mode == "alone" else (engine.perception.client, [])
    if client is not None:
        send = client.send

        def timed(call):
            start = time.perf_counter()
            try:
                return send(call)
            finally:
                spent.append(time.perf_counter() - start)

        client.send = timed
    lasted = []
    for _ in range(15):
        start = time.perf_counter()
        training.steps(engine, data, 1)
        lasted.append(time.perf_counter() - start)
    asked = f", of which {statistics.median(spent) * 1e3:.2f} ms the client, {client.last.server_ms:.2f} ms the server" if spent else ""
    print(f"{statistics.median(lasted) * 1e3:.0f} ms{asked}")


def waiting(url, generation, folder):
    from perception_client.trainers.settings import TrainerSettings
    from perception_client.trainers.verl.rollouts import WorkerViews

    views = WorkerViews(tiny_model.processor(max_pixels=PATCHES), TrainerSettings(url=url))
    pictures = tiny_model.pictures(16, sizes=((364, 365), (168, 169)))
    views.of(pictures[:1], 0, None)
    waited = []
    for number in range(8):
        pair = pictures[number * 2 : number * 2 + 2]
        views.start(pair, 1)
        time.sleep(float(generation))
        waited.append(views.of(pair, 1, None).waited)
    print(f"{statistics.median(waited) * 1e3:.1f} ms")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        with tempfile.TemporaryDirectory() as folder:
            globals()[sys.argv[2]](sys.argv[1], sys.argv[3], folder)
        sys.exit()
    for what, way, said in (
        ("memory", "alone", "MB of a step, verl alone"), ("memory", "direct", "MB, direct"),
        ("memory", "grad_cache", "MB, grad_cache"), ("step", "alone", "a step of verl alone"), ("step", "direct", "a step, direct"),
        ("step", "grad_cache", "a step, grad_cache"), ("waiting", "0", "two pictures of 364 × 168, views asked for at the end"),
        ("waiting", "1", "asked for 1 s before"),
    ):  # fmt: skip
        # Memory that is free goes back to the system, so that the resident set is what is in use.
        returned = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"} if what == "memory" else {}
        done = subprocess.run(
            [sys.executable, __file__, sys.argv[1], what, way], capture_output=True, text=True, env=os.environ | returned)
        lines = done.stdout.strip().splitlines()
        print(f"{said}: {lines[-1] if done.returncode == 0 else done.stderr[-2000:]}", flush=True)
