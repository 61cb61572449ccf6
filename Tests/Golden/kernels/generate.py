"""Rows of logits and what they say, in float64, for the kernels' driver in Tests/Kernels.

Names say all: `statistics.<type>.<temperature>.<what>.<length>` is one row and `contrast.<type>.…` three, [3, V], as the
bytes of their type; `expect.statistics.…` is [log-sum-exp, entropy] and the other `expect.` are as in `contrast` below.

    pip install numpy safetensors && python Tests/Golden/kernels/generate.py
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1000, 1023, 1024, 1025, 2500)
LONG = (1025, 3333)
SLOPES, ANCHOR_LEVELS, LEVELS = (0.7, -0.3), (0.25, -0.5), (0.125, 0.75)


def stored(values, kind):
    """The bytes of the values in a type, and what they are after rounding."""
    values = np.asarray(values, np.float32)
    if kind == "f32":
        return values.view(np.uint8), values.astype(np.float64)
    if kind == "f16":
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        return halves.view(np.uint8), halves.astype(np.float64)
    bits = values.view(np.uint32) >> 16
    return bits.astype(np.uint16).view(np.uint8), (bits << 16).view(np.float32).astype(np.float64)


def shapes(length, random):
    """Rows that meet each path of the kernels."""
    index = np.arange(length)
    bell = random.normal(0, 3, length)
    yield "bell", bell
    if length in LONG:
        yield "equal", np.full(length, -3.3)
        yield "one-huge", np.where(index == length // 2, 90.0, 0.1)
        yield "every-third-minus-infinity", np.where(index % 3 == 1, -np.inf, bell)
        yield "masked-by-the-lowest", np.where(index % 5 == 2, -6e4, bell)
        yield "denormals", (index % 5 - 2) * 2.0**-24
        yield "rising", index * 0.02
        yield "far-below-zero", bell - 900
        yield "far-above-zero", bell + 9000
        yield "steps", index // 1024 * 50.0 + index % 7
        yield "at-the-exponents-end", np.where(index == 3, 0, -86.5 - index % 12 * 0.125)
        yield "plateau-below-a-peak", np.where(index == length - 1, 8.0, 0)


def log_softmax(z, temperature):
    x = (z - z.max(-1, keepdims=True)) / temperature
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def statistics(z, temperature):
    logs = log_softmax(z, temperature)
    p = np.exp(logs)
    top = z.max() / temperature
    with np.errstate(invalid="ignore"):
        entropy = -np.where(p > 0, p * logs, 0).sum()
    return np.array([top + np.log(np.exp((z - z.max()) / temperature).sum()), entropy])


def contrast(z, temperature):
    """Sums, crossed, halves of both symmetric divergences, and gradients in the order of the driver, by the formulas of
    contrast_kernels.h."""
    x = z - z.max(-1, keepdims=True)
    logs = log_softmax(z, temperature)
    p, e = np.exp(logs), np.exp(x / temperature)
    numbers = [*e.sum(-1), *(e[0] * (x[0] - x[1:])).sum(-1)]
    means = np.log((p[0] + p[1:]) / 2)
    for towards_reference, towards_anchor in ((means, means), (logs[1:], logs[:1])):
        numbers += [*(p[0] * (logs[0] - towards_reference)).sum(-1), *(p[1:] * (logs[1:] - towards_anchor)).sum(-1)]
    gradients = np.zeros((10, z.shape[-1]))
    for r, (slope, anchor_level, level) in enumerate(zip(SLOPES, ANCHOR_LEVELS, LEVELS)):
        gap, mean = logs[0] - logs[r + 1], means[r]
        gradients[0] += slope * p[0] * (x[0] - x[r + 1] - anchor_level) / temperature
        gradients[r + 1] = slope * (p[r + 1] - p[0])
        gradients[3] += slope * p[0] * (logs[0] - mean - anchor_level)
        gradients[r + 4] = slope * p[r + 1] * (logs[r + 1] - mean - level)
        gradients[6] += slope * (p[0] * (gap - anchor_level) + p[0] - p[r + 1])
        gradients[r + 7] = slope * (p[r + 1] * (-gap - level) + p[r + 1] - p[0])
    gradients[9] = -2 * p[0]
    return np.array(numbers), gradients


def main():
    random = np.random.default_rng(20)
    tensors = {}
    for kind in ("f32", "bf16", "f16"):
        for length in (*LENGTHS, LONG[-1]):
            for what, values in shapes(length, random):
                data, exact = stored(values, kind)
                for temperature in (1, 0.7) if length in LONG else (1,):
                    name = f"statistics.{kind}.{temperature}.{what}.{length}"
                    tensors[name] = data
                    tensors[f"expect.{name}"] = statistics(exact, temperature)
        for length, temperature in ((1, 1), (3, 1), (8, 0.7), (37, 1), (130, 1.5)):
            base = random.normal(0, 2, length)
            rows = np.stack([base, base + random.normal(0, 0.3, length), 0.6 * base])
            data, exact = stored(rows, kind)
            name = f"contrast.{kind}.{temperature}.views.{length}"
            tensors[name] = data.reshape(3, -1)
            tensors[f"expect.{name}"], tensors[f"expect.gradients.{name}"] = contrast(exact, temperature)
    save_file(tensors, HERE / "rows.safetensors")


if __name__ == "__main__":
    main()
