"""Batches that are kept for /live: on sockets, to the end of the process."""

import contextlib
import http.client
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import requests
import safetensors.numpy

import serving

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
VIEWS = ("original", "preserving", "removing")


@contextlib.contextmanager
def keeping(*arguments, count=3):
    with serving.started(BINARY, "--port", "0", "--log-level", "error", "--keep-recent", str(count), *arguments) as (
            process, lines):
        serving.wait_until_ready(lines.address)
        yield process, lines.address


def score(url, run="a", tokens=4, texts=None, **request):
    rng = np.random.default_rng(tokens)
    batch = {f"{view}.log_probs": -rng.random((2, tokens)).astype(np.float32) for view in VIEWS}
    batch |= {f"{view}.entropy": rng.random((2, tokens)).astype(np.float32) for view in ("original", "removing")}
    metadata = {"options": json.dumps({"gate": "none"})}
    if texts is not None:
        metadata["tokens"] = json.dumps(texts)
    reply = requests.post(
        url + "/v1/score", safetensors.numpy.save(batch, metadata), timeout=20,
        headers={"Content-Type": "application/x-safetensors", "Perception-Run": run}, **request)
    reply.raise_for_status()
    return batch, safetensors.numpy.load(reply.content)


class Watching:
    """The events of a stream, read on a thread of its own until it ends."""

    def __init__(self, url, **request):
        self.reply = requests.get(url + "/v1/live/events", stream=True, timeout=30, **request)
        self.events = []
        self.end = None
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {}
        try:
            for line in self.reply.iter_lines(chunk_size=1, decode_unicode=True):
                name, colon, value = line.partition(": ")
                if colon:
                    event[name] = value
                elif event.pop("retry", None) is None and event:
                    with self.changed:
                        self.events.append(event)
                        self.changed.notify_all()
                    event = {}
            self.end = "whole"
        except requests.RequestException as error:
            self.end = repr(error)

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.events) >= count, 20), self.events
            return self.events


def test_batches_are_kept_by_run_and_told_of_as_they_come():
    with keeping() as (_, url):
        watching = Watching(url)
        assert watching.reply.headers["Content-Type"] == "text/event-stream"
        assert watching.reply.headers["X-Accel-Buffering"] == "no"
        for run in ("a", "a", "b", "a", "a"):
            batch, said = score(url, run)
        events = watching.wait_for(5)
        assert [event["event"] for event in events] == ["batch"] * 5
        summaries = [json.loads(event["data"]) for event in events]
        assert [s["batch"] for s in summaries] == [1, 2, 3, 4, 5]
        listing = requests.get(url + "/v1/live", timeout=10).json()
        assert listing["viewers"] == 1 and [run["run"] for run in listing["runs"]] == ["a", "b"]
        assert listing["runs"][0]["batches"] == [summaries[1], summaries[3], summaries[4]]
        assert listing["runs"][0]["history"]["batch"] == [1, 2, 4, 5]
        kept = requests.get(url + "/v1/live/batches/5", headers={"Accept": "application/x-safetensors"}, timeout=10)
        tensors = safetensors.numpy.load(kept.content)
        assert tensors["cu_seqlens"].tolist() == [0, 4, 8]
        for name in batch:
            np.testing.assert_array_equal(tensors[name], batch[name].ravel())
        for name in ("mask", "delta_entropy", "token_loss", "grad.removing.log_probs"):
            np.testing.assert_array_equal(tensors[name], said[name].ravel())
        # On from where it was; from an event that is none of this server's.
        assert [e["id"] for e in Watching(url, headers={"Last-Event-ID": events[2]["id"]}).wait_for(2)] == [
            events[3]["id"], events[4]["id"]]
        assert Watching(url, headers={"Last-Event-ID": "x-1"}).wait_for(1)[0]["event"] == "lost"


