"""Clients that leave long work, and what is done for them afterwards."""

import json
import time
import urllib.parse

import client
import pictures
from server import Server, drain_checks

SIDE, STRIP = 7071, 50_000_000
# Of one leaver, as /proc counts it in ticks of 10 ms.
LATEST = 0.1


def long_work():
    """The longest of its kind each: name, steps, picture, query."""
    square, tall = pictures.flat(SIDE, SIDE), pictures.flat(1, STRIP)
    noise = {"step": "diffusion_noise", "t": 500, "noise_seed": 1}
    return [
        ("black_square_cover", [{"step": "black_square_cover", "patch": 1, "coverage": 0.99, "cover_seed": 1}], square, ""),
        ("gaussian_blur", [{"step": "gaussian_blur", "kernel_size": 99, "sigma": 30, "padding": "zeros"}], tall, ""),
        ("patch_shuffle", [{"step": "patch_shuffle", "patch": 1, "shuffle_seed": 1}], square, ""),
        ("occlusion", [{"step": "occlusion", "patches": [[0, 0, SIDE, SIDE]] * 4, "noise_seed": 1}] * 3, square, ""),
        ("zoom_crop", [{"step": "zoom_crop", "left": 0, "top": 0, "width": 1, "height": STRIP // 2}] * 3, tall, ""),
        ("rotation", [{"step": "rotation", "degrees": 45, "interpolation": "bilinear"}] * 2, square, ""),
        ("color_jitter", [{"step": "color_jitter", "hue": 0.2}], square, ""),
        ("PNG, level 9", [noise], square, "&level=9"), ("PNG, level 9, of a strip", [noise], tall, "&level=9"),
        ("JPEG", [noise] * 2, square, "&format=jpeg&quality=100")]


def request(steps, picture, query):
    text = urllib.parse.quote(json.dumps(steps))
    return client.request("POST", f"/v1/perturb?steps={text}{query}", picture, [("Content-Type", "image/png")])


def last_work(server, sent):
    """Processor time between a client's leaving, in the middle of its work, and the last of it; None where it was over before."""
    with server.connect(60) as one:
        one.send(sent)
        begin = server.cpu_seconds()
        deadline = time.monotonic() + 60
        # Decoded, and well into what is asked for: it may have a small part of a core.
        while server.cpu_seconds() < begin + 0.9 and time.monotonic() < deadline:
            time.sleep(0.02)
        if server.gauges()[2] == 0:
            return None
        left = server.cpu_seconds()
    quiet = server.wait_for(lambda: server.gauges()[2] == 0, 20)
    return server.cpu_seconds() - left if quiet else float("inf")


def leavers(claims, binary, group):
    with Server(binary, "--max-image-pixels", str(STRIP), "--memory-budget-bytes", str(1 << 30), before_start=group.join) as server:
        for name, steps, picture, query in long_work():
            late = last_work(server, request(steps, picture, query))
            if late is None:
                claims.note(f"{name} was over before its client could leave")
                continue
            claims.claim(f"{name}: its work ends within {1000 * LATEST:.0f} ms of processor time of its client's leaving",
                         late <= LATEST + 0.01, f"{1000 * late:.0f} ms")
        drain_checks(claims, server, "leavers: ")
    for name, steps, picture, query in long_work()[:3]:
        with Server(binary, "--max-image-pixels", str(STRIP), "--memory-budget-bytes", str(1 << 30), before_start=group.join) as server:
            with server.connect(60) as one:
                one.send(request(steps, picture, query))
                server.wait_for(lambda: server.cpu_seconds() > 0.9, 60)
            begin = time.monotonic()
            code = server.stop()
            spent = time.monotonic() - begin
            claims.claim(f"SIGTERM beside a leaver's {name}: ended within a second", code == 0 and spent < 1, f"exit code {code} after {1000 * spent:.0f} ms")
