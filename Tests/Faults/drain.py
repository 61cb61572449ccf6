"""SIGTERM at a random moment under mixed load, again and again."""

import collections
import contextlib
import random
import signal
import threading
import time

import client
import traffic
from checked import Wrong
from server import Server


class Draining(threading.Thread):
    """A client until the server is gone; sorts what happened to each request."""

    def __init__(self, address, kinds, seed):
        super().__init__()
        self.mixed, self.chance = traffic.Mixed(address, kinds, seed, 30), random.Random(seed)
        self.seen, self.bad, self.readyz = collections.Counter(), [], []

    def run(self):
        while True:
            fresh = self.mixed.connection is None
            try:
                kind = self.mixed.once()
                self.seen["whole and right"] += 1
                if kind.name == "readyz":
                    self.readyz.append((time.monotonic(), 200))
            except ConnectionRefusedError:
                self.seen["refused to connect"] += 1
                return
            except client.Refused:
                # Closed before any byte: nothing was claimed.
                self.seen["closed before a reply"] += 1
                if fresh and self.gone():
                    return
            except client.Broken as error:
                self.bad.append(f"{type(error).__name__}: {error}")
            except Wrong as error:
                reply = self.mixed.reply
                if reply.status == 503 and "retry-after" in reply.headers:
                    self.seen["503"] += 1
                    if b"ready" in reply.body or "GET /readyz" in str(error):
                        self.readyz.append((time.monotonic(), 503))
                else:
                    self.bad.append(str(error))
            except OSError:
                # In the middle of sending: no reply had come.
                self.seen["reset before a reply"] += 1
                if self.gone():
                    return
            if self.chance.random() < 0.3:
                self.mixed.drop()
            time.sleep(self.chance.random() * 0.004)

    def gone(self):
        with contextlib.suppress(OSError):
            client.Client(self.mixed.address, 1).close()
            return False
        return True


def one_round(binary, seed, clients, known):
    """(flaws, what was seen, whether anything was answered before)"""
    chance = random.Random(seed)
    with Server(binary, "--shutdown-grace-seconds", "20") as server:
        flaws = []
        kinds = known or traffic.learned(server, traffic.mixed_sizes(traffic.catalogue(server)))
        known[:] = kinds
        # Open and idle, to be asked while it drains.
        asker = server.connect(5)
        asker.exchange("GET", "/readyz")
        load = [Draining(server.address, kinds, seed * 100 + i) for i in range(clients)]
        for one in load:
            one.start()
        # A sanitized server takes its time.
        answered = server.wait_for(lambda: any(one.seen["whole and right"] for one in load))
        time.sleep(chance.random() * 0.5)
        server.signal(signal.SIGTERM)
        ready = asked_while_draining(asker)
        code = server.ended(40)
        for one in load:
            one.join(40)
            if one.is_alive():
                flaws.append("a client hangs")
            flaws += one.bad
        if ready == 200:
            flaws.append("readyz said 200 after the drain began")
        if code != 0:
            flaws.append(f"exit code {code}")
        if server.last_word() != "stopped":
            flaws.append(f"last record {server.last_word()}")
        flaws += [line[:200] for line in server.bad_lines()]
        return flaws, sum((one.seen for one in load), collections.Counter({f"readyz {ready}": 1})), answered


def asked_while_draining(asker):
    """What /readyz says on a connection that was open before: 503, or nothing when all was finished at once."""
    try:
        # The main thread takes the signal a moment after it was sent.
        for _ in range(50):
            status = asker.exchange("GET", "/readyz").status
            if status != 200:
                return status
            time.sleep(0.01)
        return 200
    except (OSError, client.Broken):
        return "closed"
    finally:
        asker.close()


def run(claims, binary, rounds=100, clients=5):
    rounds, seen, flaws, known, answered = int(rounds), collections.Counter(), [], [], 0
    for index in range(rounds):
        bad, these, loaded = one_round(binary, index, clients, known)
        seen += these
        answered += loaded
        if bad:
            print(f"     round {index}: {bad[:3]}")
            flaws += [f"round {index}: {x}" for x in bad]
    claims.claim(f"{rounds} drains under load: every reply that claimed success is whole and right, every other request "
                 "was refused with 503, closed or not connected; exit code 0 and `stopped`", not flaws,
                 ", ".join(f"{v} {k}" for k, v in sorted(seen.items())) if not flaws else str(flaws[:3]))
    claims.claim("there was load when the signal came", answered == rounds, f"in {answered} of {rounds} rounds")
    claims.claim("readyz said 503 to those who could still ask", seen["readyz 503"] > 0, f"{seen['readyz 503']} times")
