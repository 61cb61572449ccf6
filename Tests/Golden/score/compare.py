"""Compares a running server with float64 autograd over random option sets of /v1/score.

    python Tests/Golden/score/compare.py --count 1000 --url http://127.0.0.1:8080     (torch, numpy, requests)
    python Tests/Golden/score/compare.py --twin                                       (no server: the NumPy twin replies)

Requests go out as safetensors. Errors: `loss` and the other scalars relative to themselves, tensors relative to their
largest element, masks and counts exactly. Draws whose selection, clamp or cap hangs on the last bits are left out and
counted. Two bounds: --bound for requests of which no number comes from logits, --logits-bound for those that the server
reduces from logits, F32 and BF16 ones in Float32 lanes: a difference of two such entropies is as coarse as they are, and
so is a sum of terms that cancel. There, numbers are measured against what is added up, not against what is left of it.
Ends with 1 when a bound is passed, a mask differs or a request is refused.
"""

import argparse
import collections
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "Contract"), str(HERE.parent)]

import golden
import score_draws
import twin
import wire
from conditioning import certain, on_a_clamp
from method import score

WHOLE = ("perception_mask", "gate", "mask", "grad.rows")


class Errors:
    """The largest error of each output, and of gradients and loss for each estimator and preset."""

    def __init__(self):
        self.largest = collections.defaultdict(lambda: (0.0, None))
        self.faults = []

    def add(self, kind, name, o, error, seed):
        keys = [(kind, name)]
        if name == "loss" or name.startswith("grad."):
            part = "loss" if name == "loss" else "gradients"
            keys += [(kind, f"{part} of {o['estimator']}"), (kind, f"{part} with preset {o['preset']}")]
        for key in keys:
            if error > self.largest[key][0] or self.largest[key][1] is None:
                self.largest[key] = error, seed

    def fault(self, seed, text):
        self.faults.append(f"draw {seed}: {text}")
        if len(self.faults) <= 10:
            print(f"\r{self.faults[-1]}", flush=True)


def difference(found, expected, scale):
    found, expected = np.asarray(found, np.float64).reshape(-1), np.asarray(expected, np.float64).reshape(-1)
    if found.shape != expected.shape:
        return np.inf
    error = np.abs(found - expected).max(initial=0.0)
    return float(error / max(scale, 1e-30)) if error > 1e-37 else (np.inf if np.isnan(error) else 0.0)


def scales(expected, scalars, info, logits):
    """What the error of each output is measured against."""
    tensors = {k: np.abs(np.asarray(v, np.float64)).max(initial=0.0) for k, v in expected.items()}
    steepest = max((v for k, v in tensors.items() if k.startswith(("grad.", "weights."))), default=0.0)
    for name in tensors:
        if name.startswith(("grad.", "weights.")):
            # A sum of slopes that cancels leaves their rounding.
            tensors[name] = max(tensors[name], (1e-2 if logits else 1e-9) * steepest)
        elif logits:
            tensors[name] = max(tensors[name], 1.0)
    numbers = {name: abs(value) for name, value in golden.numbers(scalars).items()}
    added_up, coefficient = info["magnitude"] * (1.0 if logits else 1e-7), abs(info["options"]["coefficient"])
    surprise = max((v for name, v in numbers.items() if name.startswith("entropy_loss.")), default=0.0)
    for name, size in {
        "loss": added_up, "loss_numerator": added_up * numbers["loss_denominator"],
        "weighted_loss": added_up * coefficient,
        "objective": added_up * coefficient + surprise * (1e-2 if logits else 1e-9)}.items():
        numbers[name] = max(numbers[name], size)
    return tensors, numbers


