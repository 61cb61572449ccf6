"""One process in place of NeMo-RL's training workers: its batches, its loss inputs, and a small model on a CPU."""

import copy

import torch

from small_pictures import Model


class Policy:
    """The calls of NeMo-RL's `Policy` that a training step makes.

    `ranks` data-parallel ranks are run one after another, and their gradients added up. Before each optimizer step the
    gradients are kept in `gradients`.
    """

    def __init__(self, ranks=1, step_rows=5, micro_batch=1, rate=0.0, packed=False):
        self.cfg = {"train_global_batch_size": step_rows, "train_micro_batch_size": micro_batch}
        self.model, self.ranks, self.packed = Model(), ranks, packed
        self.reference = copy.deepcopy(self.model)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=rate)
        self.gradients, self.calls = [], []

    def logits(self, data, model=None):
        """[B,S,V]; padding is run like any token, and nothing looks at it."""
        model = model or self.model
        pixels = data["pixel_values"].tensors if "pixel_values" in data else [None] * data.size
        inputs = [None if x is None else {"pixel_values": x} for x in pixels]
        return torch.stack([model(t, x) for t, x in zip(data["input_ids"], inputs, strict=True)])

    def prepare_for_lp_inference(self):
        self.calls.append("inference")

    def prepare_for_training(self):
        self.calls.append("training")

    def broadcast_weights_for_collective(self, kv_scales=None):
        return [True]

    def get_logprobs(self, data, timer=None):
        self.calls.append("log-probs")
        return self._said(data, self.model, "logprobs")

    def get_reference_policy_logprobs(self, data, timer=None):
        return self._said(data, self.reference, "reference_logprobs")

    @torch.no_grad()
    def _said(self, data, model, name):
        from nemo_rl.distributed.batched_data_dict import BatchedDataDict
        from nemo_rl.distributed.model_utils import get_next_token_logprobs_from_logits

        logits = self.logits(data, model)
        found = get_next_token_logprobs_from_logits(input_ids=data["input_ids"], next_token_logits=logits)
        return BatchedDataDict({name: torch.nn.functional.pad(found, (1, 0))})

    def train(self, data, loss_fn, eval_mode=False, gbs=None, mbs=None, timer=None):
        gbs, mbs = gbs or self.cfg["train_global_batch_size"], mbs or self.cfg["train_micro_batch_size"]
        shards, metrics = data.shard_by_batch_size(self.ranks, batch_size=gbs), {}
        own = gbs // self.ranks
        for step in range(data.size // gbs):
            parts = [shard.get_batch(step, own) for shard in shards]
            seqs = sum(p["sample_mask"].sum() for p in parts)
            tokens = sum((p["token_mask"][:, 1:] * p["sample_mask"][:, None]).sum() for p in parts)
            self.optimizer.zero_grad()
            for part in parts:
                for batch in part.make_microbatch_iterator(mbs):
                    loss, said = self.loss(batch, loss_fn, seqs, tokens)
                    loss.backward()
                    if said["num_valid_samples"] > 0:
                        for name, value in said.items():
                            metrics.setdefault(name, []).append(value)
            found = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.model.parameters()]
            self.gradients.append(torch.cat([g.reshape(-1) for g in found]))
            self.optimizer.step()
            metrics.setdefault("global_valid_toks", []).append(float(tokens))
        norm = self.gradients[-1].norm()
        return {"loss": torch.tensor(metrics["loss"]).sum(), "grad_norm": norm, "all_mb_metrics": metrics}

    def loss(self, batch, loss_fn, seqs, tokens):
        from nemo_rl.algorithms.loss import SequencePackingLossWrapper, prepare_loss_input

        logits = self.logits(batch)
        if self.packed:
            lengths = batch["input_lengths"].tolist()
            packed = torch.cat([x[:n] for x, n in zip(logits, lengths, strict=True)])[None]
            borders = torch.tensor([0, *lengths]).cumsum(0)
            return SequencePackingLossWrapper(loss_fn, prepare_loss_input, borders)(packed, batch, seqs, tokens)
        given, batch = prepare_loss_input(logits, batch, loss_fn)
        return loss_fn(data=batch, global_valid_seqs=seqs, global_valid_toks=tokens, **given)
