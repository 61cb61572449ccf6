"""Mixed traffic for a long time: right answers, mistakes, clients that vanish or read slowly.

How flat memory is: resident memory is sampled every 2 s, and the kernel's own peak between samples beside it. The first
fifth of the time is warm-up. The median of the last fifth may differ from the median of the second fifth by 5 % of it,
and no peak of the second half may be more than 10 % above the highest peak before it."""

import json
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import tempfile
import time

import client
import resets
import scoring
import traffic
import wire
from checked import Wrong
from claims import megabytes
from server import OUT, Server, drain_checks

CLIENTS = 7
SANITIZED = os.environ.get("FAULTS_SANITIZED")


class Customer:
    """One client process: draws what it does next, counts, and keeps what went wrong."""

    def __init__(self, number, server, kinds, folder):
        self.number, self.server, self.folder = number, server, folder
        self.chance = random.Random(number)
        self.kinds, self.mixed = kinds, traffic.Mixed(server.address, kinds, number)
        self.counts, self.wrong, self.lost = {}, [], []
        self.acts = {self.known: 70, self.recomputed: 12, self.shared: 6, self.slow: 2, self.leave: 10}

    def work(self, deadline, out):
        client.raise_file_limit(1000)
        while time.time() < deadline:
            act = self.chance.choices(list(self.acts), self.acts.values())[0]
            try:
                act()
            except Wrong as error:
                self.wrong.append(f"{act.__name__}: {error}")
            except (OSError, client.Broken) as error:
                self.lost.append(f"{act.__name__}: {type(error).__name__} {error}")
                time.sleep(0.2)
            self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
            if self.chance.random() < 0.03:
                self.mixed.drop()
            time.sleep(self.chance.random() * 0.05)
        self.mixed.drop()
        out.put((self.counts, self.mixed.counts, self.wrong[:20], self.lost[:20], len(self.wrong), len(self.lost)))

    def known(self):
        """A request whose answer's bytes are known."""
        self.mixed.once()

    def recomputed(self):
        """A request that was never sent before; NumPy computes the answer, too."""
        seed, chance = self.chance.randrange(1 << 30), self.chance
        make = chance.choice([
            lambda: scoring.compact(chance.randrange(1, 9), chance.randrange(1, 500), seed, chance.choice(["safetensors", "rollouts"]),
                                    chance.choice(["cppo-verl", "cppo-areal"])),
            lambda: scoring.entropy(chance.randrange(1, 20), chance.randrange(100, 20_000), seed, chance.choice(["F32", "BF16", "F16"]),
                                    chance.random() < 0.5),
            lambda: scoring.full(chance.randrange(1, 12), chance.randrange(10, 1500), seed),
            lambda: scoring.mask(chance.randrange(1, 6), chance.randrange(1, 800), seed),
            lambda: scoring.advantages(chance.randrange(1, 200), seed)])
        make().learn(self.server)

    def shared(self):
        """Input and results in files of the shared folder."""
        kind = scoring.full(self.chance.randrange(1, 12), 900, self.chance.randrange(1 << 30))
        name = f"{self.number}"
        (self.folder / name).write_bytes(kind.body)
        reply = self.server.post(f"/v1/score?preset=cppo-paper&input_file={name}&output_file={name}.out", b"", wire.MEDIA_TYPE)
        if reply.status != 200:
            raise Wrong(f"{reply.status} {reply.body[:200]}")
        result = {k: v for k, v in json.loads(reply.body).items() if k not in ("output_file", "output_bytes")}
        tensors, _ = wire.read((self.folder / f"{name}.out").read_bytes())
        # As if it had come in a body.
        body = wire.write(tensors, {"result": json.dumps(result)})
        try:
            kind.check(client.Reply(200, {}, body, False))
        except AssertionError as error:
            raise Wrong(f"shared: {error}") from error
        (self.folder / name).unlink()
        (self.folder / f"{name}.out").unlink()

    def slow(self):
        """Reads a large answer in small pieces with pauses."""
        kind = self.chance.choice([k for k in self.kinds if "perturb" in k.name and k.status == 200])
        with self.server.connect(receive_buffer=8192) as one:
            one.send(kind.bytes)
            for _ in range(self.chance.randrange(5, 40)):
                # The head comes on top, so this many bytes are always still to come.
                if len(one.held) + 4096 > len(kind.known) or not one.more(4096):
                    break
                time.sleep(0.02)
            kind.judge(one.reply(kind.method))

    def leave(self):
        """Breaks off, and is answered nothing."""
        resets.cut(self.server.address, traffic.pick(self.kinds, self.chance), self.chance, [])


def watch(server, seconds):
    """Samples of (time, resident, peak between samples, proportional, files, threads)."""
    samples, begin = [], time.monotonic()
    step = min(2.0, seconds / 60)
    while (now := time.monotonic() - begin) < seconds and server.alive():
        # The reset of the peak comes with reading it.
        samples.append((round(now, 2), server.resident(), server.peak_since_last(), server.proportional(), server.files(), server.threads()))
        time.sleep(step)
    return samples


