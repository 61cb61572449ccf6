"""A thousand slow clients: in the head, in the body, at rest, and not reading large answers."""

import multiprocessing
import random
import select
import time

import client
import pictures
import scoring
from checked import Kind, Wrong
from claims import megabytes, percentile
from server import Server, drain_checks, has_option

SHARES = {"head": 350, "body": 250, "chunk": 100, "nothing": 100, "kept": 175, "deaf": 25}


class Slow:
    """One of them: sends a byte every few seconds, or never reads."""

    def __init__(self, kind, address, large, chance):
        self.kind, self.chance, self.begin, self.ended = kind, chance, time.monotonic(), None
        self.client = client.Client(address, 30, receive_buffer=4096 if kind == "deaf" else None)
        self.due = self.begin + chance.random() * 3
        head = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        self.rest = b""
        if kind == "head":
            line = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
            self.rest = line[chance.randrange(len(line)):] + b"X: " + b"y" * 9999
            self.client.send(line[:len(line) - len(self.rest) + 10002])
        elif kind == "body":
            self.client.send(head + b"Content-Length: 9000\r\n\r\n{")
            self.rest = b" " * 8999
        elif kind == "chunk":
            self.client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
            self.rest = b"1\r\n \r\n" * 2000
        elif kind == "kept":
            self.client.exchange("GET", "/healthz")
        elif kind == "deaf":
            self.client.send(large)
        self.client.socket.setblocking(False)

    def turn(self, now):
        """Sends its byte when it is time; notices the end by the socket, once what came is read."""
        if now >= self.due and self.rest:
            self.due = now + 1 + 3 * self.chance.random()
            try:
                self.client.socket.send(self.rest[:1])
                self.rest = self.rest[1:]
            except BlockingIOError:
                pass
            except OSError:
                self.ended = now

    def readable(self, now):
        try:
            while data := self.client.socket.recv(65536):
                self.client.held += data
        except BlockingIOError:
            return
        except OSError:
            pass
        self.ended = now


def crowd(address, large, shares, patience, out, done):
    """In a process of its own: drives all until each has been cut or patience is over.

    The deaf cannot hear of their end behind an answer they do not read; the server's files tell of that."""
    client.raise_file_limit(4000)
    chance = random.Random(9)
    kinds = [k for k, count in shares.items() for _ in range(count)]
    chance.shuffle(kinds)
    slow = []
    for kind in kinds:
        slow.append(Slow(kind, address, large, chance))
    out.put(len(slow))
    poll, by_file = select.epoll(), {}
    for one in slow:
        by_file[one.client.socket.fileno()] = one
        if one.kind != "deaf":
            poll.register(one.client.socket, select.EPOLLIN)
    alive, deadline = len(slow), time.monotonic() + patience
    while alive and time.monotonic() < deadline:
        for file, _ in poll.poll(0.1):
            by_file[file].readable(time.monotonic())
        now = time.monotonic()
        alive = 0
        for one in slow:
            if one.ended is None:
                one.turn(now)
            if one.ended is None:
                alive += one.kind != "deaf"
            elif one.client.socket.fileno() >= 0:
                poll.unregister(one.client.socket)
                by_file.pop(one.client.socket.fileno())
                one.client.close()
    out.put([(one.kind, None if one.ended is None else one.ended - one.begin, bytes(one.client.held[:12])) for one in slow])
    done.wait(300)


def lights(server, until, kind, times, lost):
    kept = None
    while not until():
        try:
            kept = kept or server.connect()
            begin = time.monotonic()
            kept.send(kind.bytes)
            kind.judge(kept.reply())
            middle = time.monotonic()
            server.get("/healthz")
            times += [middle - begin, time.monotonic() - middle]
        except (OSError, client.Broken, Wrong) as error:
            lost.append(repr(error))
            kept = None
            if not server.alive():
                return
        time.sleep(0.02)


