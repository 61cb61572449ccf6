"""More connections than --max-connections, thousands of quick connects, and 5,000 that rest."""

import contextlib
import random
import socket
import threading
import time

import client
import scoring
from claims import megabytes, percentile
from server import Server, drain_checks

LIMIT = 64


def knock(server, held):
    """One connection with a request: (status or None, seconds)."""
    begin = time.monotonic()
    try:
        one = server.connect(10)
        held.append(one)
        with contextlib.suppress(OSError):
            one.send(client.request("GET", "/healthz"))
        reply = one.reply()
        if reply.status == 503 and "retry-after" not in reply.headers:
            return "503 without Retry-After", time.monotonic() - begin
        return reply.status, time.monotonic() - begin
    except client.Refused:
        return "closed", time.monotonic() - begin
    except (OSError, client.Broken) as error:
        return repr(error), time.monotonic() - begin


def over_the_limit(claims, binary, connects):
    with Server(binary, "--max-connections", str(LIMIT)) as server:
        files = server.files()
        held = []
        answers = [knock(server, held) for _ in range(3 * LIMIT)]
        statuses = [a for a, _ in answers]
        slowest = max(t for _, t in answers)
        claims.claim(f"of {3 * LIMIT} connections held open, {LIMIT} are served and the others get 503 with Retry-After",
                     statuses.count(200) in (LIMIT, LIMIT - 1) and set(statuses) == {200, 503},
                     f"{statuses.count(200)} and {statuses.count(503)}, slowest {slowest * 1000:.0f} ms, {set(statuses)}")
        claims.claim("nobody waits longer than 1 s", slowest < 1, f"{slowest:.3f} s")
        for one in held:
            one.close()
        claims.claim("their places are free again", server.wait_for(lambda: server.get("/healthz").status == 200, 5))
        found, lock = [], threading.Lock()

        def storm(count, seed):
            chance, mine = random.Random(seed), []
            for _ in range(count):
                held = []
                mine.append(knock(server, held))
                for one in held:
                    one.reset() if chance.random() < 0.3 else one.close()
            with lock:
                found.extend(mine)

        threads = [threading.Thread(target=storm, args=(connects // 8, seed)) for seed in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        odd = [a for a, _ in found if a not in (200, 503)]
        slowest = max(t for _, t in found)
        claims.claim(f"{len(found)} quick connects: each answered", not odd and len(found) == connects // 8 * 8,
                     f"slowest {slowest * 1000:.0f} ms" if not odd else f"{len(odd)} were not: {odd[:3]}")
        claims.claim("none of them waits longer than 1 s", slowest < 1, f"{slowest:.3f} s")
        claims.claim("files are back", server.idle() and server.wait_for(lambda: server.files() <= files, 10),
                     f"{server.files()}, {files} before")
        drain_checks(claims, server, "limit 64: ")


def light(server, seconds, kind):
    """Latencies of healthz and a compact score on new and on kept connections, in seconds."""
    times, deadline = [], time.monotonic() + seconds
    kept = server.connect()
    while time.monotonic() < deadline:
        begin = time.monotonic()
        server.get("/healthz")
        middle = time.monotonic()
        kept.send(kind.bytes)
        kind.judge(kept.reply())
        times += [middle - begin, time.monotonic() - middle]
        time.sleep(0.003)
    kept.close()
    return times


def many_at_rest(claims, binary, count):
    room = client.raise_file_limit(count + 500) - 300
    count = min(count, room)
    with Server(binary) as server:
        kind = scoring.compact(2, 60, 1)
        kind.learn(server)
        files, before = server.files(), server.resident()
        alone = percentile(light(server, 2, kind), 0.99)
        resting = [socket.create_connection(server.address) for _ in range(count)]
        claims.claim(f"{count} connections are open", server.wait_for(
            lambda: server.metrics()["perception_http_connections"] >= count, 20))
        crowded = percentile(light(server, 3, kind), 0.99)
        claims.claim("light requests beside them keep p99 below 50 ms", crowded < 0.05,
                     f"{crowded * 1000:.1f} ms, alone {alone * 1000:.1f} ms")
        claims.claim("each costs less than 4 KiB", server.resident() - before < count * 4096 + (8 << 20),
                     f"{megabytes(server.resident() - before)} for all")
        for one in resting:
            one.close()
        claims.claim("their files are back", server.wait_for(lambda: server.files() <= files, 20), f"{server.files()}, {files} before")
        drain_checks(claims, server, "5,000 at rest: ")


def run(claims, binary, connects=4000, resting=5000):
    over_the_limit(claims, binary, int(connects))
    many_at_rest(claims, binary, resting)
