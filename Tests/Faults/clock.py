"""The wall clock jumps by days in both directions, and the process is stopped and continued (SIGSTOP, SIGCONT)."""

import contextlib
import datetime
import json
import os
import pathlib
import signal
import tempfile
import time

import client
import traffic
from server import Server, drain_checks, has_option
from signals import Load

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
             "/usr/lib/faketime/libfaketimeMT.so.1")
JUMPS = ("+3d", "-5d", "+400d", "-30d", "+1h", "-1h", "+0")


def jumps(claims, binary):
    library = next((x for x in LIBRARIES if os.path.exists(x)), None)
    if not library:
        claims.skip("jumps of the wall clock", "needs libfaketime (apt-get install faketime)")
        return
    with tempfile.TemporaryDirectory() as folder:
        offset = pathlib.Path(folder) / "offset"
        offset.write_text("+0\n")
        environment = {
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
            # Machines' clocks jump; CLOCK_MONOTONIC never does.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        with Server(binary, environment=environment) as server:
            kinds = traffic.learned(server, traffic.small())
            resting, half = server.connect(), server.connect()
            half.send(client.request("GET", "/healthz")[:20])
            load = Load(server, kinds)
            seen = []
            for jump in JUMPS:
                before = len(server.log_lines())
                part = pathlib.Path(folder) / "next"
                part.write_text(jump + "\n")
                part.rename(offset)
                answered = load.answered
                time.sleep(1.2)
                lines = server.log_lines()
                seen.append((jump, load.answered - answered, len(lines) - before, lines[-1], time.time()))
            load.end()
            claims.claim(f"{len(JUMPS)} jumps under load: no request lost or slow enough to time out", not load.wrong,
                         f"{load.answered} answered" if not load.wrong else str(load.wrong[:2]))
            claims.claim("requests and their access lines go on after each", all(n > 20 and m >= n / 2 for _, n, m, _, _ in seen),
                         str([f"{j}: {n}, {m}" for j, n, m, _, _ in seen]))
            shifted = [abs(moved(line, now) - days(jump)) < 0.1 for jump, _, _, line, now in seen]
            claims.claim("the log's times follow the clock, so the jumps did happen", all(shifted),
                         str([f"{j}: {moved(line, now):+.2f} d" for j, _, _, line, now in seen]))
            half.send(client.request("GET", "/healthz")[20:])
            claims.claim("a connection that rested and a head that was half sent survive all jumps",
                         half.reply().status == 200 and resting.exchange("GET", "/healthz").status == 200)
            half.close()
            resting.close()
            m = server.metrics()
            bad = [k for k in m if ("timeout" in k or 'ending="abandoned"' in k) and m[k]]
            claims.claim("no time limit acted", not bad, str(bad))
            drain_checks(claims, server, "jumps: ")


def days(jump):
    return float(jump[:-1]) * {"d": 1, "h": 1 / 24}[jump[-1]] if jump[-1] in "dh" else 0.0


def moved(line, now):
    """How many days the log's clock is ahead."""
    record = json.loads(line)
    stamp = record.get("time") or record.get("timestamp")
    return (datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() - now) / 86400


def pauses(claims, binary, seconds):
    """Monotonic time runs on while the process stands still; limits count it, as if the client had been that slow."""
    header = 5 if has_option(binary, "--header-timeout-seconds") else 20
    options = ["--header-timeout-seconds", str(header)] if header == 5 else []
    with Server(binary, *options) as server:
        kinds = traffic.learned(server, traffic.small())
        for pause in seconds:
            resting, half, asked = server.connect(), server.connect(), server.connect()
            resting.exchange("GET", "/healthz")
            half.send(client.request("GET", "/healthz")[:30])
            time.sleep(0.3)
            load = Load(server, kinds)
            time.sleep(0.5)
            server.signal(signal.SIGSTOP)
            time.sleep(0.1)
            asked.send(kinds[0].bytes)
            knocks = [server.connect() for _ in range(50)]
            for one in knocks:
                one.send(client.request("GET", "/healthz"))
            time.sleep(pause)
            server.signal(signal.SIGCONT)
            begin = time.monotonic()
            kinds[0].judge(asked.reply())
            answers = []
            for one in knocks:
                with contextlib.suppress(OSError, client.Broken):
                    answers.append(one.reply().status)
                one.close()
            woken = time.monotonic() - begin
            time.sleep(0.5)
            load.end()
            claims.claim(f"stopped for {pause} s: whoever asked before or meanwhile is answered", not load.wrong and answers == [200] * 50,
                         f"in {woken:.2f} s" if not load.wrong else f"{load.wrong[:2]}, {answers.count(200)} of 50")
            claims.claim(f"stopped for {pause} s: a kept connection lives on (below the 75 s of rest)",
                         resting.exchange("GET", "/healthz").status == 200)
            half.socket.settimeout(5)
            if pause > header:
                # Too slow by the clock, though not by its own fault.
                with contextlib.suppress(OSError):
                    half.send(client.request("GET", "/healthz")[30:])
                status = outcome(half)
                claims.claim(f"stopped for {pause} s: a head that was half sent ends with 408 or is closed ({header} s are over), or is answered "
                             "if the rest comes first", status in (408, "closed", 200), status)
            else:
                half.send(client.request("GET", "/healthz")[30:])
                claims.claim(f"stopped for {pause} s: a head that was half sent can be finished", outcome(half) == 200)
            for one in (resting, half, asked):
                one.close()
        claims.claim("nothing is left", server.idle())
        drain_checks(claims, server, "pauses: ")


def outcome(one):
    try:
        return one.reply().status
    except (OSError, client.Broken):
        return "closed"


def run(claims, binary, longest=25):
    jumps(claims, binary)
    pauses(claims, binary, (3, longest))
