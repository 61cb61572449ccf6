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
