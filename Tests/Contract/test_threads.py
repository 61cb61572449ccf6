"""A server makes all its threads at its start: later there may be none to be had."""

import io
import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import requests
from PIL import Image
from safetensors.numpy import save

import serving

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


def picture(width, height):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def heavy(url):
    """Work of every kind: pictures, short, long and streamed, numbers that all cores share, and a shared-out batch."""
    kept = {"timeout": 120}
    logits = save({"logits": np.random.default_rng(2).normal(size=(64, 20_000)).astype(np.float32)})
    views = {"views": [{"name": f"v{i}", "recipe": "cppo-removing", "seed": i} for i in range(8)]}
    parts = {"images": ("a.png", picture(1200, 900), "image/png"), "request": (None, json.dumps(views), "application/json")}
    yield requests.post(url + "/v1/perturb?recipe=cppo-removing", picture(512, 384), headers={"Content-Type": "image/png"}, **kept)
    yield requests.post(url + "/v1/perturb?recipe=noisyrollout&level=9", picture(1500, 1500), headers={"Content-Type": "image/png"}, **kept)
    yield requests.post(url + "/v1/perturb", files=parts, **kept)
    yield requests.post(url + "/v1/perturb", files=parts, headers={"Accept": "multipart/mixed"}, **kept)
    yield requests.get(url + "/v1/recipes/cppo-removing/preview?draws=8", **kept)
    yield requests.post(url + "/v1/entropy", logits, headers={"Content-Type": "application/x-safetensors"}, **kept)


def threads(process):
    return {name.name for name in pathlib.Path(f"/proc/{process.pid}/task").iterdir()}


@pytest.mark.parametrize("count", ["1", "3"])
def test_no_thread_is_made_after_the_start(count):
    with serving.started(BINARY, "--port", "0", "--threads", count) as (process, lines):
        serving.wait_until_ready(lines.address)
        before = threads(process)
        for reply in heavy(lines.address):
            assert reply.status_code == 200, reply.text[:300]
        assert threads(process) == before


def limited(count):
    """A command before the server's: a user whom nobody else is, and who may have so many threads. Root has no limit."""
    if not shutil.which("setpriv") or os.geteuid() != 0:
        pytest.skip("needs root and setpriv")
    command = ["setpriv", "--reuid", "54321", "--clear-groups", "prlimit", f"--nproc={count}", BINARY]
    if subprocess.run([*command, "--version"], capture_output=True).returncode:
        pytest.skip("the binary lies where only root may run it")
    return command


def test_a_server_with_as_many_threads_as_it_may_have_serves_everything():
    with serving.started(BINARY, "--port", "0") as (process, lines):
        serving.wait_until_ready(lines.address)
        count = len(threads(process))
    process = subprocess.Popen(
        [*limited(count), "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=serving.environment())
    try:
        lines = serving.Lines(process.stdout)
        assert lines.wait_for("listening on", 20), "".join(lines.seen)
        serving.wait_until_ready(lines.address)
        for reply in heavy(lines.address):
            assert reply.status_code == 200, reply.text[:300]
        assert len(threads(process)) == count
    finally:
        process.terminate()
        assert process.wait(20) == 0
    # With one fewer it does not pretend.
    ended = subprocess.run(
        [*limited(count - 1), "serve", "--port", "0"], capture_output=True, text=True, timeout=20, env=serving.environment())
    assert ended.returncode == 1
    assert "threads" in ended.stderr and len(ended.stderr.splitlines()) == 1, ended.stderr