def compare(request, seed, reply, errors):
    tensors = {k: torch.tensor(np.array(t.values)) for k, t in request.tensors.items()}
    expected, scalars, info = score(tensors, request.options)
    if certain(info, request.from_logits) is not None or on_a_clamp(info, request.from_logits):
        return False
    try:
        found, told = reply(request)
    except Refused as refusal:
        errors.fault(seed, f"{refusal}\n  options {json.dumps(request.options)}\n  tensors {sorted(request.tensors)}")
        return True
    o, kind = info["options"], "from logits" if request.from_logits else "from log-probs"
    expected = {k: v.numpy() for k, v in expected.items()}
    if set(found) - {"loss", "loss_numerator", "loss_denominator", "weighted_loss", "objective"} != set(expected):
        errors.fault(seed, f"tensors {sorted(set(found) ^ set(expected))} only on one side; {json.dumps(request.options)}")
    sizes, scalar_sizes = scales(expected, scalars, info, request.from_logits)
    for name, values in expected.items():
        if name not in found:
            continue
        if name in WHOLE:
            if np.asarray(found[name]).reshape(-1).tolist() != values.reshape(-1).tolist():
                errors.fault(seed, f"{name} differs; {json.dumps(request.options)}")
        else:
            errors.add(kind, name, o, difference(found[name], values, sizes[name]), seed)
    numbers = golden.numbers(told)
    for name, value in golden.numbers(scalars).items():
        error = difference(numbers.get(name, np.nan), value, scalar_sizes[name])
        errors.add(kind, name, o, error, seed)
    try:
        golden.assert_diagnostics(told["diagnostics"], scalars["diagnostics"], request.from_logits)
    except (AssertionError, KeyError) as problem:
        errors.fault(seed, f"diagnostics: {problem!r}; {json.dumps(request.options)}")
    return True


class Refused(Exception):
    pass


def from_twin(request):
    return twin.score(request.values, request.options)


def from_server(url):
    import requests
    session = requests.Session()

    def reply(request):
        try:
            answer = wire.post_safetensors(session, f"{url}/v1/score", request.tensors, request.options)
        except requests.ConnectionError as problem:
            sys.exit(f"no server answers at {url}: {problem}")
        if answer.status_code != 200:
            raise Refused(f"{answer.status_code} {answer.text}")
        stored, metadata = wire.read(answer.content)
        return {k: t.values for k, t in stored.items()}, json.loads(metadata["result"])

    return reply


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--twin", action="store_true", help="the NumPy twin replies instead of a server")
    parser.add_argument("--count", type=int, default=200, help="requests to compare")
    parser.add_argument("--seed", type=int, default=0, help="draws seed, seed + 1, …")
    parser.add_argument("--log-probs-only", action="store_true", help="no request with logits")
    parser.add_argument("--bound", type=float, default=1e-6)
    parser.add_argument("--logits-bound", type=float, default=2e-5)
    given = parser.parse_args()
    reply = from_twin if given.twin else from_server(given.url)
    errors, compared, seed = Errors(), collections.Counter(), given.seed
    while compared.total() < given.count:
        request = score_draws.Request(np.random.default_rng(seed), given.log_probs_only)
        if compare(request, seed, reply, errors):
            compared["from logits" if request.from_logits else "from log-probs"] += 1
        seed += 1
        if sys.stderr.isatty() or seed % 100 == 0:
            print(f"\r{compared.total()} of {given.count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    left_out = seed - given.seed - compared.total()
    print(f"{compared.total()} requests compared ({dict(compared)}), {left_out} left out, {len(errors.faults)} faults")
    beyond = 0
    for kind, bound in (("from log-probs", given.bound), ("from logits", given.logits_bound)):
        print(f"\n{kind}, bound {bound:.0e}{'':28}largest error   draw")
        for (its, name), (error, draw) in sorted(errors.largest.items()):
            if its == kind:
                beyond += error > bound
                print(f"  {name:50} {error:12.2e} {draw:6}{'   beyond' if error > bound else ''}")
    return 1 if beyond or errors.faults else 0


if __name__ == "__main__":
    sys.exit(main())
