"""Long pictures beside short ones, and readers that do not read: everybody else goes on."""

import contextlib
import threading
import time
import urllib.parse

import client
import pictures
import scoring
from checked import Kind
from claims import megabytes, percentile
from server import Server, drain_checks

MIB = 1 << 20
BUDGET = 256 * MIB
READERS = 100


def worst(side):
    """Long for their size: one square after the other, and what looks at every place for each pixel."""
    picture = pictures.flat(side, side)
    steps = [
        '[{"step":"black_square_cover","patch":1,"coverage":0.99,"cover_seed":1}]', '[{"step":"gaussian_blur","kernel_size":99,"sigma":30}]',
        '[{"step":"patch_shuffle","patch":1,"shuffle_seed":1}]', '[{"step":"rotation","degrees":45}]']
    return [client.request("POST", "/v1/perturb?level=9&steps=" + urllib.parse.quote(text), picture, [("Content-Type", "image/png")])
            for text in steps]


def timed(server, request, until, times, lost, pause):
    """Sends it over and over on one connection."""
    kept = None
    while not until():
        try:
            kept = kept or server.connect()
            begin = time.monotonic()
            kept.send(request)
            reply = kept.reply()
            times.append(time.monotonic() - begin)
            if reply.status != 200:
                lost.append(f"{reply.status} {reply.body[:120]}")
        except (OSError, client.Broken) as error:
            lost.append(repr(error))
            kept = None
        time.sleep(pause)


def beside(server, requests, until):
    """Times of each kind of request while `until` says no: {name: (p50, p99, count)} in ms, and what was lost."""
    found, lost, threads = {}, [], []
    for name, (request, pause) in requests.items():
        times = found[name] = []
        threads.append(threading.Thread(target=timed, args=(server, request, until, times, lost, pause)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = {name: (1000 * percentile(t, 0.5), 1000 * percentile(t, 0.99), len(t)) for name, t in found.items() if t}
    return shown, lost


def words(shown):
    return ", ".join(f"{name} {p50:.1f} and {p99:.1f} ms of {count}" for name, (p50, p99, count) in shown.items())


def small():
    """Name: what is sent, and the pause between two of them."""
    picture = pictures.picture(512, 384, 3)
    perturb = client.request(
        "POST", "/v1/perturb?recipe=cppo-removing&seed=1", picture, [("Content-Type", "image/png")])
    return {
        "perturb": (perturb, 0.02), "healthz": (client.request("GET", "/healthz"), 0.02),
        "score": (scoring.compact(2, 60, 1).bytes, 0.02)}


def long_work(claims, binary, seconds):
    with Server(binary, "--max-image-pixels", "50000000") as server:
        alone_end = time.monotonic() + 4
        alone, lost = beside(server, small(), lambda: time.monotonic() > alone_end)
        claims.note(f"alone: {words(alone)}")
        end = time.monotonic() + seconds
        busy, refused = [], []

        def hold(request):
            # Its client leaves in the end; until then there are always four.
            while time.monotonic() < end:
                with contextlib.suppress(OSError, client.Broken), server.connect(end - time.monotonic() + 1) as one:
                    one.send(request)
                    reply = one.reply()
                    if reply.status != 200:
                        refused.append(f"{reply.status} {reply.body[:200]}")
                        return

        for request in worst(7071):
            busy.append(threading.Thread(target=hold, args=(request,)))
            busy[-1].start()
        time.sleep(0.5)
        shown, lost = beside(server, small(), lambda: time.monotonic() > end)
        for thread in busy:
            thread.join()
        for name, limit in (("perturb", 100), ("healthz", 50), ("score", 50)):
            p99 = shown.get(name, (0, 1e9, 0))[1]
            claims.claim(f"beside four of the longest pictures of 50 megapixels: p99 of {name} below {limit} ms",
                         p99 < limit, f"{p99:.1f} ms")
        claims.claim("the long ones are legal, and taken", not refused, str(refused[:1]))
        claims.claim("none of them was lost", not lost, str(lost[:2]) if lost else words(shown))
        claims.claim("the long ones end with their clients", server.idle(120))
        drain_checks(claims, server, "long work: ")


def many_views(side, views):
    """A streamed reply that is far larger than what is sent."""
    request = {"format": "raw", "views": [{"name": f"v{i}", "recipe": "cppo-removing", "seed": i} for i in range(views)]}
    body, media_type = pictures.form(request, (pictures.flat(side, side), "image/png"))
    return client.request("POST", "/v1/perturb", body, [("Content-Type", media_type), ("Accept", "multipart/mixed")])


def slow_readers(claims, binary, seconds):
    """A hundred that ask for much and read nothing, beside honest ones."""
    options = ("--memory-budget-bytes", str(BUDGET), "--max-body-bytes", str(BUDGET), "--body-timeout-seconds", "60")
    with Server(binary, *options) as server:
        baseline = server.resident()
        honest = Kind("raw view", "POST", "/v1/perturb?format=raw&steps=[]", pictures.picture(1024, 768, 2), "image/png")
        honest.learn(server)
        deaf = []
        for index in range(READERS):
            with contextlib.suppress(OSError):
                one = client.Client(server.address, 30, receive_buffer=4096)
                one.send(many_views(1400, 40))
                deaf.append(one)
        asked = many_views(1400, 4)
        end = time.monotonic() + seconds
        peak = 0

        def until():
            nonlocal peak
            peak = max(peak, server.peak_since_last())
            return time.monotonic() > end

        time.sleep(3)
        requests = {"raw view": (honest.bytes, 0.05), "streamed": (asked, 0.05), "healthz": (client.request("GET", "/healthz"), 0.05)}
        shown, lost = beside(server, requests, until)
        m = server.metrics()
        held, limit = m.get("perception_slow_reader_bytes", -1), m.get("perception_slow_reader_limit_bytes", BUDGET / 4)
        claims.claim(f"{len(deaf)} readers that read nothing hold no more than their share", 0 <= held <= limit,
                     f"{megabytes(held)} of {megabytes(limit)}; all claims {megabytes(m['perception_memory_budget_used_bytes'])} of {megabytes(BUDGET)}")
        served = sum(count for _, _, count in shown.values())
        claims.claim("honest clients beside them are served", not lost, f"{len(lost)} of {served} refused {lost[:1]}; {words(shown)}")
        claims.claim("resident memory stays below 1.25 times the budget, and that at rest", peak <= baseline + 1.25 * BUDGET + READERS * (256 << 10),
                     f"peak {megabytes(peak)}, at rest {megabytes(baseline)}")
        for one in deaf:
            one.reset()
        claims.claim("all of the budget is free when they have gone", server.idle(30))
        drain_checks(claims, server, "slow readers: ")


def every_thread_count(claims, binary):
    """One photograph of 50 megapixels, streamed."""
    for threads in (1, 16, 64):
        with Server(binary, "--threads", str(threads), "--memory-budget-bytes", str(1 << 30)) as server, server.connect(120) as one:
            one.send(many_views(7071, 1))
            reply = one.reply()
            claims.claim(f"a picture of 50 megapixels is streamed with --threads {threads} under 1 GiB",
                         reply.status == 200 and len(reply.body) > 3 * 7071 * 7071 // 2, f"{reply!r} {reply.body[:200] if reply.status != 200 else ''}")


def run(claims, binary, seconds=15):
    every_thread_count(claims, binary)
    long_work(claims, binary, seconds)
    slow_readers(claims, binary, seconds)