@pytest.mark.parametrize("form", ["sequences", "tokens", "rewards"])
def test_advantages_are_kept_in_the_form_that_they_had(form):
    log_probs = {f"{view}.log_probs": np.full((2, 3), -1, np.float32) for view in VIEWS}
    batch = log_probs | {f"{view}.entropy": np.ones((2, 3), np.float32) for view in ("original", "removing")}
    batch["response_mask"] = np.array([[0, 1, 1], [1, 1, 0]], np.uint8)
    name = "rewards" if form == "rewards" else "advantages"
    given = {
        "sequences": np.array([1.5, -2], np.float32), "rewards": np.array([1, 0], np.float32),
        "tokens": np.array([[np.nan, 1.5, 1], [-2, -3, 9]], np.float32)}[form]
    options = {"preset": "bips-consistency", "gate": "reward"} if form == "rewards" else {}
    metadata = {"options": json.dumps(options)}
    with keeping() as (_, url):
        reply = requests.post(
            url + "/v1/score", safetensors.numpy.save(batch | {name: given}, metadata), timeout=20,
            headers={"Content-Type": "application/x-safetensors"})
        assert reply.ok, reply.text
        address = url + "/v1/live/batches/1"
        kept = safetensors.numpy.load(
            requests.get(address, headers={"Accept": "application/x-safetensors"}, timeout=10).content)[name]
        rollouts = requests.get(address, timeout=10).json()["rollouts"]
    if form == "tokens":
        assert kept.tolist() == [0, 1.5, 1, -2, -3, 0]
        assert [rollout[name] for rollout in rollouts] == [[0, 1.5, 1], [-2, -3, 0]]
    else:
        assert kept.tolist() == given.tolist()
        assert [rollout[name.removesuffix("s")] for rollout in rollouts] == given.tolist()


def test_texts_of_tokens_are_kept_however_strange():
    texts = [["<script>", "\u202e", "\n\n", ""], ["é", "\u0000", "'\"\\", "😀"]]
    with keeping() as (_, url):
        score(url, texts=texts)
        kept = requests.get(url + "/v1/live/batches/1", timeout=10).json()
        assert [rollout["tokens"] for rollout in kept["rollouts"]] == texts


