"""Files of the shared directory under a running server, whatever their owner does to them meanwhile."""

import os
import threading

import numpy as np
import pytest
import requests

import serving
import wire

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


def test_a_file_that_is_cut_off_while_it_is_read_ends_nothing_but_its_request(tmp_path):
    path = tmp_path / "logits"
    whole = wire.write({"logits": wire.Stored.of(np.zeros((64, 50_000), np.float32))})
    size = len(whole)
    statuses = set()
    with serving.running(BINARY, "--shared-dir", str(tmp_path), "--log-level", "notice") as url:
        for turn in range(60):
            path.write_bytes(whole)
            cut = threading.Timer(turn % 12 / 4000, os.truncate, (path, size // (turn % 7 + 2)))
            cut.start()
            statuses.add(requests.post(f"{url}/v1/entropy?input_file=logits", timeout=20).status_code)
            cut.join()
        # Read to the end, found malformed because it was short already, or changed in between: always an answer.
        assert statuses <= {200, 400, 409} and statuses - {200}, statuses
        path.write_bytes(whole)
        reply = requests.post(f"{url}/v1/entropy?input_file=logits", timeout=20)
        assert np.allclose(wire.read(reply.content)[0]["entropy"].values, np.log(50_000))


ESCAPES = [
    "..%2Fsecret", "%2e%2e%2fsecret", "..%252Fsecret", "shared%2F..%2F..%2Fsecret", "%2Fetc%2Fpasswd", "/etc/passwd",
    "%2Fproc%2Fself%2Fenviron", "batch%00", "batch%00.safetensors", "%00", ".", "..", "...", "%20batch", "batch%20", "batch%0A",
    "..%5Csecret", "..%EF%BC%8Fsecret", "%EF%BC%8E%EF%BC%8E", "%C0%AE%C0%AE%2Fsecret", "~", "n" * 201, "n" * 5000, "",
    "soft", "hard", "folder", "pipe", "socket", ".hidden",
]


@pytest.mark.parametrize("parameter", ["input_file", "output_file"])
def test_no_name_leads_out_of_the_shared_directory(tmp_path, parameter):
    shared = tmp_path / "shared"
    (shared / "folder").mkdir(parents=True)
    batch = wire.write({"logits": wire.Stored.of(np.zeros((2, 3), np.float32))})
    for path in (tmp_path / "secret", tmp_path / "linked", shared / "batch", shared / ".hidden"):
        path.write_bytes(batch)
    (shared / "soft").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "linked", shared / "hard")
    os.mkfifo(shared / "pipe")
    os.mknod(shared / "socket", 0o140600)
    before = {path for path in tmp_path.rglob("*")}
    with serving.running(BINARY, "--shared-dir", str(shared), "--log-level", "notice") as url:
        def ask(name):
            query = f"{parameter}={name}"
            content = batch if parameter == "output_file" else b""
            return requests.post(
                f"{url}/v1/entropy?{query}", content, headers={"Content-Type": wire.MEDIA_TYPE}, timeout=20)

        assert ask("batch").status_code == 200
        for name in ESCAPES:
            # Writing takes the place of a link, a pipe or a socket, and follows none.
            if parameter == "output_file" and name in ("soft", "hard", "pipe", "socket"):
                assert ask(name).status_code == 200, name
                continue
            reply = ask(name)
            assert reply.status_code in (400, 422), (name, reply.status_code)
            assert reply.json()["type"] in ("malformed-request", "invalid-shared-file"), (name, reply.text)
            assert str(tmp_path) not in reply.text
    assert {path for path in tmp_path.rglob("*")} == before
    assert all((tmp_path / name).read_bytes() == batch for name in ("secret", "linked"))


@pytest.mark.parametrize("options", [
    {"estimator": "full_kl"}, {"estimator": "jsd", "entropy_coefficients": '{"original": 0.2}'}], ids=["alone", "summed"])
def test_gradients_as_bf16_take_half_the_file(tmp_path, options):
    random = np.random.default_rng(4)
    tensors = {f"{v}.logits": random.normal(0, 2, (24, 5003)).astype(np.float32) for v in wire.VIEWS}
    tensors |= {"cu_seqlens": np.array([0, 24], np.int32), "token_ids": random.integers(0, 5003, 24)}
    (tmp_path / "batch").write_bytes(wire.write({name: wire.Stored.of(values) for name, values in tensors.items()}))
    made = {}
    with serving.running(BINARY, "--shared-dir", str(tmp_path), "--log-level", "notice") as url:
        for kind in ("F32", "BF16"):
            query = {"input_file": "batch", "output_file": kind, "detector": "none", "gate": "none", "result_type": kind}
            reply = requests.post(f"{url}/v1/score", params=query | options, timeout=60)
            assert reply.status_code == 200, reply.text
            made[kind] = (tmp_path / kind).read_bytes()
            assert reply.json()["output_bytes"] == len(made[kind])
    numbers = 3 * 24 * 5003
    for kind, size in (("F32", 4), ("BF16", 2)):
        assert size * numbers < len(made[kind]) < size * numbers + 8192
    wide, narrow = (wire.read(made[kind])[0] for kind in ("F32", "BF16"))
    for name in (f"grad.{view}.logits" for view in wire.VIEWS):
        bits = wide[name].values.view(np.uint32)
        assert narrow[name].data == ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16).tobytes(), name


def test_rows_of_a_packed_batch_may_be_known_after_its_logits_and_advantages():
    random = np.random.default_rng(3)
    tensors = {"token_ids": np.array([0, 3, 1, 4, 2, 0], np.int64), "advantages": np.ones(2, np.float32)}
    tensors |= {f"{view}.logits": random.normal(size=(6, 5)).astype(np.float32) for view in wire.VIEWS}
    tensors["cu_seqlens"] = np.array([0, 2, 6], np.int32)
    first = {k: tensors[k] for k in ("cu_seqlens", *(k for k in tensors if k != "cu_seqlens"))}
    with serving.running(BINARY) as url:
        replies = [
            requests.post(
                f"{url}/v1/score", wire.write({k: wire.Stored.of(v) for k, v in order.items()}),
                headers={"Content-Type": wire.MEDIA_TYPE}, timeout=20) for order in (tensors, first)]
    assert [reply.status_code for reply in replies] == [200, 200], replies[0].text
    assert replies[0].content == replies[1].content
