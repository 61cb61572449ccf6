"""verl's engine alone: three optimizer steps of it end where the loss in plain PyTorch ends."""

import pytest

from perception_client import Unreachable

CLOSE = 1e-5


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
@pytest.mark.parametrize("cut", ["whole", "micro-batches", "dynamic"])
def test_three_steps_end_where_plain_torch_ends(group, folder, words, rows_and_plain, settings, preset, mode, cut):
    """Rows with one picture, with two and with none; micro-batches of one kind and mixed ones."""
    import mini_batch
    import training

    rows, plain = rows_and_plain
    settings(preset=preset, mode=mode)
    sizes = {
        "whole": {"micro_batch_size_per_gpu": 8},
        "micro-batches": {"micro_batch_size_per_gpu": 2},
        "dynamic": {"use_dynamic_bsz": True, "max_token_len_per_gpu": 200},
    }
    engine = training.engine(folder)
    assert type(engine).__name__ == "PerceivingEngine"
    data = mini_batch.tensordict(rows, words, **sizes[cut])
    start = training.parameters(engine)
    said = training.steps(engine, data)
    found = training.parameters(engine)
    assert training.apart(found, plain[preset]) < CLOSE
    # The perception loss does something that the tolerance would show.
    assert training.apart(plain[preset], plain["none"]) > 20 * CLOSE
    assert training.moved(found, start) > 100 * CLOSE
    # verl cut the mini-batch as it was told to.
    (number,) = {len(step["perception/loss"].values) for step in said}
    assert number == {"whole": 1, "micro-batches": 4}.get(cut, number) and (number > 1) == (cut != "whole")


def test_the_trainers_own_entropy_and_checkpointing_change_nothing(group, folder, words, rows_and_plain, settings):
    """Gradients of both modes are the same, where the trainer has an entropy term and recomputes activations."""
    import mini_batch
    import training

    rows, _ = rows_and_plain
    data = mini_batch.tensordict(rows, words, calculate_entropy=True)
    found = {}
    for mode, checkpointing in (("direct", False), ("direct", True), ("grad_cache", True)):
        settings(mode=mode, coefficient=1)
        engine = training.engine(folder, checkpointing=checkpointing)
        found[mode, checkpointing] = training.gradients(engine, data, entropy_coeff=0.01)
    known = found.pop(("direct", False))
    for other in found.values():
        assert training.apart(other, known) < 1e-6 * max(1, training.norm(known))
    settings(coefficient=0)
    without = training.gradients(training.engine(folder), data, entropy_coeff=0.01)
    assert training.apart(without, known) > 1e-3


def test_a_server_that_is_not_there_ends_the_start(group, folder, settings):
    import training

    settings(url="http://127.0.0.1:9", deadline=0.3)
    with pytest.raises(Unreachable):
        training.engine(folder)


def test_a_server_that_has_gone_ends_the_step(group, folder, words, rows_and_plain, settings, restartable):
    import mini_batch
    import training

    settings(url=restartable.url, deadline=1)
    engine = training.engine(folder)
    data = mini_batch.tensordict(rows_and_plain[0], words)
    training.steps(engine, data, 1)
    restartable.kill()
    with pytest.raises(Unreachable, match="no answer"):
        training.steps(engine, data, 1)
    # It goes on where it was once there is one again.
    restartable.start()
    training.steps(engine, data, 1)
