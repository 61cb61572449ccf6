"""What a client is told: addresses, tokens, authorities, names of runs; and that it needs nothing but NumPy."""

import os
import pickle
import subprocess
import sys
import time

import pytest
import serving
import tls

from perception_client import Perception, Unauthorized, Unreachable
from scripted import scripted


def test_run_names_of_any_text_reach_the_server():
    with scripted() as script:
        for run in ("geo3k-seed3", "lr=1e-6 β=0.1", "x" * 100):
            Perception(script.url, run=run).presets()
        names = [r.headers["Perception-Run"] for r in script.requests]
        assert names[0] == "geo3k-seed3" and names[1].startswith("lr_1e-6___0.1-") and len(names[2]) == 64
        assert names[1] != "lr_1e-6___0.1"


def test_environment_variables_and_the_token(monkeypatch):
    with scripted() as script:
        monkeypatch.setenv("PERCEPTION_URL", script.url)
        monkeypatch.setenv("PERCEPTION_TOKEN", "environment-token")
        Perception().presets()
        Perception(token="argument-token").presets()
        assert [r.headers["Authorization"] for r in script.requests] == [
            "Bearer environment-token", "Bearer argument-token",
        ]  # fmt: skip


def test_a_token_the_server_wants(binary):
    with serving.running(binary, PERCEPTION_TOKENS="secret-token-1") as url:
        assert Perception(url, token="secret-token-1").info().version
        with pytest.raises(Unauthorized, match="401 unauthorized"):
            Perception(url, deadline=5).info()


@pytest.mark.parametrize("wrong", ["127.0.0.1:8080", "ftp://x", "unix:", "http://user:pw@host", "http://", ""])
def test_addresses_that_are_none(wrong):
    with pytest.raises(ValueError):
        Perception([wrong])


def test_a_unix_socket(binary, tmp_path):
    path = tmp_path / "perception.sock"
    with serving.started(binary, "--listen", f"unix:{path}"):
        client = Perception(f"unix:{path}", deadline=10)
        assert client.info().tls is False
        assert client.advantages([1, 0], [1, 1]).advantages.shape == (2,)


def test_tls_with_the_certificates_own_authority(binary, tmp_path):
    identity = tls.certificate(tmp_path, "server", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    with serving.running(binary, *tls.options(identity), authority=identity[0]) as url:
        assert Perception(url, authority=identity[0], deadline=10).info().tls is True
        started = time.monotonic()
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            Perception(url, deadline=30).info()
        assert time.monotonic() - started < 5, "an unknown certificate will not become known by waiting"


def test_a_pickled_client_keeps_its_settings(url):
    client = Perception(url, run="a", token="some-token-x", on_error="skip")
    client.info()
    again = pickle.loads(pickle.dumps(client))
    assert again.settings.run == "a" and again.on_error == "skip" and again.info().version


def test_the_core_imports_neither_torch_nor_jax_nor_pillow_nor_httpx():
    code = "import sys, perception_client; print([m for m in ('torch', 'jax', 'PIL', 'httpx', 'safetensors') if m in sys.modules])"
    path = os.pathsep.join(sys.path)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert run.stdout.strip() == "[]", run.stderr
