"""Three steps of the real trainer against the same loss in the process."""

import pytest
from plain import PlainGRPO
from training import apart, farthest, train

CLOSE = 1e-5
# So large that the perception loss is most of the gradient: at 0.01 the policy loss would hide its mistakes.
SETTINGS = {"coefficient": 1.0}


def both(url, client, folder, output, settings=SETTINGS, **given):
    found = train(folder, output / "found", settings=settings | {"url": url}, **given)
    expected = train(folder, output / "plain", settings=settings, client=client, trainer=PlainGRPO, **given)
    assert all(g.norm() > 1e-3 for g in expected.gradients)
    assert len(found.gradients) == 3
    return found, expected


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, SETTINGS | {"preset": "papo-g"}, {"preset": "vppo"}, SETTINGS | {"preset": "bips-consistency"}],
    ids=lambda s: s.get("preset", "cppo-verl"),
)
def test_parameters_equal_those_of_the_loss_in_the_process(url, client, folder, tmp_path, settings):
    found, expected = both(url, client, folder, tmp_path, settings)
    assert apart(found, expected) < CLOSE
    assert farthest(found, expected) < CLOSE
