"""How near entropies from the k likeliest tokens come to exact ones: `python3 Tests/Benchmarks/entropy_bounds.py` (numpy).

First the recorded logits of Tests/Fixtures/ocr-line.safetensors: which perception tokens are selected from the middle,
lower and upper bounds of both entropies, as cppo-verl selects (floor, one sequence, half of the candidates, all ties),
beside those of the exact entropies. A token is undecided when some entropies within the bounds select it and others do
not; it is counted token by token against the extremes of all others, so the count may be too high, never too low.
Then made rows of a vocabulary of 151,936: the interval's width for logits of several shapes.

Everything is float64, from the formulas, and shares nothing with the server.
"""

import json
import pathlib
import struct

import numpy as np

FIXTURE = pathlib.Path(__file__).parent.parent / "Fixtures" / "ocr-line.safetensors"
SIZES = (5, 20, 100)
VOCABULARY = 151_936
EPSILON = 1e-6


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    kinds = {"F16": np.float16, "F32": np.float32, "I64": np.int64, "U8": np.uint8}
    return {
        name: np.frombuffer(data[8 + length :][slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(
            entry["shape"])
        for name, entry in header.items() if name != "__metadata__"}


def log_softmax(logits):
    z = logits.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def h(p):
    return -p * np.log(p) if p > 0 else 0.0


def exact(log_p):
    return -(np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)).sum(-1)


def bounds(log_p, k, realised):
    """Lower and upper entropy of one row from its k likeliest tokens and the realised one."""
    order = np.argsort(-log_p, kind="stable")[:k]
    p = np.exp(log_p[order][~np.isneginf(log_p[order])])
    known = list(p) if realised in order else [*p, np.exp(log_p[realised])]
    total = sum(map(h, known))
    others = len(log_p) - len(known)
    rest = min(1 - sum(sorted(known)), others * p.min())
    if rest <= 0:
        return total, total
    full = np.floor(rest / p.min())
    return total + full * h(p.min()) + h(rest - full * p.min()), total + rest * np.log(others / rest)


def scores(original, removing, kind):
    rise = removing - original
    score = np.maximum(rise, 0)
    return rise > 0, score / (removing + EPSILON) if kind == "relative" else score


def select(candidates, score):
    n = int(candidates.sum())
    if n == 0:
        return candidates
    k = max(1, int(np.floor(np.float32(n) * np.float32(0.5))))
    return candidates & (score >= np.sort(score[candidates])[-k])


def undecided(lower, upper, kind):
    """Tokens whose selection the bounds leave open: one at its best against all others at their worst, and so on."""
    # Both scores rise with the removing view's entropy and fall with the original's.
    least = scores(upper["original"], lower["removing"], kind)
    most = scores(lower["original"], upper["removing"], kind)
    open_tokens = 0
    for t in range(len(least[1])):
        fates = []
        for mine, theirs in ((least, most), (most, least)):
            candidates, score = theirs[0].copy(), theirs[1].copy()
            candidates[t], score[t] = mine[0][t], mine[1][t]
            # A quota is a share of the candidates, whose number is open as well.
            sure, possible = least[0].copy(), most[0].copy()
            sure[t] = possible[t] = mine[0][t]
            if not mine[0][t]:
                fates.append({False})
                continue
            quotas = {max(1, int(np.floor(np.float32(n) * np.float32(0.5))))
                      for n in range(max(1, int(sure.sum())), int(possible.sum()) + 1)}
            above = int((score[candidates] > score[t]).sum())
            fates.append({above < k for k in quotas})
        open_tokens += len(fates[0] | fates[1]) > 1
    return open_tokens


def recorded():
    file = read(FIXTURE)
    response = file["response_mask"].reshape(-1) != 0
    ids = file["token_ids"].reshape(-1)[response]
    views = {v: log_softmax(file[f"{v}.logits"][0][response]) for v in ("original", "removing")}
    print(f"recorded: {response.sum()} response tokens, V = {views['original'].shape[-1]}")
    for view, log_p in views.items():
        print(f"  exact entropy, {view}: median {np.median(exact(log_p)):.4f}, max {exact(log_p).max():.4f}")
    print("  k    score     middle  lower   upper   undecided  width original (median, max)  removing (median, max)")
    for k in SIZES:
        rows = {v: np.array([bounds(r, k, i) for r, i in zip(log_p, ids)]) for v, log_p in views.items()}
        for v, log_p in views.items():
            assert (rows[v][:, 0] <= exact(log_p) + 1e-9).all() and (rows[v][:, 1] >= exact(log_p) - 1e-9).all()
        lower = {v: r[:, 0] for v, r in rows.items()}
        upper = {v: r[:, 1] for v, r in rows.items()}
        width = {v: upper[v] - lower[v] for v in rows}
        for kind in ("relative", "absolute"):
            wanted = select(*scores(exact(views["original"]), exact(views["removing"]), kind))
            agreement = []
            for weight in (0.5, 0.0, 1.0):
                taken = {v: (1 - weight) * lower[v] + weight * upper[v] for v in rows}
                found = select(*scores(taken["original"], taken["removing"], kind))
                agreement.append((found == wanted).mean())
            print(
                f"  {k:<4} {kind}  " + "  ".join(f"{a:.3f} " for a in agreement)
                + f" {undecided(lower, upper, kind):>9}  "
                + "  ".join(f"{np.median(width[v]):>12.5f} {width[v].max():.5f}" for v in width))


def made():
    print(f"\nmade rows: V = {VOCABULARY}")
    print("  row                    entropy   " + "  ".join(f"k = {k:<4} r, width    " for k in SIZES))
    random = np.random.default_rng(0)
    normal = random.normal(size=VOCABULARY)
    rank = np.arange(1, VOCABULARY + 1)
    shapes = {
        "all equal": np.zeros(VOCABULARY), "normal, spread 1": normal, "normal, spread 3": 3 * normal,
        "one at .52, rest equal": np.where(rank == 1, np.log(0.52 / 0.48 * (VOCABULARY - 1)), 0.0),
        "Zipf, exponent 1": -np.log(rank), "Zipf, exponent 1.5": -1.5 * np.log(rank),
        "Zipf, exponent 2": -2 * np.log(rank), "geometric, ratio .5": -np.log(2) * np.minimum(rank, 900),
    }
    for name, logits in shapes.items():
        log_p = log_softmax(logits)
        cells = []
        for k in SIZES:
            order = np.argsort(-log_p, kind="stable")
            lower, upper = bounds(log_p, k, order[0])
            assert lower <= exact(log_p) + 1e-9 and upper >= exact(log_p) - 1e-9
            cells.append(f"{max(0, 1 - np.exp(log_p[order[:k]]).sum()):>8.5f} {upper - lower:>8.5f}")
        print(f"  {name:<22} {exact(log_p):8.4f}   " + "     ".join(cells))


if __name__ == "__main__":
    recorded()
    made()
