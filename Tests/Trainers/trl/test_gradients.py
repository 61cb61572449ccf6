"""Gradients of real training steps against the same loss in the process."""

import pytest
from plain import PlainGRPO, PlainRLOO
from training import GRPO, RLOO, apart, train

CLOSE = 1e-5
# So large that the perception loss is most of the gradient: at 0.01 the policy loss would hide its mistakes.
SETTINGS = {"coefficient": 1.0}


def both(client, folder, adapted=GRPO, plain=PlainGRPO, settings=SETTINGS, **given):
    found = train(adapted, folder, client=client, settings=settings, **given)
    expected = train(plain, folder, client=client, settings=settings, **given)
    assert all(g.norm() > 1e-3 for g in expected.gradients)
    return found, expected


@pytest.mark.parametrize("loss_type", ["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"])
def test_every_loss_type_with_accumulation(client, tmp_path, loss_type):
    found, expected = both(client, tmp_path, loss_type=loss_type)
    assert apart(found, expected) < CLOSE
