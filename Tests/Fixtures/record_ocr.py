"""Records what a trained model says about a line of text under three views made by a running server.

    pip install rapidocr-onnxruntime scikit-image safetensors requests pillow numpy
    perception-server &
    python Tests/Fixtures/record_ocr.py http://127.0.0.1:8080

The model is the text recogniser that ships inside the PyPI package rapidocr-onnxruntime (PP-OCRv4, Apache 2.0).
For each of T positions along a line of text, scaled to 48 pixels high, it gives probabilities of 6,625 symbols.
The page is perturbed as a whole, as a trainer would perturb an image, and the same rectangle is read from each view.
Unlike a vision-language model the recogniser reads by position, so the views must move nothing: without a given seed
the first one is taken whose drawn steps do not (`color_jitter`, `occlusion`). The file records seeds and steps.

Writes safetensors: `<view>.logits` [1, T, V] F16 (logarithms of the probabilities), `token_ids` [1, T] (the most likely
symbols of the original), `response_mask` [1, T] (1 where that symbol is not CTC's blank: only those are text),
`advantages` [1] (the line was read correctly), and in the metadata `options`, `tokens` (JSON list of T strings, `␣` for
a space, empty for a blank), `steps` and `text`.
"""

import argparse
import io
import json
import pathlib
import struct
import sys

import numpy as np
import onnxruntime
import rapidocr_onnxruntime
import requests
from PIL import Image
from safetensors.numpy import save

HERE = pathlib.Path(__file__).parent
BLANK = 0
LINE = (4, 8, 300, 38)
READS = "Region-based segmentation"
HEIGHT = 48
STILL = {"color_jitter", "gaussian_blur", "occlusion"}
SEEDS = range(100)


class Recogniser:
    """log p over symbols for each position of a line."""

    def __init__(self):
        models = pathlib.Path(rapidocr_onnxruntime.__file__).parent / "models"
        self.session = onnxruntime.InferenceSession(
            str(models / "ch_PP-OCRv4_rec_infer.onnx"), providers=["CPUExecutionProvider"])
        listed = self.session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.symbols = ["", *listed, " "]

    def __call__(self, line):
        width = round(HEIGHT * line.width / line.height)
        pixels = np.asarray(line.resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
        planes = (pixels[:, :, ::-1] / 127.5 - 1).transpose(2, 0, 1)
        name = self.session.get_inputs()[0].name
        (probabilities,) = self.session.run(None, {name: planes[np.newaxis]})
        with np.errstate(divide="ignore"):
            return np.log(probabilities[0].astype(np.float64))


def perturbed(server, page, recipe, seed):
    """One view of the page and the steps that were drawn."""
    reply = requests.post(
        f"{server}/v1/perturb", params={"recipe": recipe, "seed": seed, "format": "png"}, data=page,
        headers={"Content-Type": "image/png"}, timeout=30)
    if reply.status_code != 200:
        sys.exit(f"{recipe} with seed {seed}: {reply.status_code} {reply.text}")
    return Image.open(io.BytesIO(reply.content)).convert("RGB"), json.loads(reply.headers["Perception-Steps"])


def still(server, page, recipe):
    """The first seed whose steps move nothing, with its view and steps."""
    for seed in SEEDS:
        image, drawn = perturbed(server, page, recipe, seed)
        if drawn and {step["step"] for step in drawn} <= STILL:
            return seed, image, drawn
    sys.exit(f"{recipe}: none of {len(SEEDS)} seeds draws only steps that move nothing")


def entropy(log_p):
    return -(np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)).sum(-1)


def table(tokens, views):
    """What a person checks: entropies before and after, and how likely each character stays."""
    ids = views["original"].argmax(-1)
    print("  t  token  H original  H removing  log p: original  preserving  removing")
    for t, token in enumerate(tokens):
        if token:
            rise = [entropy(views[v][t]) for v in ("original", "removing")]
            logs = [views[v][t, ids[t]] for v in ("original", "preserving", "removing")]
            numbers = f"{rise[0]:10.4f}  {rise[1]:10.4f}  {logs[0]:15.4f}  {logs[1]:10.4f}  {logs[2]:8.4f}"
            print(f"{t:3}    {token}    {numbers}")


def sorted_header(data):
    """The same file with the header's members in order: the package writes metadata in the order of a hash map."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(dict(sorted(header.items())), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("server", help="base URL of a running perception-server")
    arguments.add_argument("--page", type=pathlib.Path, default=HERE / "page.png")
    arguments.add_argument("--preserving", default="cppo-preserving")
    arguments.add_argument("--preserving-seed", type=int)
    arguments.add_argument("--removing", default="cppo-removing")
    arguments.add_argument("--removing-seed", type=int)
    arguments.add_argument("--output", type=pathlib.Path, default=HERE / "ocr-line.safetensors")
    chosen = arguments.parse_args()

    page = chosen.page.read_bytes()
    images = {"original": Image.open(io.BytesIO(page)).convert("RGB")}
    steps = {}
    for view, recipe, seed in (
        ("preserving", chosen.preserving, chosen.preserving_seed),
        ("removing", chosen.removing, chosen.removing_seed),
    ):
        if seed is None:
            seed, images[view], drawn = still(chosen.server.rstrip("/"), page, recipe)
        else:
            images[view], drawn = perturbed(chosen.server.rstrip("/"), page, recipe, seed)
        steps[view] = {"recipe": recipe, "seed": seed, "steps": drawn}
        if images[view].size != images["original"].size:
            sys.exit(f"{view}: a view for training must keep the size {images['original'].size}")
        print(view, "seed", seed, ", ".join(sorted({step["step"] for step in drawn})) or "nothing drawn")

    read = Recogniser()
    views = {view: read(image.crop(LINE)) for view, image in images.items()}
    ids = views["original"].argmax(-1)
    tokens = [read.symbols[i].replace(" ", "␣") for i in ids]
    kept = [i for t, i in enumerate(ids) if i != BLANK and (t == 0 or i != ids[t - 1])]
    text = "".join(read.symbols[i] for i in kept)
    if text != READS:
        sys.exit(f"the original must read {READS!r} for its advantage to be positive, but reads {text!r}")
    table(tokens, views)

    tensors = {f"{view}.logits": log_p[np.newaxis].astype(np.float16) for view, log_p in views.items()}
    tensors["token_ids"] = ids[np.newaxis].astype(np.int64)
    tensors["response_mask"] = (ids != BLANK)[np.newaxis].astype(np.uint8)
    tensors["advantages"] = np.array([1], np.float32)
    metadata = {
        "options": json.dumps({"preset": "cppo-verl"}),
        "steps": json.dumps(steps),
        "text": text,
        "tokens": json.dumps(tokens, ensure_ascii=False),
    }
    chosen.output.write_bytes(sorted_header(save(tensors, metadata)))
    characters = int((ids != BLANK).sum())
    print(f"{chosen.output}: {len(ids)} positions, {characters} characters, {chosen.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