def test_a_drain_ends_streams_at_once():
    with keeping("--shutdown-grace-seconds", "60") as (process, url):
        watching = [Watching(url) for _ in range(5)]
        score(url)
        for viewer in watching:
            viewer.wait_for(1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(serving.STOP_SECONDS) == 0
        assert time.monotonic() - began < 10
        for viewer in watching:
            viewer.thread.join(10)
            assert viewer.end == "whole"


def wait_for_metrics(url, condition):
    deadline = time.monotonic() + 10
    while not condition(requests.get(url + "/metrics", timeout=10).text):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_there_are_32_seats_and_who_leaves_gives_one_back():
    with keeping() as (_, url):
        leaving = requests.get(url + "/v1/live/events", stream=True, timeout=30)
        watching = [Watching(url) for _ in range(31)]
        refused = requests.get(url + "/v1/live/events", timeout=10)
        assert (refused.status_code, refused.json()["type"]) == (503, "busy")
        assert (refused.json()["limit_name"], refused.json()["limit"]) == ("viewers", 32)
        assert int(refused.headers["Retry-After"]) >= 1
        # All of them get what comes, with workers to spare.
        score(url)
        for viewer in watching:
            viewer.wait_for(1)
        wait_for_metrics(url, lambda text: "\nperception_live_viewers 32\n" in text and "\nperception_workers_busy 0\n" in text)
        leaving.close()
        wait_for_metrics(url, lambda text: "\nperception_live_viewers 32\n" not in text)
        assert Watching(url).reply.status_code == 200


def test_streams_outlive_the_limits_of_other_replies():
    with keeping("--request-timeout-seconds", "1", "--body-timeout-seconds", "1", "--min-bytes-per-second",
                 "1000000000") as (_, url):
        watching = Watching(url)
        time.sleep(4)
        for _ in range(10):
            # The limits are those of a machine that has nothing else to do.
            with contextlib.suppress(requests.RequestException):
                score(url)
                break
        assert watching.wait_for(1) and watching.end is None


def test_over_tls_and_with_a_token(tmp_path, identity):
    token = tmp_path / "token"
    token.write_text("open-sesame-1234\n")
    with serving.started(
            BINARY, "--port", "0", "--log-level", "error", "--keep-recent", "2", "--token-file", str(token),
            "--tls-certificate", str(identity[0]), "--tls-key", str(identity[1])) as (process, lines):
        url, known = lines.address, {"verify": str(identity[0])}
        serving.wait_until_ready(url, authority=str(identity[0]))
        for path in ("/v1/live", "/v1/live/batches/1", "/v1/live/events"):
            assert requests.get(url + path, timeout=10, **known).status_code == 401
        bearer = {"Authorization": "Bearer open-sesame-1234"}
        watching = Watching(url, headers=bearer, **known)
        reply = requests.post(
            url + "/v1/score", json={"rollouts": []}, headers=bearer, timeout=10, **known)
        assert reply.status_code == 200
        assert json.loads(watching.wait_for(1)[0]["data"])["sequences"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(serving.STOP_SECONDS) == 0
        watching.thread.join(10)
        assert watching.end == "whole"


def test_other_sites_and_unknown_names_are_refused():
    with keeping("--public-host", "Train.Example, other.example") as (_, url):
        def status(**headers):
            return requests.get(
                url + "/v1/live", headers={n.replace("_", "-"): v for n, v in headers.items()}, timeout=10).status_code

        assert status() == status(Host="train.example:1") == status(Host="other.example") == 200
        assert status(Host="evil.example") == status(Sec_Fetch_Site="cross-site") == status(Origin="http://evil.example") == 403
        # The page itself is the same for all.
        assert requests.get(url + "/live", headers={"Host": "evil.example"}, timeout=10).status_code == 200


@pytest.mark.parametrize("arguments, words", [
    (("--keep-recent", "0"), "--keep-recent must be from 1 to 256"),
    (("--keep-recent", "many"), "keep-recent"),
    (("--keep-recent", "3", "--keep-recent-bytes", "1000"), "--keep-recent-bytes must be at least"),
    (("--keep-recent", "3", "--memory-budget-bytes", "100000000"), "--keep-recent-bytes must be at most half"),
    (("--public-host", "http://x"), "--public-host must be host names"),
])
def test_options_that_cannot_be_are_named(arguments, words):
    done = serving.finished(BINARY, "serve", "--port", "0", *arguments)
    assert done.returncode == 64 and words in done.stderr


def test_what_is_kept_is_taken_from_the_budget():
    with keeping("--memory-budget-bytes", str(1 << 30), "--keep-recent-bytes", str(100 << 20)) as (_, url):
        limits = requests.get(url + "/v1/info", timeout=10).json()["limits"]
        assert (limits["keep_recent"], limits["keep_recent_bytes"]) == (3, 100 << 20)
        assert limits["memory_budget_bytes"] == (1 << 30) - (100 << 20)
        assert f"\nperception_recent_limit_bytes {100 << 20}\n" in requests.get(url + "/metrics", timeout=10).text


def test_nothing_is_kept_unless_it_is_asked_for(server, http):
    for path in ("/v1/live", "/v1/live/batches/1", "/v1/live/events"):
        reply = http.get(server + path, timeout=10)
        assert reply.status_code == 404 and "--keep-recent" in reply.json()["detail"]


def test_the_answer_to_head_of_events_has_no_body():
    with keeping() as (_, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("HEAD", "/v1/live/events")
        reply = connection.getresponse()
        assert (reply.status, reply.read(), reply.headers["Content-Type"]) == (200, b"", "text/event-stream")
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
