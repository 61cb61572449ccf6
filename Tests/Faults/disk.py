"""Shared folder on a full file system; it fills while results are written, disappears, becomes read-only."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

import scoring
import wire
from server import Server, drain_checks

MEGABYTES = 8


def mount(folder, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "faults", str(folder)], capture_output=True, text=True)


def remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True, capture_output=True)


def batch(rows=32, vocabulary=8000):
    """full_kl whose gradients take three times 1 MB."""
    return scoring.full(rows, vocabulary, 3)


def word(reply):
    return json.loads(reply.body).get("type") if "problem" in reply.headers.get("content-type", "") else None


def fill(folder, leave):
    """Takes all space but so many bytes."""
    room = os.statvfs(folder)
    with open(folder / "ballast", "wb") as ballast:
        ballast.write(bytes(max(0, room.f_bavail * room.f_frsize - leave)))


def same_result(folder, kind, expected):
    """The file holds what the reply to the same body held."""
    found, _ = wire.read((folder / "result").read_bytes())
    return set(found) == set(expected) and all((found[k].values == expected[k].values).all() for k in expected)


def run(claims, binary):
    base = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
    folder = base / "shared"
    folder.mkdir()
    made = mount(folder, f"size={MEGABYTES}m")
    if made.returncode:
        claims.skip("full disk", f"cannot mount a small file system ({made.stderr.strip()}): run as root, or allow unshare --user")
        shutil.rmtree(base)
        return
    try:
        with Server(binary, "--shared-dir", str(folder)) as server:
            storage(claims, server, folder)
            vanishing(claims, server, folder, base)
            drain_checks(claims, server)
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)
        shutil.rmtree(base, ignore_errors=True)


def storage(claims, server, folder):
    kind = batch()
    kind.learn(server)
    with server.connect() as one:
        one.send(kind.bytes)
        expected, _ = wire.read(one.reply().body)
    path, headers = "/v1/score?preset=cppo-paper&output_file=result", wire.MEDIA_TYPE

    def ask():
        return server.post(path, kind.body, headers)

    reply = ask()
    claims.claim("with room, results go into the file", reply.status == 200 and same_result(folder, kind, expected),
                 f"{reply.status}, {(folder / 'result').stat().st_size} bytes" if reply.status == 200 else reply.body[:200])
    size = (folder / "result").stat().st_size
    (folder / "result").unlink()
    for leave in (0, 4096, size // 2, size - 8192):
        fill(folder, leave)
        reply = ask()
        left = sorted(os.listdir(folder))
        claims.claim(f"{leave} bytes free: 507 shared-storage-full, and no part of a file stays",
                     (reply.status, word(reply), left) == (507, "shared-storage-full", ["ballast"]), f"{reply.status} {word(reply)}, {left}")
        (folder / "ballast").unlink()
    (folder / "result").write_bytes(b"older")
    fill(folder, 4096)
    reply = ask()
    claims.claim("a result that does not fit leaves the older one of that name",
                 reply.status == 507 and (folder / "result").read_bytes() == b"older", f"{reply.status}")
    (folder / "ballast").unlink()
    reply = ask()
    claims.claim("it recovers when there is room", reply.status == 200 and same_result(folder, kind, expected), f"{reply.status}")
    (folder / "result").unlink()
    filling(claims, server, folder, kind, expected, ask)


def filling(claims, server, folder, kind, expected, ask):
    """Somebody else fills and empties the disk while results are written."""
    over, statuses, bad = threading.Event(), [], []

    def other():
        chance = random.Random(5)
        while not over.is_set():
            with contextlib.suppress(OSError), open(folder / "ballast", "wb") as ballast:
                for _ in range(chance.randrange(8, 18)):
                    ballast.write(bytes(512 << 10))
                    ballast.flush()
            time.sleep(chance.random() * 0.004)
            (folder / "ballast").unlink(missing_ok=True)

    filler = threading.Thread(target=other)
    filler.start()
    try:
        for _ in range(150):
            reply = ask()
            statuses.append(reply.status)
            if reply.status == 200:
                if not same_result(folder, kind, expected):
                    bad.append("another result")
                (folder / "result").unlink()
            elif word(reply) != "shared-storage-full":
                bad.append(f"{reply.status} {word(reply)}")
            elif (folder / "result").exists():
                bad.append("a file in spite of 507")
    finally:
        over.set()
        filler.join()
    (folder / "ballast").unlink(missing_ok=True)
    claims.claim("a disk that fills and empties meanwhile: a whole result or 507, never anything between",
                 not bad and {200, 507} == set(statuses) and not os.listdir(folder),
                 f"{statuses.count(200)} and {statuses.count(507)}" if not bad else f"{bad[:3]} {os.listdir(folder)}")


def vanishing(claims, server, folder, base):
    kind = scoring.compact(4, 300, 3)
    kind.learn(server)
    path = "/v1/score?output_file=result"

    def ask(path=path, body=kind.body):
        return server.post(path, body, wire.MEDIA_TYPE)

    remount(folder, "ro")
    reply = ask()
    claims.claim("read-only: a 4xx or 507 that says so, not a 500", reply.status in (422, 507), f"{reply.status} {reply.body[:160]}")
    claims.claim("requests without files are answered meanwhile", server.post("/v1/score", kind.body, wire.MEDIA_TYPE).status == 200)
    remount(folder, "rw")
    claims.claim("writable again: answered", ask().status == 200)
    (folder / "input").write_bytes(kind.body)
    claims.claim("a file is read", server.post("/v1/score?input_file=input", b"", wire.MEDIA_TYPE).status == 200)

    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
    os.rename(folder, base / "moved")
    replies = [ask(), server.post("/v1/score?input_file=input", b"", wire.MEDIA_TYPE), ask("/v1/score", kind.body)]
    claims.claim("the folder is gone: 2xx, 422 or 507 for its files, the rest is answered",
                 all(r.status in (200, 422, 507) for r in replies) and replies[2].status == 200, str([r.status for r in replies]))
    inner = base / "moved"
    shutil.rmtree(inner)
    replies = [ask(), ask("/v1/score", kind.body)]
    claims.claim("nothing comes into its place elsewhere", not folder.exists() and replies[1].status == 200, str([r.status for r in replies]))
