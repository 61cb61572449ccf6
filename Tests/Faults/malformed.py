"""Malformed HTTP: each entry of the corpus whole, byte by byte, and cut off at random points."""

import contextlib
import random
import re
import socket
import time

import client
from corpus import CORPUS
from server import Server, drain_checks

SECONDS = 2.0
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def judged(expected, answer):
    """What is wrong with an answer to the whole entry, or None."""
    statuses = [int(s) for s in STATUS.findall(answer)]
    finals = [s for s in statuses if s >= 200]
    good = [s for s in finals if s < 300]
    if any(s >= 500 and not (s == 505 and expected == "version") for s in statuses):
        return f"answered {statuses}"
    if answer and not answer.startswith(b"HTTP/1.1 "):
        return f"begins {answer[:40]!r}"
    if expected in ("refused", "version", "closed", "waiting") and good:
        return f"answered {statuses}"
    if expected == "refused" and not any(400 <= s < 500 for s in finals):
        return f"no 4xx: {answer[:60]!r}"
    if expected == "waiting" and any(s < 400 for s in finals):
        return f"answered {statuses}"
    if expected == "served" and not good:
        return f"not answered: {answer[:60]!r}"
    if expected == "ended" and (len(good) != 1 or finals[1:] not in ([400], [400, 400], [])):
        return f"answered {statuses}"
    return None


def converse(address, pieces):
    """(everything that came, seconds until the server closed or the client's half-close was understood)"""
    begin = time.monotonic()
    with client.Client(address, SECONDS) as one:
        with contextlib.suppress(OSError):
            for piece in pieces:
                one.send(piece)
        # A waiting server learns now that nothing more comes.
        answer = bytearray()
        with contextlib.suppress(OSError):
            one.socket.shutdown(socket.SHUT_WR)
        deadline = begin + SECONDS + 0.001 * len(pieces)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return bytes(answer), None
            one.socket.settimeout(left)
            try:
                data = one.socket.recv(65536)
            except TimeoutError:
                return bytes(answer), None
            except OSError:
                break
            if not data:
                break
            answer += data
    return bytes(answer), time.monotonic() - begin


def pieces_of(data, chance):
    """Ways to send one entry: (name, pieces, whether it is all of it)."""
    yield "whole", [data], True
    if len(data) <= 4096:
        yield "byte by byte", [data[i:i + 1] for i in range(len(data))], True
    else:
        marks = sorted(chance.sample(range(len(data)), 40))
        yield "in pieces", [data[a:b] for a, b in zip([0, *marks], [*marks, len(data)])], True
    for _ in range(3):
        if len(data) > 1:
            yield "cut", [data[:chance.randrange(1, len(data))]], False


def attack(server, corpus=CORPUS, ways=None):
    """(failures, how many were sent, the longest wait, lenient entries that were served)"""
    chance, failures, count, longest, lenient = random.Random(11), [], 0, 0.0, set()
    for name, expected, data in corpus:
        for way, pieces, complete in pieces_of(data, chance):
            if ways and way not in ways:
                continue
            count += 1
            answer, seconds = converse(server.address, pieces)
            longest = max(longest, seconds or 0)
            if seconds is None:
                failures.append(f"{name}, {way}: not closed after {SECONDS} s, {answer[:60]!r}")
            elif complete and expected == "lenient" and b" 200 OK" in answer:
                lenient.add(name)
            elif complete and (flaw := judged(expected, answer)):
                failures.append(f"{name}, {way}: {flaw}")
            elif any(int(s) >= 500 and int(s) != 505 for s in STATUS.findall(answer)):
                failures.append(f"{name}, {way}: {answer[:60]!r}")
            try:
                healthy = server.get("/healthz", 5).status == 200
            except (OSError, client.Broken) as error:
                healthy = False
                failures.append(f"after {name}, {way}: {error}")
            if not healthy and not server.alive():
                failures.append(f"the server ended with {name}, {way}")
                return failures, count, longest, lenient
    return failures, count, longest, lenient


def run(claims, binary):
    with Server(binary) as server:
        files = server.files()
        failures, count, longest, lenient = attack(server)
        for failure in failures:
            print("     ", failure)
        claims.claim(f"{len(CORPUS)} entries, {count} ways: each refused, closed or served as expected, and the next client answered",
                     not failures, f"longest {longest:.2f} s" if not failures else f"{len(failures)} others: {failures[:3]}")
        claims.note(f"served although a line ends in a bare LF: {', '.join(sorted(lenient)) or 'none'}")
        claims.claim("nothing is left of them", server.idle() and server.wait_for(lambda: server.files() <= files, 10),
                     f"{server.files()} files, {files} before")
        drain_checks(claims, server)
