"""Writes the golden files of logit gradients beside itself: `python Tests/Golden/logit_gradients/generate.py`.

Estimators that look at the realised token alone, with logits given: autograd in float64 goes on from the log-probability
into the logits. Needs torch and numpy. See ../README.md for what a file holds.
"""

import json
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "score")]

import golden_file
from batch import VIEWS, double, log_softmax
from divergence import sampled_divergence
from inputs import draw, logits

OPTIONS = dict(
    clamp_input=None, clamp_result=None, tau=0.1, loss="infonce", stop_gradient=[], temperature=1.0, grad_scale=1.0)


def cases():
    for estimator in ("k1", "abs", "k2", "k3"):
        for dtype in ("F32", "BF16", "F16", "F64"):
            yield f"{estimator}-in-{dtype.lower()}", dtype, 13, dict(estimator=estimator)
        yield f"{estimator}-at-temperature", "F32", 37, dict(estimator=estimator, temperature=0.7)
        yield f"{estimator}-with-the-margin-as-loss", "BF16", 21, dict(estimator=estimator, loss="margin")
        yield f"{estimator}-stopped-and-scaled", "F32", 8, dict(
            estimator=estimator, stop_gradient=["original"], grad_scale=-2.5)
        yield f"{estimator}-of-a-single-token-vocabulary", "F32", 1, dict(estimator=estimator)
        yield f"{estimator}-over-a-wide-vocabulary", "BF16", 301, dict(estimator=estimator, temperature=1.3)
    yield "k3-clamped", "F32", 17, dict(estimator="k3", clamp_input=1.0, clamp_result=0.5)
    yield "k1-clamped", "F32", 17, dict(estimator="k1", clamp_result=0.75)


def gradients(tensors, o):
    """rows that carry loss and ∂loss/∂logits of each view for them; token-mean over the response mask, no detector, no gate."""
    mask = tensors["response_mask"].bool()
    leaves = {v: double(tensors[v + ".logits"]).clone().requires_grad_() for v in VIEWS}
    ids = tensors["token_ids"].unsqueeze(-1)
    used = {v: log_softmax(leaves[v] / o["temperature"]).gather(-1, ids).squeeze(-1) for v in VIEWS}
    for v in o["stop_gradient"]:
        used[v] = used[v].detach()
    margin = sampled_divergence(used["original"], used["preserving"], o)[0]
    margin = margin - sampled_divergence(used["original"], used["removing"], o)[0]
    c = margin if o["loss"] == "margin" else torch.logaddexp(margin / o["tau"], torch.zeros_like(margin))
    loss = torch.where(mask, c, 0.0).sum() / (mask.sum() + 1e-8)
    found = torch.autograd.grad(loss, leaves.values(), allow_unused=True)
    rows = torch.nonzero(mask).squeeze(-1)
    zeros = torch.zeros_like(leaves["original"])
    return rows, {v: ((zeros if g is None else g) * o["grad_scale"])[rows] for v, g in zip(VIEWS, found)}


def main():
    for old in HERE.glob("*.safetensors"):
        old.unlink()
    total = count = 0
    for name, dtype, vocabulary, options in cases():
        o = OPTIONS | options
        random = draw("logit-gradients-" + name)
        tokens = 3 if vocabulary > 100 else 5
        tensors = logits(random, (tokens,), vocabulary, dtype)
        tensors["response_mask"] = torch.ones(tokens, dtype=torch.uint8)
        tensors["response_mask"][tokens // 2] = 0
        rows, found = gradients(tensors, o)
        contents = tensors | {"expect.grad.rows": rows}
        for view, values in found.items():
            assert torch.isfinite(values).all(), name
            contents[f"expect.grad.{view}.logits"] = values.contiguous()
        total += golden_file.write(HERE / f"{name}.safetensors", contents, {"options": json.dumps(o)})
        count += 1
    print(f"{count} files, {total} bytes")


if __name__ == "__main__":
    sys.exit(main())
