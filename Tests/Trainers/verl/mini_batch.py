"""A mini-batch as verl's trainer hands it to its workers, with the views that the agent loop made of its pictures."""

import torch
from tensordict import NonTensorData, TensorDict
from tensordict.tensorclass import NonTensorStack
from verl.utils import tensordict_utils as tu
from verl.utils.dataset.dataset_utils import DatasetPadMode

import tiny_model
from perception_client.trainers.verl import rows
from perception_client.trainers.verl.rollouts import WorkerViews

RESPONSE = 12
TEMPERATURE = 0.9
# Pictures of each prompt, and the prompt of each rollout: two of each, in such an order that every two rows have a
# picture (verl 0.9.1's own forward pass fails on a micro-batch without one).
PICTURES = (1, 0, 2, 1)
ROLLOUTS = (0, 1, 2, 0, 1, 3, 2, 3)


def rope(model, ids, grids):
    """Qwen2.5-VL's position ids [4, length]: the text's own and the three of M-RoPE."""
    from verl.models.transformers.qwen2_vl import get_rope_index

    if grids is None:
        return torch.arange(len(ids)).expand(4, -1)
    three = get_rope_index(model, ids, image_grid_thw=grids)
    return torch.cat([torch.arange(len(ids))[None], three])


def sequences(words, rollouts=ROLLOUTS, views=None, seed=0):
    """Rows as dictionaries: prompt, response, positions, advantages, old log-probabilities, multi_modal_inputs.

    Args:
        words: the processor.
        rollouts: the prompt of each row.
        views: makes views; absent, there are none.
        seed: of responses and numbers.
    """
    draw = torch.Generator().manual_seed(seed)
    found = []
    for i, prompt_number in enumerate(rollouts):
        images = tiny_model.pictures(PICTURES[prompt_number], seed=100 + prompt_number)
        content = [{"type": "image"} for _ in images]
        content.append({"type": "text", "text": f"What is this? {'no ' * prompt_number}"})
        text = words.apply_chat_template([{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True)
        made = words(text=[text], images=images or None, return_tensors="pt")
        prompt = made["input_ids"][0]
        response = torch.randint(10, 200, (RESPONSE - i % 5,), generator=draw)
        ids = torch.cat([prompt, response])
        grids = made.get("image_grid_thw")
        inputs = {"pixel_values": made["pixel_values"], "image_grid_thw": grids} if images else {}
        if images and views is not None:
            inputs |= rows.carried(views.of(images, 1, grids))
        mask = torch.ones(len(response))
        if i == 1:
            mask[3:5] = 0  # a tool's tokens
        found.append({
            "prompts": prompt, "responses": response, "input_ids": ids, "position_ids": rope(words, ids, grids),
            "response_mask": mask, "loss_mask": mask,
            "old_log_probs": -5.5 + torch.rand(len(response), generator=draw),
            "advantages": torch.full((len(response),), -0.7 if i in (1, 3, 7) else 1.0),
            "multi_modal_inputs": inputs,
        })  # fmt: skip
    return found


def tensordict(found, words, **settings):
    """Put rows together as verl does without padding: jagged tensors, and settings beside them."""
    jagged = lambda name: torch.nested.as_nested_tensor([row[name] for row in found], layout=torch.jagged)  # noqa: E731
    names = [n for n in found[0] if n not in ("multi_modal_inputs", "position_ids")]
    data = TensorDict({name: jagged(name) for name in names}, batch_size=[len(found)])
    data["position_ids"] = torch.nested.nested_tensor([row["position_ids"] for row in found], layout=torch.jagged)
    data["multi_modal_inputs"] = NonTensorStack(*[NonTensorData(row["multi_modal_inputs"]) for row in found])
    common = {
        "use_dynamic_bsz": False, "micro_batch_size_per_gpu": 2, "use_remove_padding": False, "use_fused_kernels": False,
        "pad_mode": DatasetPadMode.NO_PADDING, "temperature": TEMPERATURE, "calculate_entropy": False,
        "global_batch_size": len(found), "pad_token_id": words.tokenizer.pad_token_id,
    }  # fmt: skip
    tu.assign_non_tensor(data, **common | settings)
    return data


def views(words, settings=None):
    """What an agent loop worker has."""
    return WorkerViews(words, settings)
