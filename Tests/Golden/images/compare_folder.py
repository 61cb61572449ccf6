"""Holds every file of a folder against Pillow: the pixels of `convert("RGB")`, or a clear error where either refuses.

    python compare_folder.py DIR --server http://127.0.0.1:8080

DIR may be any folder, such as Tests/images of Pillow's sources; all its JPEG and PNG files are read (by their first
bytes, whatever they are called). Each is posted to /v1/perturb without a step, as bare samples, alpha dropped, once
strictly and, where that is refused as truncated, once more with allow_truncated. Prints one line for each file that is
not simply equal, and the counts. Exits 1 for an unexpected difference or an answer that is neither 200 nor a 4xx problem.
"""

import argparse
import collections
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request
import warnings

import numpy as np
from PIL import Image, ImageFile

SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
# Refused here on purpose, in Pillow by default only from twice as many pixels on.
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


def media_type(content):
    return next((kind for mark, kind in SIGNATURES.items() if content.startswith(mark)), None)


def served(server, content, kind, truncated):
    query = {"steps": "[]", "format": "raw", "alpha": "drop"} | ({"allow_truncated": "true"} if truncated else {})
    request = urllib.request.Request(
        f"{server}/v1/perturb?{urllib.parse.urlencode(query)}", content, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            width, height = map(int, reply.headers["Perception-Size"].split("x"))
            return np.frombuffer(reply.read(), np.uint8).reshape(height, width, 3), None
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            problem = json.loads(text)
            reason = problem["errors"][0]["reason"]
            return None, f"{error.code} {problem['type']}: {reason}"
        except (ValueError, KeyError):
            return None, f"{error.code} {text[:100]!r}"


def pillow(path, truncated):
    ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB")), None, f"{image.format} {image.mode}"
    except Exception as error:  # whatever it is, it is Pillow's refusal
        return None, f"{type(error).__name__}: {error}", "?"
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def verdict(ours, problem, theirs, refusal):
    if problem is not None and not problem.startswith(("400", "413", "415", "422")):
        return "NOT A CLEAR ERROR", problem
    if ours is None:
        return ("both refuse" if theirs is None else "stricter", f"{problem} | {refusal}")
    if theirs is None:
        return "more lenient", refusal
    if ours.shape != theirs.shape:
        return "OTHER SIZE", f"{ours.shape} {theirs.shape}"
    differences = np.abs(ours.astype(int) - theirs)
    if not differences.any():
        return "equal", ""
    return "DIFFERENT", f"{(differences > 0).mean():.2%} of samples, by {differences.max()} at most"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--server", default="http://127.0.0.1:8080")
    options = arguments.parse_args()
    counts = collections.Counter()
    for path in sorted(p for p in options.folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        kind = media_type(content)
        if kind is None:
            continue
        for truncated in (False, True):
            ours, problem = served(options.server, content, kind, truncated)
            theirs, refusal, mode = pillow(path, truncated)
            word, detail = verdict(ours, problem, theirs, refusal)
            counts[word + (" (allow_truncated)" if truncated else "")] += 1
            if word != "equal":
                name = path.relative_to(options.folder)
                print(f"{word}{' (allow_truncated)' if truncated else ''}: {name} [{mode}] {detail}")
            if word == "equal" or ours is not None or "runcated" not in (problem or ""):
                break
    print(json.dumps(counts, indent=1))
    sys.exit(1 if any(word.isupper() for key in counts for word in [key.split(" (")[0]]) else 0)


if __name__ == "__main__":
    main()
