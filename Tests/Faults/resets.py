"""Clients that reset, close, half-close or vanish at random points of requests and replies of every kind."""

import contextlib
import random
import socket
import threading
import time

import client
import traffic
from checked import Wrong
from claims import megabytes
from server import Server, drain_checks, has_option

WAYS = ("reset", "close", "half-closed", "half-closed and reset", "vanish", "deaf")


def end(one, way, chance):
    """Leaves the connection in one of the ways."""
    if way == "reset":
        one.reset()
    elif way == "close":
        one.close()
    elif way.startswith("half-closed"):
        with contextlib.suppress(OSError):
            one.socket.shutdown(socket.SHUT_WR)
        one.socket.settimeout(0.3)
        with contextlib.suppress(OSError, client.Broken):
            one.more()
        one.reset() if way.endswith("reset") else one.close()
    elif way == "deaf":
        with contextlib.suppress(OSError):
            one.socket.shutdown(socket.SHUT_RD)
        time.sleep(chance.random() * 0.02)
        one.close()
    else:
        return one.vanish()
    return None


def cut(address, kind, chance, vanished):
    """One request, left at a random point of itself or of its reply."""
    one = client.Client(address, 10)
    try:
        if chance.random() < 0.55:
            one.send(kind.bytes[:chance.randrange(len(kind.bytes))])
            if chance.random() < 0.3:
                time.sleep(chance.random() * 0.02)
        else:
            one.send(kind.bytes)
            wanted = chance.choice((0, 1, 20, 200, chance.randrange(1, 200_000)))
            one.socket.settimeout(0.5)
            while len(one.held) < wanted and one.more():
                pass
    except OSError:
        pass
    weights = [4, 2, 1, 1, 0.3, 1]
    if end(one, chance.choices(WAYS, weights)[0], chance):
        vanished.append(1)


def storm(server, kinds, count, threads=6):
    vanished, failed = [], []

    def work(seed):
        chance = random.Random(seed)
        for _ in range(count // threads):
            try:
                cut(server.address, traffic.pick(kinds, chance), chance, vanished)
            except OSError as error:
                failed.append(repr(error))
                if not server.alive():
                    return

    running = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return len(vanished), failed


def run(claims, binary, count=6000):
    count = int(count)
    options = ["--header-timeout-seconds", "5", "--body-timeout-seconds", "8", "--idle-timeout-seconds", "10"]
    if not has_option(binary, options[0]):
        options = []
    # Those that vanish are found out by the time limits only: 30 s, and a second for each 64 KiB of a reply.
    patience = 30 if options else 60
    with Server(binary, *options) as server:
        kinds = traffic.learned(server, traffic.mixed_sizes(traffic.catalogue(server)))
        for kind in kinds:
            server.get("/healthz")
        server.idle()
        before, threads = server.open_files(), server.threads()
        files = len(before)
        vanished, failed = storm(server, kinds, count)
        claims.claim(f"{count} broken connections, {vanished} of them gone without a word", server.alive() and not failed,
                     str(failed[:2]) if failed else f"{server.files() - files} files still open at once after it")
        begin = time.monotonic()
        idle = server.idle(patience)
        claims.claim("no request in flight, no memory claimed, no worker busy, nothing queued", idle,
                     f"after {time.monotonic() - begin:.1f} s" if idle else str(server.gauges()))
        back = server.wait_for(lambda: server.files() <= files, patience + 90)
        claims.claim("all files are closed", back, f"{server.files()}, {files} before, after {time.monotonic() - begin:.1f} s; new: "
                     + str([link for number, link in server.open_files().items() if number not in before]))
        claims.claim("no thread more or less", server.threads() == threads, f"{server.threads()}, {threads} before")
        wrong = []
        for kind in kinds:
            try:
                with server.connect() as one:
                    one.send(kind.bytes)
                    kind.judge(one.reply(kind.method))
            except (OSError, client.Broken, Wrong) as error:
                wrong.append(f"{kind.name}: {error}")
        claims.claim("every kind of request is answered as before", not wrong, str(wrong[:2]) if wrong else f"{len(kinds)} kinds")
        claims.note(f"resident afterwards {megabytes(server.resident())}")
        drain_checks(claims, server)
