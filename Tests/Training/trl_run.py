"""The real path: TRL's own trainer on the same task, with and without the adapter's mixin.

A Qwen2.5-VL of 0.4 million parameters from scratch, with transformers' processor. It is trained by supervision first, as far
as the time allows, then by TRL's GRPO from there. Runs in the environment of Tests/Trainers for TRL.
Usage: python trl_run.py FILE, with PERCEPTION_URL; writes what was measured to FILE.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import time
import warnings
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Trainers")]
warnings.filterwarnings("ignore")

import numpy as np
import tiny_model
import torch
import transformers
from datasets import Dataset
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLProcessor, Qwen2VLVideoProcessor
from trl import GRPOConfig, GRPOTrainer

import language
import pictures
from perception_client.trainers.trl import PerceptionMixin

SIDE = 112  # pixels that pictures are resized to: sixteen of Qwen's tokens
SEEDS, STEPS, ROWS = (0,), 50, 64
TARGET, LONGEST, BATCH, RATE = 0.35, 1500, 64, 2e-3
SETTINGS: dict[str, dict[str, Any] | None] = {"grpo": None, "cppo-verl": {"preset": "cppo-verl"}}


def processor() -> Qwen2_5_VLProcessor:
    """Qwen's processor, with one token for each word of the task."""
    words = [*tiny_model.SPECIAL, *language.WORDS[2:], "user", "assistant", "<unknown>"]
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unknown>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.add_special_tokens(tiny_model.SPECIAL)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token=tiny_model.END, pad_token=tiny_model.PAD, padding_side="left",
        extra_special_tokens=tiny_model.SPECIAL, chat_template=tiny_model.TEMPLATE)  # fmt: skip
    images = tiny_model.ImageProcessor(min_pixels=SIDE * SIDE, max_pixels=SIDE * SIDE)
    return Qwen2_5_VLProcessor(images, tokenizer, Qwen2VLVideoProcessor(), chat_template=tiny_model.TEMPLATE)


def asked(examples: pictures.Examples) -> list[dict[str, Any]]:
    """Return prompts with pictures as TRL takes them."""
    return [
        {
            "prompt": [{"role": "user", "content": " ".join(language.WORDS[w] for w in question)}],
            "images": [Image.fromarray(picture)], "right": int(right),
        }
        for picture, question, right in zip(examples.pictures, examples.questions, examples.right, strict=True)
    ]  # fmt: skip


