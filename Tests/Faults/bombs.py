"""Small requests for pictures that take much, in a control group of twice the budget: what does not fit is refused."""

import base64
import contextlib
import io
import json
import os
import pathlib
import tempfile
import threading
import time
import urllib.parse

import client
import groups
import pictures
import wire
from claims import megabytes
from leaving import leavers
from PIL import Image
from server import Server, drain_checks

MIB = 1 << 20
BUDGET = 1024 * MIB
# What a server has at rest beside the budget, and what the allocator rounds.
OVERHEAD = 1.25
STRIP = 50_000_000


def steps(image, steps, query="", kind="image/png"):
    """One picture under explicit steps."""
    text = urllib.parse.quote(json.dumps(steps))
    return client.request("POST", f"/v1/perturb?steps={text}{query}", image, [("Content-Type", kind)])


def pair(step):
    """A picture of one pixel, and a second one that is a strip of 50 megapixels."""
    request = {"images": [{"id": "a"}, {"id": "b", "second_only": True}], "views": [{"name": "v", "steps": [step]}]}
    body, kind = pictures.form(request, (pictures.flat(1, 1), "image/png"), (pictures.flat(1, STRIP), "image/png"))
    return client.request("POST", "/v1/perturb", body, [("Content-Type", kind)])


def noise(width, height, **options):
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(out, **options)
    return out.getvalue()


