"""The NumPy twin agrees with the float64 autograd of the golden files, so that replies may be compared with it."""

import numpy as np
import pytest

import golden
import twin


@pytest.mark.parametrize("name", golden.names("score"))
def test_twin_scores_as_autograd_does(name):
    case = golden.Golden("score", name)
    out, scalars = twin.score({k: t.values for k, t in case.inputs.items()}, case.options)
    for key, values in case.outputs.items():
        if key in golden.MASKS:
            assert np.asarray(out[key]).reshape(-1).tolist() == values.reshape(-1).tolist(), key
        else:
            scale = float(np.abs(values).max()) + 1e-3 if values.size else 0.0
            golden.assert_close(out[key], values, 1e-12, key, scale)
    expected = golden.numbers(case.scalars)
    assert golden.numbers(scalars) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert set(out) == set(case.outputs)
    golden.assert_diagnostics(scalars["diagnostics"], case.scalars["diagnostics"])


@pytest.mark.parametrize("name", golden.names("entropy"))
def test_twin_measures_rows_as_torch_does(name):
    case = golden.Golden("entropy", name)
    ids = case.inputs["token_ids"].values if "token_ids" in case.inputs else None
    found = twin.statistics(case.inputs["logits"].values, case.options.get("temperature", 1), ids)
    for key, values in case.outputs.items():
        golden.assert_close(found[key], values, 1e-12, key, 1.0)


@pytest.mark.parametrize("name", golden.names("advantages"))
def test_twin_takes_advantages_as_torch_does(name):
    case = golden.Golden("advantages", name)
    rewards, groups = case.inputs["rewards"].values, case.inputs["group_ids"].values.tolist()
    found = twin.advantages(rewards, groups, case.options["advantage_estimator"], case.options.get("std_epsilon", 1e-6))
    golden.assert_close(found, case.outputs["advantages"], 1e-9, "advantages", 1e-9)