def inputs(words: Qwen2_5_VLProcessor, rows: list[dict[str, Any]], answers: list[str] | None = None) -> Any:
    """Encode prompts, with answers where they are given."""
    texts = []
    for i, row in enumerate(rows):
        parts = [{"type": "image"}, {"type": "text", "text": row["prompt"][0]["content"]}]
        text = words.apply_chat_template([{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True)
        texts.append(text + (f"{answers[i]}{tiny_model.END}" if answers else ""))
    return words(text=texts, images=[row["images"] for row in rows], return_tensors="pt", padding=True)


def right(texts: list[str], results: list[int]) -> list[float]:
    """Reward answers that end in `=` and the right result."""
    return [float(text.split()[-2:] == ["=", str(result)]) for text, result in zip(texts, results, strict=True)]


def reward(completions: list[Any], right: list[int], **_: Any) -> list[float]:
    """Reward completions as TRL hands them over."""
    return globals()["right"]([c[0]["content"] for c in completions], right)


@torch.no_grad()
def sampled(model: Any, words: Qwen2_5_VLProcessor, examples: pictures.Examples, seed: int) -> float:
    """Return the share of right answers when one is sampled for each question."""
    torch.manual_seed(seed)
    results = []
    for start in range(0, len(examples), 100):
        rows = asked(examples.of(np.arange(start, min(start + 100, len(examples)))))
        given = inputs(words, rows)
        made = model.generate(**given, max_new_tokens=12, do_sample=True, top_k=0, top_p=1.0, temperature=1.0,
                              suppress_tokens=tiny_model.never_sampled(words.tokenizer))  # fmt: skip
        texts = words.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
        results += right(texts, [row["right"] for row in rows])
    return float(np.mean(results))


def supervised(words: Qwen2_5_VLProcessor, seed: int) -> tuple[Any, int, float]:
    """Train a model from scratch until it answers TARGET of new questions, or for LONGEST steps."""
    model = tiny_model.model(
        words.tokenizer, seed, 1.0, {"hidden_size": 64, "intermediate_size": 128, "num_heads": 4},
        hidden_size=96, intermediate_size=192, num_attention_heads=6)  # fmt: skip
    adam = torch.optim.AdamW(model.parameters(), lr=RATE)
    warming = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: min(1.0, (step + 1) / 100))
    draw = np.random.default_rng([seed, 7])
    checked = pictures.drawn(200, np.random.default_rng([seed, 8]))
    share = 0.0
    began = time.perf_counter()
    for step in range(1, LONGEST + 1):
        examples = pictures.drawn(BATCH, draw)
        given = inputs(words, asked(examples), [language.text(w[:-1]) for w in examples.words])
        logits = model(**given).logits[:, -language.LONGEST - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), given["input_ids"][:, -language.LONGEST :].flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        warming.step()
        if step % 100 == 0:
            share = sampled(model, words, checked, step)
            print(f"TRL, seed {seed}: supervised step {step}, loss {float(loss):.3f}, right {share:.2f}, "
                  f"{time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
            if share >= TARGET:
                break
    return model, step, share


class WithPerception(PerceptionMixin, GRPOTrainer):
    """Settings come from SETTINGS."""


def reinforced(model: Any, words: Qwen2_5_VLProcessor, name: str, seed: int) -> dict[str, Any]:
    """Train by TRL, and return its curves and the accuracy at the end."""
    settings = SETTINGS[name]
    kind: Any = GRPOTrainer
    if settings is not None:
        kind = type("Trainer", (WithPerception,), {"perception_settings": settings | {"run": f"trl {name} seed {seed}"}})
    rows = asked(pictures.drawn(STEPS * ROWS // 8, np.random.default_rng([seed, 9])))
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            folder, per_device_train_batch_size=ROWS, num_generations=8, gradient_accumulation_steps=1, max_steps=STEPS,
            max_completion_length=12, learning_rate=2e-4, lr_scheduler_type="constant_with_warmup", warmup_steps=10,
            adam_beta2=0.99, max_grad_norm=1.0, beta=0.0, logging_steps=1, report_to=[], use_cpu=True, bf16=False,
            save_strategy="no", gradient_checkpointing=False, disable_tqdm=False, seed=seed, dataloader_pin_memory=False,
            top_k=0, generation_kwargs={"suppress_tokens": tiny_model.never_sampled(words.tokenizer)})  # fmt: skip
        trainer = kind(model, reward, config, Dataset.from_list(rows), processing_class=words)
        trainer.train()
    log = trainer.state.log_history

    def curve(of: str) -> list[float]:
        return [round(float(entry[of]), 5) for entry in log if of in entry]

    names = ("loss", "gated", "selected", "candidates", "server_ms", "mean_delta_entropy")
    return {
        "arm": name, "seed": seed, "reward": curve("reward"), "step_time": curve("step_time"),
        "perception": {n: curve(f"perception/{n}") for n in names if settings is not None},
    }  # fmt: skip


def main() -> None:
    """Run all, and write the file."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    words = processor()
    held_out = pictures.drawn(500, np.random.default_rng(2**32))
    found: dict[str, Any] = {"steps": STEPS, "rows": ROWS, "runs": [], "supervised": []}
    for seed in SEEDS:
        start, steps, share = supervised(words, seed)
        state = {k: v.clone() for k, v in start.state_dict().items()}
        before = sampled(start, words, held_out, 0)
        found["parameters"] = sum(p.numel() for p in start.parameters())
        found["supervised"].append({"seed": seed, "steps": steps, "right": share, "held_out": before})
        for name in SETTINGS:
            start.load_state_dict(state)
            run = reinforced(start, words, name, seed)
            run["held_out"] = sampled(start, words, held_out, 0)
            found["runs"].append(run)
            pathlib.Path(sys.argv[1]).write_text(json.dumps(found))
            print(f"TRL, {name}, seed {seed}: {before:.3f} → {run['held_out']:.3f}", flush=True)


if __name__ == "__main__":
    main()
