"""The README's examples with torch and JAX."""

import jax.numpy as jnp
import torch
from reference import leaves

import perception_client
import readme
from features import needs
from perception_client import Perception


def torch_names(batch):
    log_probs, rest = leaves(batch)
    a, p, n = (log_probs[v] for v in ("original", "preserving", "removing"))
    h = rest["entropy"]
    return {
        "a": a, "p": p, "n": n, "h": h["original"], "h_removing": h["removing"], "mask": rest["response_mask"],
        "advantages": rest["advantages"], "policy_loss": (a * 0.1).mean(), "log_probs": log_probs, "entropy": h,
        "tokens": [["t"] * 48] * 4, "logits": torch.randn(2, 3, 50, requires_grad=True),
        "token_ids": torch.zeros(2, 3, dtype=torch.long), "torch": torch,
    }  # fmt: skip


def test_examples_with_torch(url, batch, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Perception, "local", classmethod(lambda cls: cls(url)))
    names = torch_names(batch)
    assert readme.run({"python torch"}, url, names, tmp_path) == 3
    assert (names["a"].grad != 0).any() and names["log"]["cppo/loss"] > 0
    names["log_prob"].sum().backward()
    assert names["logits"].grad.abs().sum() > 0


def test_micro_batches_with_torch(url, batch, tmp_path, edition):
    needs(edition, "denominator")
    names = torch_names(batch)
    rest = {"mask": names["mask"], "advantages": names["advantages"]}
    cut = lambda x, k: {v: y[2 * k : 2 * k + 2] for v, y in x.items()}  # noqa: E731
    names["micro_batches"] = [
        {"log_probs": cut(names["log_probs"], k), "entropy": cut(names["entropy"], k)} | cut(rest, k) for k in range(2)
    ]
    names["P"] = Perception(url)
    assert readme.run({"python torch-second"}, url, names, tmp_path) == 1
    found = names["a"].grad.clone()
    names["a"].grad = None
    whole = {"entropy": names["entropy"], "response_mask": names["mask"], "advantages": names["advantages"]}
    names["P"].loss(names["log_probs"], **whole).backward()
    torch.testing.assert_close(found, names["a"].grad, rtol=1e-5, atol=1e-8)


def test_examples_with_jax(url, batch, tmp_path):
    names = {"P": Perception(url), "entropy": batch["entropy"], "mask": batch["response_mask"]}
    names |= {"advantages": batch["advantages"], "log_probs": {v: jnp.asarray(x) for v, x in batch["log_probs"].items()}}
    assert readme.run({"python jax"}, url, names, tmp_path) == 1
    assert float(names["value"]) > 0 and set(names["gradients"]) == set(batch["log_probs"])
    assert perception_client.__version__