def resampled():
    """Weights were once kept for every place of a side."""
    crop = [{"step": "zoom_crop", "left": 0, "top": 0, "width": 1, "height": STRIP // 2}]
    return [
        pair({"step": "mixup", "image": "b"}), pair({"step": "concat", "image": "b"}),
        pair({"step": "mixup", "image": "b", "fit": "stretch"}), steps(pictures.flat(1, STRIP), crop, "&format=raw")]


def underclaimed():
    """Steps with tables, sheets of large pictures, files of noise, and views that are made one after the other."""
    shuffle = {"step": "patch_shuffle", "patch": 1, "shuffle_seed": 3}
    side = 5000
    large = pictures.flat(side, side)
    occluded = {"step": "occlusion", "patches": [[0, 0, side, side]], "noise_seed": 1}
    views = {"views": [{"name": name, "steps": [occluded, shuffle]} for name in "xy"]}
    body, kind = pictures.form(views, (large, "image/png"))
    return [
        steps(large, [shuffle]), client.request("POST", "/v1/perturb", body, [("Content-Type", kind)]),
        client.request("POST", "/v1/recipes/cppo-removing/preview?draws=4", large, [("Content-Type", "image/png")]),
        steps(noise(3000, 2000, format="JPEG", quality=100), [], "&format=jpeg&quality=100", "image/jpeg")]


def overclaimed():
    """One photograph of 24 megapixels in one view, in every form of reply."""
    photograph = noise(6000, 4000, format="JPEG", quality=80)
    view = {"views": [{"name": "v", "recipe": "cppo-removing"}]}
    body, kind = pictures.form(view, (photograph, "image/jpeg"))
    text = json.dumps(view | {"images": [{"id": "a", "data": base64.b64encode(photograph).decode()}]}).encode()
    forms = [("multipart/mixed", body, kind), ("application/json", body, kind), (wire.MEDIA_TYPE, body, kind),
             ("multipart/mixed", text, "application/json")]
    return [client.request("POST", "/v1/perturb", content, [("Content-Type", kind), ("Accept", reply)])
            for reply, content, kind in forms]


class Crowd:
    """Clients that send one request each at the same time, and again while it is refused."""

    def __init__(self, server, requests, seconds=240):
        self.server, self.deadline = server, time.monotonic() + seconds
        self.answers, self.refused = [], 0
        self.lock = threading.Lock()
        threads = [threading.Thread(target=self.ask, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask(self, request):
        answer = "no answer in time"
        while time.monotonic() < self.deadline:
            try:
                with self.server.connect(max(1, self.deadline - time.monotonic())) as one:
                    one.send(request)
                    reply = one.reply()
            except (OSError, client.Broken) as error:
                answer = repr(error)
                break
            answer = reply.status if reply.status == 200 else f"{reply.status} {reply.body[:200]}"
            if reply.status != 503:
                break
            with self.lock:
                self.refused += 1
            time.sleep(0.2)
        with self.lock:
            self.answers.append(answer)


def case(claims, binary, group, what, requests, threads):
    """All of them at once, then each alone; resident memory as the kernel counts it."""
    with Server(binary, "--memory-budget-bytes", str(BUDGET), "--threads", str(threads), before_start=group.join) as server:
        baseline = server.resident()
        server.peak_since_last()
        crowd = Crowd(server, requests)
        peak = server.peak_since_last()
        wrong = [answer for answer in crowd.answers if answer != 200]
        claims.claim(f"{what}, {threads} threads: all {len(requests)} are answered in the end", not wrong and server.alive(),
                     str(wrong[:2]) if wrong else f"{crowd.refused} times refused with 503")
        bound = baseline + OVERHEAD * BUDGET
        claims.claim(f"{what}, {threads} threads: resident memory stays below that at rest and {OVERHEAD} times the budget",
                     peak <= bound, f"peak {megabytes(peak)}, at rest {megabytes(baseline)}, bound {megabytes(bound)}")
        claims.claim(f"{what}: all of the budget is free afterwards", server.idle(30))
        drain_checks(claims, server, f"{what}: ")


def read_slowly(one, rate, until):
    """So many bytes a second, as long as there are any."""
    read = 0
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            piece = one.socket.recv(rate // 10)
            if not piece:
                break
            read += len(piece)
            time.sleep(0.1)
    return read


def slow_readers(claims, binary, group, seconds):
    """Two that read at 80 KiB/s held nearly all of the budget for as long as they read."""
    request = {"format": "raw", "views": [{"name": f"v{i}", "recipe": "cppo-removing", "seed": i} for i in range(64)]}
    body, kind = pictures.form(request, (pictures.flat(3000, 2000), "image/png"))
    slow = client.request("POST", "/v1/perturb", body, [("Content-Type", kind), ("Accept", "multipart/mixed")])
    honest = steps(pictures.picture(2000, 1500, 4), [], "&format=raw")
    with Server(binary, "--memory-budget-bytes", str(BUDGET), before_start=group.join) as server:
        end = time.monotonic() + seconds
        threads = []
        for _ in range(2):
            one = client.Client(server.address, 30, receive_buffer=8192)
            one.send(slow)
            threads.append(threading.Thread(target=read_slowly, args=(one, 80 << 10, end)))
            threads[-1].start()
        time.sleep(seconds / 3)
        refused, served, held = [], 0, 0
        while time.monotonic() < end:
            held = max(held, server.metrics()["perception_slow_reader_bytes"])
            with server.connect(30) as one:
                one.send(honest)
                reply = one.reply()
            served += 1
            if reply.status != 200:
                refused.append(f"{reply.status} {reply.body[:150]}")
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        limit = server.metrics()["perception_slow_reader_limit_bytes"]
        claims.claim("two clients that read 80 KiB/s hold no more than their share", held <= limit,
                     f"{megabytes(held)} of {megabytes(limit)}")
        claims.claim("honest clients beside them are served", not refused and served > 0, f"{len(refused)} of {served} refused {refused[:1]}")
        drain_checks(claims, server, "slow readers: ")


def sparse_file(claims, binary, group):
    """A file of holes in memory would become memory by being read."""
    size = 2048 * MIB
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        header = json.dumps({"logits": {"dtype": "F32", "shape": [1, size // 4 // 4096, 4096], "data_offsets": [0, size]}}).encode()
        file = pathlib.Path(folder) / "holes"
        with file.open("wb") as out:
            out.write(len(header).to_bytes(8, "little") + header)
            out.truncate(8 + len(header) + size)
        with Server(binary, "--memory-budget-bytes", str(BUDGET), "--shared-dir", folder, before_start=group.join) as server:
            before = server.resident()
            with server.connect(30) as one:
                one.send(client.request("POST", "/v1/entropy?input_file=holes"))
                reply = one.reply()
            blocks = file.stat().st_blocks * 512
            claims.claim("a file of holes in memory is refused", reply.status == 422, f"{reply.status} {reply.body[:200]}")
            claims.claim("none of them became memory", blocks < MIB and server.resident() < before + 16 * MIB,
                         f"{megabytes(blocks)} of the file, resident {megabytes(server.resident())}")
            drain_checks(claims, server, "holes: ")


def run(claims, binary, seconds=24):
    try:
        with groups.limited(2 * BUDGET, "bombs") as group:
            for threads in (2, 16):
                case(claims, binary, group, "resampling of strips", resampled(), threads)
                case(claims, binary, group, "steps with tables, sheets, noise", underclaimed(), threads)
                case(claims, binary, group, "one photograph in one view", overclaimed(), threads)
            slow_readers(claims, binary, group, seconds)
            sparse_file(claims, binary, group)
            leavers(claims, binary, group)
            claims.claim("the control group's limit has ended nobody", group.kills() == 0, f"{group.kills()} killed")
    except OSError as error:
        claims.skip("all of it", f"{error}: needs root and a writable control group")