def flatness(samples):
    """(median after warm-up, median at the end, highest peak of the first half, of the second)"""
    count = len(samples)
    fifths = [[s[1] for s in samples[i * count // 5:(i + 1) * count // 5]] for i in range(5)]
    half = count // 2
    return (statistics.median(fifths[1]), statistics.median(fifths[4]), max(s[2] for s in samples[:half]),
            max(s[2] for s in samples[half:]))


def plot(samples, path, minutes):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    times = [s[0] / 60 for s in samples]
    axes.plot(times, [s[2] / 2**20 for s in samples], color="lightgray", label="peak between samples")
    axes.plot(times, [s[1] / 2**20 for s in samples], label="resident")
    axes.plot(times, [s[3] / 2**20 for s in samples], linestyle="--", linewidth=0.8, label="proportional (PSS)")
    axes.axvspan(0, times[-1] / 5, alpha=0.08, color="orange", label="warm-up")
    axes.set_xlabel("minutes of mixed traffic")
    axes.set_ylabel("MiB")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Memory of the server over {minutes:g} minutes")
    axes.legend(fontsize="small", loc="lower right")
    figure.tight_layout()
    for kind in ("svg", "png"):
        figure.savefig(path.with_suffix(f".{kind}"))


def run(claims, binary, minutes=30):
    seconds = minutes * 60
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    try:
        with Server(binary, "--shared-dir", str(folder)) as server:
            catalogue = traffic.catalogue(server)
            kinds = traffic.learned(server, traffic.small(catalogue) + ([] if SANITIZED else traffic.large(catalogue)))
            server.idle()
            files, threads = server.files(), server.threads()
            out, deadline = multiprocessing.Queue(), time.time() + seconds
            customers = [
                multiprocessing.Process(target=Customer(i, server, kinds, folder).work, args=(deadline, out)) for i in range(CLIENTS)]
            for one in customers:
                one.start()
            used, begin = server.cpu_seconds(), time.monotonic()
            samples = watch(server, seconds)
            busy = (server.cpu_seconds() - used) / (time.monotonic() - begin) if server.alive() else 0
            results = []
            for _ in customers:
                try:
                    results.append(out.get(timeout=120))
                except Exception:
                    break
            for one in customers:
                one.join(5)
                one.kill()
            judge(claims, server, results, samples, busy, files, threads, folder, minutes)
            drain_checks(claims, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge(claims, server, results, samples, busy, files, threads, folder, minutes):
    acts, kinds = {}, {}
    for counts, by_kind, *_ in results:
        for into, these in ((acts, counts), (kinds, by_kind)):
            for name, count in these.items():
                into[name] = into.get(name, 0) + count
    wrong, lost = sum(r[4] for r in results), sum(r[5] for r in results)
    claims.claim("all clients came to their end", len(results) == CLIENTS, f"{len(results)} of {CLIENTS}")
    claims.claim("no wrong answer", wrong == 0 and sum(acts.values()) > 0,
                 f"{acts}, {len(kinds)} kinds" if not wrong else f"{wrong}: {[w for r in results for w in r[2]][:3]}")
    claims.claim("every request that was not broken off by its client was answered", lost == 0,
                 "" if not lost else f"{lost}: {[x for r in results for x in r[3]][:3]}")
    claims.note(f"the server used {busy:.2f} of {os.cpu_count()} cores")
    early, late, before, after = flatness(samples)
    share, bound = late / early - 1, 0.5 if SANITIZED else 0.05
    claims.claim(f"memory is flat within {bound:.0%}: median of the last fifth against that of the second", abs(share) <= bound,
                 f"{share:+.1%}: {megabytes(early)}, then {megabytes(late)}")
    claims.claim("no peak of the second half is 10 % above those of the first", after <= before * (2 if SANITIZED else 1.1),
                 f"{megabytes(before)}, then {megabytes(after)}")
    vanished = 40
    most = max(s[4] for s in samples)
    claims.claim("open files stay bounded under load", most <= files + 4 * CLIENTS + vanished + 200, f"at most {most}")
    claims.claim("threads are constant", {s[5] for s in samples} == {threads}, str({s[5] for s in samples}))
    idle = server.idle(90)
    claims.claim("nothing in flight, no memory claimed with all clients gone", idle,
                 "" if idle else str(server.gauges()) if server.alive() else "dead")
    # Clients that vanished without a word are found out by the limits: 75 s.
    claims.claim("all files are closed", server.wait_for(lambda: server.files() <= files, 110), f"{server.files()}, {files} before")
    claims.claim("no file is left in the shared folder", not os.listdir(folder), str(os.listdir(folder)[:3]))
    name = f"soak-{minutes:g}"
    (OUT / f"{name}.json").write_text(json.dumps({
        "fields": ["seconds", "resident", "peak", "proportional", "files", "threads"], "samples": samples}))
    plot(samples, OUT / name, minutes)
    claims.note(f"curve: {name}.svg")
