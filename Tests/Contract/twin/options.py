"""Presets, and every option that follows from another."""

VIEWS = ("original", "preserving", "removing")
FULL_VOCABULARY = ("full_kl", "jsd", "jeffreys")


def pair(anchor, reference, weight):
    return {"anchor": anchor, "reference": reference, "weight": weight}


NEAR, FAR = pair("original", "preserving", 1), pair("original", "removing", -1)
COMMON = dict(
    detector="entropy", score="relative", quota="floor", scope="sequence", ties="all", candidates="all", epsilon=1e-6,
    min_delta_entropy=0, top_k_ratio=0.5, gate="positive_advantage", terms=[NEAR, FAR], estimator="k3", loss="infonce",
    tau=0.1, coefficient=0.01, loss_cap=None, aggregation="token-mean", norm_length=None, global_batch_size=None,
    denominator=None, stop_gradient=[], entropy_coefficients={}, temperature=1, grad_scale=1, advantage_shaping="none",
    advantage_floor=0.9, dependency_min=None, dependency_max=None, dependency_mean=None, result_type="F32")
PLAIN = COMMON | dict(detector="none", gate="none", loss="margin", terms=[FAR], stop_gradient=["removing"])
PRESETS = {
    "cppo-verl": COMMON,
    "cppo-areal": COMMON | dict(quota="ceil", scope="segment", ties="first", estimator="k1"),
    "cppo-paper": COMMON | dict(score="absolute", quota="ceil", ties="first", estimator="full_kl", coefficient=0.02),
    "papo-g": PLAIN | dict(coefficient=0.02, entropy_coefficients=dict(original=0.05, removing=0.05)),
    "papo-d": PLAIN | dict(coefficient=0.01, entropy_coefficients=dict(original=0.03, removing=0.03)),
    "papo-recompute": PLAIN | dict(
        coefficient=0.02, entropy_coefficients=dict(original=0.05, removing=0.05), stop_gradient=[]),
    "vppo": PLAIN | dict(
        detector="divergence", quota="ceil", ties="first", top_k_ratio=0.4, terms=[], coefficient=0,
        entropy_coefficients=dict(original=0.06), advantage_shaping="dependency"),
    "bips-consistency": PLAIN | dict(
        gate="reward", terms=[NEAR], coefficient=0.01, loss_cap=1.0, stop_gradient=["preserving"]),
    "bips-separation": PLAIN | dict(coefficient=0.02, loss_cap=0.2),
}
AREAL = {"k1": (None, 10), "k2": (None, 10), "k3": (None, 10)}
CLAMPS = {name: {"k3": (20, 10)} for name in PRESETS} | {"cppo-areal": AREAL, "cppo-paper": {}}


def resolve(options):
    preset = options.get("preset", "cppo-verl")
    resolved = PRESETS[preset] | options
    clamp_input, clamp_result = CLAMPS[preset].get(resolved["estimator"], (None, None))
    wanted = "objective" if any(resolved["entropy_coefficients"].values()) else "loss"
    implied = {
        "preset": preset, "clamp_input": clamp_input, "clamp_result": clamp_result, "gradient_of": wanted,
        "gate_threshold": 0.5 if resolved["gate"] == "reward" else 0}
    return implied | resolved
