"""Large requests as files beside a server on the same machine."""

import numpy as np
import pytest
import serving

from perception_client import InvalidRequest, Perception


@pytest.fixture(scope="module")
def beside(binary, tmp_path_factory):
    """(address, folder) of a server with a shared folder."""
    folder = tmp_path_factory.mktemp("shared")
    with serving.running(binary, "--shared-dir", str(folder)) as url:
        yield url, folder


def logits():
    return np.random.default_rng(1).normal(size=(2, 300, 4000)).astype("f4")


def counted(client):
    """Bytes that each request has sent over the connection."""
    sent = []
    send = client._transport.send
    client._transport.send = lambda call: sent.append(call.length) or send(call)
    return sent


def test_logits_go_through_files_and_give_the_same(beside):
    url, folder = beside
    client = Perception(url, shared_dir=folder)
    client.info()
    sent = counted(client)
    ids = np.arange(600).reshape(2, 300)
    found = client.entropy(logits(), token_ids=ids)
    expected = Perception(url).entropy(logits(), token_ids=ids)
    assert sent == [0]
    assert np.array_equal(found.entropy[""], expected.entropy[""])
    assert np.array_equal(found.log_probs[""], expected.log_probs[""])
    assert found.entropy[""].flags.writeable and found.options == expected.options and found.server_ms
    assert list(folder.iterdir()) == []


def test_gradients_of_logits_come_through_files(beside):
    url, folder = beside
    r = np.random.default_rng(2)
    given = {v: r.normal(size=(2, 40, 6000)).astype("f4") for v in ("original", "preserving", "removing")}
    found = Perception(url, shared_dir=folder).score(logits=given, preset="cppo-paper", gate="none")
    expected = Perception(url).score(logits=given, preset="cppo-paper", gate="none")
    assert found.loss == expected.loss and found.gated == expected.gated > 0
    for view, gradient in expected.grad_logits.items():
        assert np.array_equal(found.grad_logits[view], gradient)
    assert list(folder.iterdir()) == []


def test_small_requests_and_others_do_not(beside, batch):
    url, folder = beside
    client = Perception(url, shared_dir=folder)
    client.info()
    sent = counted(client)
    client.score(**batch)
    client.presets()
    assert sent[0] > 1000 and list(folder.iterdir()) == []


def test_a_refused_request_leaves_no_file(beside):
    url, folder = beside
    bad = logits()
    bad[1, 7, 9] = np.nan
    with pytest.raises(InvalidRequest, match="non-finite"):
        Perception(url, shared_dir=folder).entropy(bad)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_the_servers(beside, tmp_path):
    url, _ = beside
    with pytest.raises(InvalidRequest, match="invalid-shared-file"):
        Perception(url, shared_dir=tmp_path).entropy(logits())
    with pytest.raises(FileNotFoundError):
        Perception(url, shared_dir=tmp_path / "nowhere").entropy(logits())
    assert list(tmp_path.iterdir()) == []
