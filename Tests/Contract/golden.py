"""The golden files, and the one way in which numbers are compared with them."""

import json
import pathlib

import numpy as np

import wire

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "Golden"
MASKS = ("perception_mask", "gate", "mask", "grad.rows")
# Of two entropies, each within 2e-6 nats where it comes from logits: however small, no better than 4e-6.
DIFFERENCES = ("delta_entropy", "perception_score")
COUNTS = ("tokens", "candidates", "selected", "gated")
OF_A_DOMAIN = (".log_probs", ".entropy")
JSON_MARGIN = 1e-3
OPTIONAL_COUNTS = ("groups", "groups_without_spread", "negative_entropies", "positive_log_probs")
MEANS = ("mean_delta_entropy", "mean_contrast", "clamped_fraction", "mean_old_distance")
SCALARS = ("loss", "weighted_loss", "loss_numerator", "loss_denominator", "objective")
BY_VIEW = ("entropy_loss", "entropy_loss_numerator", "entropy_loss_denominator")


def names(part):
    found = sorted(p.stem for p in (FOLDER / part).glob("*.safetensors"))
    assert found, f"no golden files in {part}"
    return found


class Golden:
    def __init__(self, part, name):
        stored, metadata = wire.read((FOLDER / part / f"{name}.safetensors").read_bytes())
        self.name = name
        self.inputs = {k: t for k, t in stored.items() if not k.startswith("expect.")}
        self.outputs = {k.removeprefix("expect."): t.values for k, t in stored.items() if k.startswith("expect.")}
        self.options = json.loads(metadata["options"])
        self.scalars = json.loads(metadata.get("expect", "{}"))
        self.made = json.loads(metadata["made_logits"]) if "made_logits" in metadata else None
        if self.made:
            self.inputs["logits"] = made_logits(self.made)

    @property
    def from_logits(self):
        return any(k.endswith("logits") for k in self.inputs)

    @property
    def as_json(self):
        """JSON has no infinities and NaN, and not the wider margins of low precision around a quantity's domain."""
        floats = {n: t.values for n, t in self.inputs.items() if t.dtype in ("F64", "F32", "F16", "BF16")}
        if not all(np.isfinite(v).all() for v in floats.values()):
            return False
        beyond = {n: v if n.endswith(".log_probs") else -v for n, v in floats.items() if n.endswith(OF_A_DOMAIN)}
        return all(v.max(initial=0.0) <= JSON_MARGIN for v in beyond.values())


def made_logits(made):
    count = int(np.prod(made["shape"]))
    mixed = np.uint64(made["seed"]) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    values = ((mixed >> np.uint64(64 - made["bits"])).astype(np.float64) / 2.0 ** made["bits"] - 0.5) * made["spread"]
    for index, value in made["spikes"]:
        values[index] = float(value)
    if made["dtype"] == "BF16":
        halves = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return wire.Stored("BF16", made["shape"], halves.tobytes())
    return wire.Stored.of(values.astype(wire.TYPES[made["dtype"]]).reshape(made["shape"]))


def assert_close(found, expected, relative, what, scale=1e-30):
    """|found − expected| ≤ relative · (|expected| + scale): F32 replies underflow, so 0 for 1e-40 is right."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.size == expected.size, f"{what}: {found.shape} for {expected.shape}"
    found, expected = found.reshape(-1), expected.reshape(-1)
    if not found.size:
        return
    # Where terms cancel, what is left is the rounding of what was added up.
    scale = max(scale, 1e-14 * np.abs(expected).max() / relative if relative else 0)
    error = np.abs(found - expected) - relative * (np.abs(expected) + scale)
    worst = int(error.argmax())
    assert not np.isnan(error).any() and error[worst] <= 1e-37, (
        f"{what}[{worst}]: {found[worst]!r}, expected {expected[worst]!r}")


def assert_reply(tensors, scalars, expected, expected_scalars, from_logits, partial_tokens=False):
    """Compares a reply's flat arrays and scalars; `partial_tokens`: token_loss is only compared where mask is 1."""
    relative = 2e-5 if from_logits else 2e-6
    for name, values in expected.items():
        found = np.asarray(tensors[name])
        if name in MASKS:
            assert found.reshape(-1).tolist() == values.reshape(-1).tolist(), name
            continue
        if name == "token_loss" and partial_tokens:
            mask = expected["mask"].reshape(-1).astype(bool)
            found, values = found.reshape(-1)[mask], values.reshape(-1)[mask]
        scale = float(np.abs(values).max()) + 1e-3 if from_logits and values.size else 1e-30
        if from_logits and name in DIFFERENCES:
            scale = max(scale, 0.2)
        assert_close(found, values, relative, name, scale)
    found, wanted = numbers(scalars), numbers(expected_scalars)
    for name, value in wanted.items():
        bound = relative * (abs(value) + (1e-2 if from_logits else 0)) + 1.1e-8
        assert abs(found[name] - value) <= bound, f"{name}: {found[name]!r}, expected {value!r}"
    assert not set(found) - set(wanted), f"{set(found) - set(wanted)} were not expected"
    assert_diagnostics(scalars["diagnostics"], expected_scalars["diagnostics"], from_logits)


def numbers(scalars):
    """The losses of a reply by name, those of views as `entropy_loss.original`."""
    flat = {name: scalars[name] for name in SCALARS}
    for name in BY_VIEW:
        flat |= {f"{name}.{view}": value for view, value in (scalars.get(name) or {}).items()}
    return flat


def assert_diagnostics(found, expected, from_logits=False):
    for name in COUNTS:
        assert found[name] == expected[name], f"{name}: {found[name]}, expected {expected[name]}"
    for name in OPTIONAL_COUNTS:
        if name in expected:
            assert found[name] == expected[name], f"{name}: {found[name]}, expected {expected[name]}"
    assert_close_by_name(found, expected, "equal_views", from_logits)
    assert_close_by_name(found, expected, "dependency", from_logits)
    for name in MEANS:
        if name in found and name in expected:
            value = 0 if found[name] is None else found[name]
            bound = 1e-5 * (abs(expected[name]) + (1 if from_logits else 1e-6))
            assert abs(value - expected[name]) <= bound, f"{name}: {value!r}, expected {expected[name]!r}"
    for mine, theirs in zip(found.get("sequences", []), expected.get("sequences", [])):
        assert_diagnostics(mine, theirs, from_logits)


def assert_close_by_name(found, expected, name, from_logits):
    """Numbers by name below a diagnostic; those that are not expected, or null there, are not compared."""
    if name not in expected:
        return
    if expected[name] is None:
        assert found[name] is None, f"{name}: {found[name]}, expected null"
        return
    for key, value in expected[name].items():
        if value is not None:
            bound = 1e-5 * (abs(value) + (1 if from_logits else 1e-6))
            assert abs(found[name][key] - value) <= bound, f"{name}.{key}: {found[name][key]!r}, expected {value!r}"
