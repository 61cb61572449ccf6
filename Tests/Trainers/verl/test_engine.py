"""verl's engine alone: three optimizer steps of it end where the loss in plain PyTorch ends."""

import pytest

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
    number = {len(step["perception/loss"].values) for step in said}
    assert number == ({1} if cut == "whole" else {4} if cut == "micro-batches" else number) and (cut == "whole" or number > {1})


