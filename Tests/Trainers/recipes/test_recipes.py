"""The code of the package's recipes, run as it is written, against the same loss in the process."""

import pytest
import torch
from pages import RECIPES, code

import in_process
import tiny_model
from perception_client import token_statistics
from perception_client.trainers.prompt_views import PromptViews

VIEWS = {"preserving": "cppo-preserving", "removing": "cppo-removing"}


def policy(log_probs, batch):
    """A policy loss of some kind."""
    return -(log_probs * batch["mask"] * batch["advantages"][:, None]).sum() / batch["mask"].sum()


def batches(processor, count=2):
    """Batches of four rollouts of two prompts with a picture each."""
    found = []
    for index in range(count):
        rows = [row for row in tiny_model.rows(2, seed=index) for _ in range(2)]
        text = [f"<|vision_start|><|image_pad|><|vision_end|>{row['prompt'][0]['content']}" for row in rows]
        inputs = processor(text=text, images=[row["images"] for row in rows], return_tensors="pt", padding=True)
        ids = torch.randint(10, 200, (4, 12), generator=torch.Generator().manual_seed(index))
        own = {
            "input_ids": torch.cat([inputs["input_ids"], ids], 1),
            "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(ids)], 1),
            "mm_token_type_ids": torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(ids)], 1),
        }
        mask = torch.arange(12) < torch.tensor([12, 7, 12, 10])[:, None]
        advantages = torch.tensor([1.0, -0.5, 0.8, 2.0])
        found.append({"inputs": own, "ids": ids, "mask": mask, "advantages": advantages, "images": [r["images"] for r in rows]})
    return found


def expected(client, processor, steps):
    """Parameters after the same steps with the loss in the process; each step has the numbers of its batches."""
    model = tiny_model.model(processor.tokenizer)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    views, given = PromptViews(client, VIEWS, processor=processor), batches(processor)
    for numbers in steps:
        for number in numbers:
            batch = given[number]
            made = views.make(batch["images"], number)
            said = {}
            for view in ("original", *VIEWS):
                logits = model(**batch["inputs"], **made.all_features(view)).logits[:, -13:-1]
                said[view] = token_statistics(logits, batch["ids"], temperature=1.0)
            log_probs, entropy = ({v: s[i] for v, s in said.items()} for i in (0, 1))
            added = in_process.loss("cppo-verl", log_probs, entropy, batch["mask"], batch["advantages"])
            loss = policy(log_probs["original"], batch) + added
            (loss / len(numbers)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return tiny_model.parameters(model)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("plain-loop", [[0], [1]]),
        ("accelerate", [[0, 1]]),
        ("lightning", [[0], [1]]),
    ],
)
def test_a_recipe_takes_the_steps_of_the_loss_in_the_process(url, client, name, steps):
    processor = tiny_model.processor()
    model = tiny_model.model(processor.tokenizer)
    names = {
        "model": model, "processor": processor, "optimizer": torch.optim.SGD(model.parameters(), lr=0.01), "policy": policy,
        "batches": batches(processor), "__name__": name,
    }  # fmt: skip
    before = tiny_model.parameters(model)
    text = code(name).replace("http://127.0.0.1:8080", url)
    exec(compile(text, f"{name}.md", "exec"), names)
    found = tiny_model.parameters(model)
    assert float((found - before).abs().max()) > 1e-3
    assert float((found - expected(client, processor, steps)).abs().max()) < 1e-5


def test_every_recipe_is_run_or_says_that_it_was_not():
    unrun = {"easyr1"}
    names = {page.stem for page in RECIPES.glob("*.md")}
    assert names == {"plain-loop", "accelerate", "lightning", "jax"} | unrun
    assert all("was not run" in (RECIPES / f"{name}.md").read_text(encoding="utf-8") for name in unrun)
