"""Makes the playground's example of the recorded OCR line: small numbers in place of logits, and its three pictures.

    pip install safetensors requests pillow numpy
    perception-server &
    python Tests/Fixtures/shrink_ocr.py http://127.0.0.1:8080

Writes into Sources/CPages/assets/examples:

- `ocr-line.safetensors`, a request for POST /v1/score but for the tensors whose names begin with `shown.`, which are for
  the eye only: `<view>.log_probs`, `<view>.entropy` [1, T] F32 in nats, `token_ids` [1, T] I32, `response_mask` [1, T] U8,
  `advantages` [1] F32, `shown.<view>.top_ids` [1, T, K] I32 and `shown.<view>.top_log_probs` [1, T, K] F32, best first.
  The metadata holds `options`, `tokens`, `steps` and `text` as the recording does, and `vocabulary`, the texts of the
  K likeliest symbols by id.
- `ocr-line.<view>.png`, the line as it stands in the page under each view. The server draws the recorded steps again.
"""

import argparse
import io
import json
import pathlib
import sys

import numpy as np
import onnxruntime
import rapidocr_onnxruntime
import requests
from PIL import Image
from record_ocr import LINE, sorted_header
from safetensors import safe_open
from safetensors.numpy import save

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parents[1] / "Sources/CPages/assets/examples"
VIEWS = ("original", "preserving", "removing")
BEST = 8


def symbols():
    """The recogniser's symbols by id; none has id 0, the blank."""
    models = pathlib.Path(rapidocr_onnxruntime.__file__).parent / "models"
    session = onnxruntime.InferenceSession(
        str(models / "ch_PP-OCRv4_rec_infer.onnx"), providers=["CPUExecutionProvider"])
    return ["", *session.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]


def normalised(logits):
    """log p [T, V] in double precision."""
    wide = logits.astype(np.float64)
    peak = wide.max(-1, keepdims=True)
    return wide - peak - np.log(np.exp(wide - peak).sum(-1, keepdims=True))


def shrunk(recording):
    """The small tensors and metadata."""
    with safe_open(recording, "numpy") as file:
        metadata = dict(file.metadata())
        ids = file.get_tensor("token_ids")[0]
        tensors = {
            "token_ids": ids[np.newaxis].astype(np.int32),
            "response_mask": file.get_tensor("response_mask"),
            "advantages": file.get_tensor("advantages"),
        }
        listed = set()
        for view in VIEWS:
            log_p = normalised(file.get_tensor(f"{view}.logits")[0])
            p = np.exp(log_p)
            best = np.argsort(-log_p, axis=-1, kind="stable")[:, :BEST]
            listed |= set(best.ravel().tolist())
            tensors |= {
                f"{view}.log_probs": log_p[np.arange(len(ids)), ids][np.newaxis].astype(np.float32),
                f"{view}.entropy": -(p * np.where(p > 0, log_p, 0)).sum(-1)[np.newaxis].astype(np.float32),
                f"shown.{view}.top_ids": best[np.newaxis].astype(np.int32),
                f"shown.{view}.top_log_probs": np.take_along_axis(log_p, best, -1)[np.newaxis].astype(np.float32),
            }
    known = symbols()
    metadata["vocabulary"] = json.dumps({str(i): known[i] for i in sorted(listed)}, ensure_ascii=False)
    return tensors, metadata


def pictures(server, steps):
    """The line cut out of each view of the page."""
    page = (HERE / "page.png").read_bytes()
    drawn = {"original": page}
    for view in VIEWS[1:]:
        reply = requests.post(
            f"{server}/v1/perturb", params={"steps": json.dumps(steps[view]["steps"]), "format": "png"}, data=page,
            headers={"Content-Type": "image/png"}, timeout=30)
        if reply.status_code != 200:
            sys.exit(f"{view}: {reply.status_code} {reply.text}")
        drawn[view] = reply.content
    return {view: Image.open(io.BytesIO(data)).convert("RGB").crop(LINE) for view, data in drawn.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("server", help="base URL of a running perception-server")
    server = arguments.parse_args().server.rstrip("/")
    tensors, metadata = shrunk(HERE / "ocr-line.safetensors")
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    target = EXAMPLES / "ocr-line.safetensors"
    target.write_bytes(sorted_header(save(tensors, metadata)))
    print(target, target.stat().st_size, "bytes")
    for view, picture in pictures(server, json.loads(metadata["steps"])).items():
        target = EXAMPLES / f"ocr-line.{view}.png"
        picture.save(target, optimize=True)
        print(target, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
