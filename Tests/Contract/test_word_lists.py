"""Lists of the contract's words that code in other languages keeps by hand.

The compiler holds the server's own. These would go stale unseen: a new estimator that the client takes for one of
realised tokens, or a new option that `count` sends to /v1/mask, which refuses it.
"""

import ast
import pathlib
import re

import numpy as np
import requests
import score_draws
import twin
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT = ROOT / "Sources/perception-client/perception_client"
SCHEMAS = yaml.safe_load((ROOT / "openapi.yaml").read_text())["components"]["schemas"]
ALIASES = {"low_var_kl"}
PULL = {"anchor": "original", "reference": "preserving", "weight": 1}
ESTIMATORS = {*SCHEMAS["Estimator"]["enum"]} - ALIASES


def constant(path, name):
    """The words in the value of a module's constant."""
    (value,) = [
        node.value for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]
    return {node.value for node in ast.walk(value) if isinstance(node, ast.Constant)}


def options(schema):
    return {*SCHEMAS[schema]["properties"]}


def rollout(log_probs):
    """One that only needs log-probabilities, by view."""
    return {view: {"log_probs": x, "entropy": [1.0] * len(x)} for view, x in log_probs.items()} | {"advantage": 1.0}


def needing_logits(url):
    """The estimators that refuse log-probabilities."""
    one = rollout({view: [-1.0, -2.0] for view in twin.VIEWS})
    found = {}
    for estimator in ESTIMATORS:
        reply = requests.post(
            url + "/v1/score", json={"options": {"estimator": estimator}, "rollouts": [one]}, timeout=10)
        assert reply.status_code in (200, 400, 422), reply.text
        assert reply.ok or "logits" in reply.json()["detail"], reply.text
        found[estimator] = not reply.ok
    return {estimator for estimator, refused in found.items() if refused}


def test_estimators_over_the_vocabulary(server):
    expected = needing_logits(server)
    assert expected and expected < ESTIMATORS
    assert constant(CLIENT / "losses.py", "FULL_VOCABULARY") == expected
    assert {*twin.FULL_VOCABULARY} == expected
    assert constant(ROOT / "Tests/Golden/score/options.py", "FULL_VOCABULARY") == expected
    page = (ROOT / "Sources/CPages/assets/script/inputs/tensor-inputs.js").read_text()
    assert {*re.findall(r'"(\w+)"', re.search(r"FULL_VOCABULARY = new Set\((.*?)\)", page, re.S)[1])} == expected


def test_estimators_of_realised_tokens_are_drawn(server):
    assert {*score_draws.SAMPLED} == ESTIMATORS - needing_logits(server)


def test_estimators_whose_anchor_has_no_gradient_of_its_own(server):
    """Those whose anchor gradient does not tell a small distance from a large one."""
    found = set()
    for estimator in score_draws.SAMPLED:
        slopes = []
        for distance in (0.1, 0.2):
            log_probs = {"original": [-1.0], "preserving": [-1.0 - distance], "removing": [-1.0]}
            reply = requests.post(server + "/v1/score", timeout=10, json={
                "options": {"estimator": estimator, "detector": "none", "loss": "margin", "terms": [PULL]},
                "rollouts": [rollout(log_probs)]})
            assert reply.ok, reply.text
            slopes.append(reply.json()["rollouts"][0]["grad"]["original"]["log_probs"][0])
        if np.isclose(*slopes):
            found.add(estimator)
    assert found == constant(CLIENT / "trainers/needs.py", "ANCHORLESS")


def test_what_the_mask_does_not_take():
    """`count` sends a loss's arguments to /v1/mask, without those of the loss alone. `loss` refuses grad_scale."""
    alone = options("ScoreOptions") - options("MaskOptions") - {"grad_scale"}
    left_out = constant(CLIENT / "autograd.py", "LOSS_ONLY")
    assert alone <= left_out
    assert left_out & options("MaskOptions") == {"return"}, "which it sets itself"


def test_what_each_option_of_the_mask_concerns():
    """An adapter sends those of the detector, the gate and the scale where that takes part."""
    lists = [constant(CLIENT / "autograd.py", name) for name in ("DETECTOR", "GATE", "SCALE")]
    common = {"preset", "estimator", "clamp_input", "clamp_result", "vocabulary_size", "entropy_from", "return"}
    assert sum(map(len, lists)) + len(common) == len(options("MaskOptions"))
    assert set().union(common, *lists) == options("MaskOptions")
