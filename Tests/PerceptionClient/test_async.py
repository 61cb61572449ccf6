"""AsyncPerception: the same methods, the same results, the same patience."""

import asyncio
import inspect
import pickle
import time

import numpy as np
import pytest
import serving
import tls
from PIL import Image

from perception_client import AsyncPerception, InvalidRequest, Overloaded, Perception, Unreachable
from scripted import free_port, scripted


def busy(request):
    request.problem(503, Retry_After="0")


def run(coroutine):
    return asyncio.run(coroutine)


def test_it_has_every_method_of_the_synchronous_one_with_the_same_arguments():
    def public(kind):
        return {n: m for n, m in inspect.getmembers(kind) if callable(m) and not n.startswith("_")}

    ours, theirs = public(AsyncPerception), public(Perception)
    assert set(ours) | {"local"} == set(theirs)  # a server is started at once or not at all
    for name, method in ours.items():
        if name in ("loss", "objective"):
            continue  # these pass all their arguments on
        assert list(inspect.signature(method).parameters) == list(inspect.signature(theirs[name]).parameters), name


def test_every_method_gives_what_the_synchronous_one_gives(url, batch):
    client = Perception(url)

    async def use():
        async with AsyncPerception(url, deadline=20) as a:
            assert (await a.info()).version == client.info().version
            assert set(await a.presets()) == set(client.presets())
            assert set((await a.recipes()).steps) == set(client.recipes().steps)
            score = await a.score(**batch)
            assert score.loss == client.score(**batch).loss
            assert score.mask.flags.writeable
            given = {k: v for k, v in batch.items() if k != "log_probs"}
            assert np.array_equal((await a.mask(**given)).mask, score.mask)
            assert await a.count(**given, tau=0.5) == score.gated
            assert (await a.entropy(np.zeros((1, 2, 3), "f4"))).entropy[""].shape == (1, 2)
            assert (await a.advantages([1, 0], ["a", "a"])).advantages.shape == (2,)
            assert (await a.sheet("cppo-removing", draws=1)).png == client.sheet("cppo-removing", draws=1).png
            image = Image.new("RGB", (56, 56), (1, 2, 3))
            mine = (await a.views([image], seed=2)).removing[0]
            assert mine.tobytes() == client.views([image], seed=2).removing[0].tobytes()

    run(use())


def test_many_calls_at_once(url, batch):
    async def use():
        async with AsyncPerception(url, deadline=30) as a:
            scores = await asyncio.gather(*(a.score(**batch, tau=0.1 + k / 100) for k in range(40)))
            assert [round(s.options["tau"], 2) for s in scores] == [round(0.1 + k / 100, 2) for k in range(40)]

    run(use())


def test_passing_faults_are_tried_again_and_refusals_are_not():
    async def use(script, **more):
        async with AsyncPerception(script.url, **({"deadline": 10} | more)) as a:
            return await a.presets()

    with scripted(busy, lambda r: r.hang_up()) as script:
        run(use(script))
        assert len(script.requests) == 3
    with scripted(default=busy) as script:
        with pytest.raises(Overloaded, match="503 busy: busy here"):
            run(use(script, deadline=1))
    with scripted(lambda r: r.problem(422, "told-you")) as script:
        with pytest.raises(InvalidRequest, match="422 told-you"):
            run(use(script))
        assert len(script.requests) == 1
    with pytest.raises(Unreachable, match="no answer after"):
        run(AsyncPerception(f"http://127.0.0.1:{free_port()}", deadline=0.4).presets())


def test_other_coroutines_run_while_one_waits_to_try_again():
    async def use(script):
        ticks = []

        async def tick():
            while True:
                ticks.append(time.monotonic())
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        async with AsyncPerception(script.url, deadline=10) as a:
            await a.presets()
        ticking.cancel()
        return len(ticks)

    with scripted(lambda r: r.problem(503, Retry_After="1")) as script:
        assert run(use(script)) > 30


def test_two_event_loops_one_client(url):
    a = AsyncPerception(url)
    assert run(a.advantages([1, 0], [1, 1])).advantages.shape == (2,)
    assert run(a.advantages([1, 0], [1, 1])).advantages.shape == (2,)
    assert run(pickle.loads(pickle.dumps(a)).info()).version


def test_unix_sockets_tls_and_tokens(binary, tmp_path):
    path = tmp_path / "p.sock"
    with serving.started(binary, "--listen", f"unix:{path}"):
        assert run(AsyncPerception(f"unix:{path}").info()).tls is False
    identity = tls.certificate(tmp_path, "server", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    token = {"PERCEPTION_TOKENS": "secret-token-1"}
    with serving.running(binary, *tls.options(identity), authority=identity[0], **token) as url:
        assert run(AsyncPerception(url, "secret-token-1", authority=identity[0]).info()).tls
        started = time.monotonic()
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            run(AsyncPerception(url, deadline=30).info())
        assert time.monotonic() - started < 5


def test_large_bodies_are_sent_in_pieces(url):
    logits = np.random.default_rng(0).normal(size=(4, 128, 4096)).astype("f4")

    async def use():
        async with AsyncPerception(url) as a:
            return (await a.entropy(logits)).entropy[""]

    assert np.array_equal(run(use()), Perception(url).entropy(logits).entropy[""])