def run(claims, binary, count=1000):
    # Shortened where that can be asked for; the defaults are 20, 30 and 75 s.
    short = has_option(binary, "--header-timeout-seconds")
    limits = {"header": 8, "body": 10, "idle": 15} if short else {"header": 20, "body": 30, "idle": 75}
    rate = 512 << 10 if short else 64 << 10
    options = [x for name, s in limits.items() for x in (f"--{name}-timeout-seconds", str(s))] if short else []
    options += ["--min-bytes-per-second", str(rate)] if short else []
    client.raise_file_limit(4000)
    with Server(binary, *options) as server:
        kind = scoring.compact(2, 60, 1)
        kind.learn(server)
        # More than the kernel takes for one connection.
        big = Kind("raw view", "POST", '/v1/perturb?format=raw&steps=[]', pictures.picture(1600, 1250, 2), "image/png")
        big.learn(server)
        allowance = len(big.known) / rate
        files, before, times, lost = server.files(), server.resident(), [], []
        end = time.monotonic() + 3
        lights(server, lambda: time.monotonic() > end, kind, times, lost)
        alone = percentile(times, 0.99)
        shares = {k: max(1, round(v * count / 1000)) for k, v in SHARES.items()}
        due = {"head": limits["header"], "nothing": limits["header"], "body": limits["body"], "chunk": limits["body"],
               "kept": limits["idle"], "deaf": limits["body"] + allowance}
        patience = max(due.values()) + 20
        out, done = multiprocessing.Queue(), multiprocessing.Event()
        process = multiprocessing.Process(target=crowd, args=(server.address, big.bytes, shares, patience, out, done))
        process.start()
        total = out.get(timeout=120)
        times, peak, open_at_most = [], 0, server.files()
        begin = time.monotonic()
        found = []

        def over():
            nonlocal peak
            if server.alive():
                peak = max(peak, server.resident())
            if not out.empty():
                found.extend(out.get())
            # The last of them are the deaf.
            gone = found and server.alive() and server.files() <= files + 3
            return gone or time.monotonic() - begin > patience + 30

        lights(server, over, kind, times, lost)
        deaf_end = time.monotonic() - begin
        done.set()
        process.join(10)
        process.kill()
        claims.claim(f"{total} slow clients at once", open_at_most >= total and len(found) == total, f"{open_at_most} files open")
        slow = percentile(times, 0.99) if times else 9
        claims.claim("light requests beside them: none lost, p99 below 50 ms", not lost and slow < 0.05,
                     f"p99 {slow * 1000:.1f} ms of {len(times)}, alone {alone * 1000:.1f} ms" if not lost else str(lost[:2]))
        limit = due.pop("deaf")
        claims.claim(f"all {shares['deaf']} that do not read their answer are cut in time ({limit:.0f} s)",
                     due["body"] < deaf_end <= limit + 10, f"the last after {deaf_end:.1f} s")
        for name, limit in due.items():
            ends = [seconds for k, seconds, _ in found if k == name]
            good = ends and all(s is not None and s <= limit + 5 for s in ends) and min(ends) >= min(limit, due["body"]) - 5
            claims.claim(f"all {len(ends)} of kind {name} are cut in time ({limit:.0f} s)", good,
                         f"after {min(s or 1e9 for s in ends):.1f} to {max(s or 1e9 for s in ends):.1f} s, {ends.count(None)} never" if ends else "none")
        told = [held for k, _, held in found if k in ("body", "chunk")]
        claims.claim("those in the body are told with 408", all(h.startswith(b"HTTP/1.1 408") for h in told),
                     f"{sum(h.startswith(b'HTTP/1.1 408') for h in told)} of {len(told)}")
        bound = 2 * shares["deaf"] * len(big.known) + total * 65536 + (64 << 20)
        claims.claim("memory is bounded: below twice the answers that wait, 64 KiB for each client, and 64 MiB", peak - before < bound,
                     f"{megabytes(peak - before)} more for {total}; {shares['deaf']} answers of {megabytes(len(big.known))} wait")
        claims.claim("nothing is left of them", server.idle() and server.wait_for(lambda: server.files() <= files, 10),
                     f"{server.files()} files, {files} before; resident {megabytes(server.resident())}")
        drain_checks(claims, server)
