"""The options of /v1/score resolved: the default's values, the preset's, the client's, and what follows from them."""

FULL_VOCABULARY = ("full_kl", "jsd", "jeffreys")


def term(anchor, reference, weight=1.0):
    return {"anchor": anchor, "reference": reference, "weight": weight}


TO_PRESERVING, TO_REMOVING = term("original", "preserving"), term("original", "removing", -1.0)

SHARED = dict(
    detector="entropy", score="relative", epsilon=1e-6, min_delta_entropy=0.0, top_k_ratio=0.5, quota="floor",
    scope="sequence", ties="all", candidates="all", gate="positive_advantage", terms=[TO_PRESERVING, TO_REMOVING],
    estimator="k3", loss="infonce", tau=0.1, coefficient=0.01, loss_cap=None, aggregation="token-mean",
    norm_length=None, global_batch_size=None, denominator=None, stop_gradient=[], entropy_coefficients={},
    temperature=1.0, grad_scale=1.0, advantage_shaping="none", advantage_floor=0.9, dependency_min=None,
    dependency_max=None, dependency_mean=None, result_type="F32",
)
EVERY_TOKEN = dict(SHARED, detector="none", gate="none", loss="margin")
PAPO = dict(EVERY_TOKEN, terms=[TO_REMOVING], stop_gradient=["removing"])
PRESETS = {
    "cppo-verl": SHARED,
    "cppo-areal": dict(SHARED, quota="ceil", scope="segment", ties="first", estimator="k1"),
    "cppo-paper": dict(
        SHARED, score="absolute", quota="ceil", ties="first", estimator="full_kl", coefficient=0.02),
    "papo-g": dict(PAPO, coefficient=0.02, entropy_coefficients={"original": 0.05, "removing": 0.05}),
    "papo-d": dict(PAPO, coefficient=0.01, entropy_coefficients={"original": 0.03, "removing": 0.03}),
    "papo-recompute": dict(
        PAPO, coefficient=0.02, entropy_coefficients={"original": 0.05, "removing": 0.05}, stop_gradient=[]),
    "vppo": dict(
        EVERY_TOKEN, detector="divergence", quota="ceil", ties="first", top_k_ratio=0.4, terms=[], coefficient=0.0,
        stop_gradient=["removing"], entropy_coefficients={"original": 0.06}, advantage_shaping="dependency"),
    "bips-consistency": dict(
        EVERY_TOKEN, gate="reward", terms=[TO_PRESERVING], coefficient=0.01, loss_cap=1.0,
        stop_gradient=["preserving"]),
    "bips-separation": dict(
        EVERY_TOKEN, terms=[TO_REMOVING], coefficient=0.02, loss_cap=0.2, stop_gradient=["removing"]),
}


def published_clamps(preset, estimator):
    """(clamp_input, clamp_result) that the preset's program has for an estimator."""
    if preset == "cppo-areal":
        return (None, 10.0) if estimator in ("k1", "k2", "k3") else (None, None)
    if preset == "cppo-paper":
        return None, None
    return (20.0, 10.0) if estimator == "k3" else (None, None)


def resolve(options):
    """Every option explicit: the preset's values, then what the client says, then what depends on both."""
    preset = options.get("preset", "cppo-verl")
    o = dict(PRESETS[preset]) | options | {"preset": preset}
    for name, limit in zip(("clamp_input", "clamp_result"), published_clamps(preset, o["estimator"])):
        o.setdefault(name, limit)
    o.setdefault("gate_threshold", 0.5 if o["gate"] == "reward" else 0.0)
    o.setdefault("gradient_of", "objective" if any(o["entropy_coefficients"].values()) else "loss")
    o["terms"] = [{"weight": 1.0} | t for t in o["terms"]]
    o["full"] = o["estimator"] in FULL_VOCABULARY
    return o
