"""Bodies that together exceed the memory budget, and limits on address space, data and the control group's memory."""

import contextlib
import threading
import time

import client
import groups
import pictures
import scoring
import traffic
from checked import Kind, Wrong
from claims import megabytes
from server import Server, drain_checks

MIB = 1 << 20
BUDGET = 192 * MIB
CLIENTS = 16


def heavy():
    """About 24 MB each: logits under three views with gradients, long JSON, a picture that is large when decoded."""
    return [
        scoring.full(256, 8000, 31), scoring.compact(64, 6000, 32), scoring.compact(16, 4096, 33, "rollouts"),
        Kind("raw view of 12 megapixels", "POST", "/v1/perturb?format=raw&steps=[]", pictures.picture(4000, 3000, 34), "image/png"),
        scoring.entropy(24, 151_936, 35, streamed=True)]


class Storm:
    """Sixteen clients that send the same heavy requests at once and retry what is refused with 503."""

    def __init__(self, server, kinds, seconds):
        self.server, self.kinds = server, kinds
        self.deadline = time.monotonic() + seconds
        self.flaws, self.answered, self.refused, self.slowest_refusal, self.never = [], 0, {}, 0.0, 0
        self.peak = self.claimed = 0
        self.barrier = threading.Barrier(CLIENTS)
        self.lock = threading.Lock()

    def run(self):
        threads = [threading.Thread(target=self.work, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while any(t.is_alive() for t in threads):
            with contextlib.suppress(OSError, AttributeError, client.Broken):
                self.peak = max(self.peak, self.server.status("VmHWM"))
            time.sleep(0.1)
        return self

    def work(self, index):
        turn = 0
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait(60)
        while time.monotonic() < self.deadline and self.server.alive():
            # All of one kind together in the first rounds, mixed later.
            kind = self.kinds[(turn if turn < len(self.kinds) else turn + index) % len(self.kinds)]
            turn += 1
            self.ask(kind)

    def ask(self, kind):
        for attempt in range(200):
            begin = time.monotonic()
            try:
                with self.server.connect(60) as one:
                    with contextlib.suppress(OSError):
                        one.send(kind.bytes)
                    reply = one.reply(kind.method)
            except (OSError, client.Broken) as error:
                self.fail(f"{kind.name}: {type(error).__name__} {error}")
                return
            with self.lock:
                if reply.status in (503, 507):
                    self.refused[reply.status] = self.refused.get(reply.status, 0) + 1
                    if reply.status == 503 and "retry-after" not in reply.headers:
                        self.flaws.append("503 without Retry-After")
                    self.slowest_refusal = max(self.slowest_refusal, time.monotonic() - begin)
                else:
                    try:
                        kind.judge(reply)
                        self.answered += 1
                    except Wrong as error:
                        self.flaws.append(str(error))
                    return
            if reply.status == 507 or time.monotonic() > self.deadline + 30:
                break
            time.sleep(0.05 + 0.02 * (attempt % 5))
        if reply.status == 503:
            with self.lock:
                self.never += 1

    def fail(self, flaw):
        with self.lock:
            self.flaws.append(flaw)
        time.sleep(0.1)


def budgeted(binary, budget=BUDGET, **more):
    return Server(binary, "--memory-budget-bytes", str(budget), "--max-body-bytes", str(budget), **more)


def over_budget(claims, binary, seconds):
    with budgeted(binary) as server:
        kinds = traffic.learned(server, heavy())
        server.idle()
        # Buffers that are kept for the next request belong to a server that is warm.
        baseline = server.resident()
        storm = Storm(server, kinds, seconds).run()
        claims.claim(f"{CLIENTS} clients with {sum(len(k.bytes) for k in kinds) // len(kinds) // 1000} kB each on average: answered right, "
                     "or refused with 503 and Retry-After, or 507", not storm.flaws and server.alive() and storm.answered > CLIENTS,
                     f"{storm.answered} answered, {storm.refused} refused" if not storm.flaws else str(storm.flaws[:2]))
        claims.claim("retries are answered in the end", storm.never == 0, f"{storm.never} never were")
        claims.claim("there was something to refuse", storm.refused.get(503, 0) > 0, str(storm.refused))
        claims.note(f"slowest refusal {storm.slowest_refusal:.2f} s, with what was sent of the body on busy cores")
        bound = baseline + 1.25 * BUDGET
        claims.claim("resident memory stays below that of a warm server at rest and 1.25 times the budget", storm.peak <= bound,
                     f"peak {megabytes(storm.peak)}, at rest {megabytes(baseline)}, budget {megabytes(BUDGET)}, bound {megabytes(bound)}")
        claims.claim("all of the budget is free afterwards", server.idle())
        drain_checks(claims, server, "budget: ")


def outcome(binary, seconds=4, **more):
    """(what became of a server under the storm, details)"""
    try:
        with budgeted(binary, **more) as server:
            kinds = [k for k in heavy()]
            for kind in kinds:
                try:
                    kind.learn(server)
                except (Wrong, client.Broken, OSError) as error:
                    # It may still be writing its last words.
                    if server.wait_for(lambda: False, 2) or not server.alive():
                        return "died", f"exit code {server.process.poll()} of {kind.name}", server.bad_lines()[:1]
                    return "wrong", str(error)[:200], []
            storm = Storm(server, kinds, seconds).run()
            server.wait_for(lambda: not storm.flaws, 2)
            if not server.alive():
                return "died", f"exit code {server.process.poll()}", server.bad_lines()[:1]
            if storm.flaws:
                return "wrong", storm.flaws[0], []
            return "survived", f"{storm.answered} answered, {storm.refused} refused, peak {megabytes(storm.peak)}", []
    except client.Broken as error:
        return "not started", str(error)[:200], []


def limited(claims, binary):
    with budgeted(binary) as server:
        size, data = server.status("VmSize"), server.status("VmData")
    # Each thread's heap takes address space in steps of 64 MiB, of which bodies of 24 MB fill two thirds.
    for option, start, name, enough in (("--as", size, "address space", 5), ("--data", data, "data", 3)):
        for times in (5, 3, 1.5, 1, 0.5, 0.1):
            limit = int(start + times * BUDGET)
            state, detail, last = outcome(binary, prefix=("prlimit", f"{option}={limit}"))
            words = f"{name} limited to that at rest ({megabytes(start)}) and {times:g} × budget"
            if times >= enough:
                claims.claim(f"{words}: all answered or refused", state == "survived", f"{state}: {detail} {last}")
            else:
                claims.note(f"{words}: {state}, {detail} {''.join(last)[:200]}")


def group(claims, binary):
    """A memory limit such as a container's: twice the budget, as the runbook says."""
    limit = 2 * BUDGET
    try:
        with groups.limited(limit, "memory") as group:
            state, detail, _ = outcome(binary, 6, before_start=group.join)
    except OSError as error:
        claims.skip("the control group's memory limit", f"{error}: needs root and a writable control group")
        return
    claims.claim(f"in a control group of {megabytes(limit)}, twice the budget: all answered or refused, not killed",
                 state == "survived", f"{state}: {detail}")


def run(claims, binary, seconds=12):
    over_budget(claims, binary, seconds)
    group(claims, binary)
    limited(claims, binary)
