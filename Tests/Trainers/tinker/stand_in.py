"""A training client with a model of its own, in the process: Tinker's types and documented sums, or SkyRL's divisions.

`reduction`: `nothing`, each row's loss is a sum over its positions, rows are summed, and the metric `loss:sum` says so;
`rows`, each row is divided by its positions and the step by its rows, and there is no metric: SkyRL's JAX backend.
`pictures`: `seen`; `dropped`, their positions are left out; `ignored`, the positions are there and the pixels are not.
"""

import io

import numpy as np
import torch
from PIL import Image
from tinker import types

WORDS, WIDTH = 64, 16


class Model(torch.nn.Module):
    """The running mean of words and pictures, and one layer: enough for every position to depend on the pictures before it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(WORDS, WIDTH)
        self.eyes = torch.nn.Linear(48, WIDTH)
        self.inner = torch.nn.Linear(WIDTH, WIDTH)
        self.outer = torch.nn.Linear(WIDTH, WORDS)
        self.double()

    def forward(self, row, targets, pictures="seen"):
        """Log-probabilities of the targets [positions]."""
        parts = []
        for chunk in row.chunks:
            if not isinstance(chunk, types.ImageChunk):
                parts.append(self.words(torch.tensor(list(chunk.tokens))))
            elif pictures != "dropped":
                small = Image.open(io.BytesIO(chunk.data)).convert("RGB").resize((4, 4))
                seen = torch.tensor(np.asarray(small).reshape(-1) / 128 - 1)
                if pictures == "ignored":
                    seen = torch.zeros_like(seen)
                parts.append(self.eyes(seen).expand(chunk.expected_tokens, -1))
        hidden = torch.cat(parts)
        hidden = hidden.cumsum(0) / torch.arange(1, len(hidden) + 1)[:, None].sqrt()
        said = torch.log_softmax(self.outer(torch.tanh(self.inner(hidden))), -1)
        return said.gather(1, torch.tensor(targets)[: len(hidden), None])[:, 0]


class Future:
    def __init__(self, value):
        self.value = value

    def result(self, timeout=None):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class TrainingClient:
    def __init__(self, reduction="nothing", pictures="seen", metric=None):
        self.model = Model()
        self.reduction, self.pictures = reduction, pictures
        self.metric = reduction == "nothing" if metric is None else metric
        self.rows = 0
        self.calls = []
        self.after = None  # raised once the gradients are in, as where an answer is lost

    def forward(self, data, loss_fn, loss_fn_config=None):
        with torch.no_grad():
            return Future(self._answer("forward", data, loss_fn)[1])

    def forward_backward(self, data, loss_fn, loss_fn_config=None):
        loss, answer = self._answer("forward_backward", data, loss_fn)
        loss.backward()
        self.rows += len(data)
        return Future(self.after or answer)

    def optim_step(self, adam_params):
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter -= adam_params.learning_rate * parameter.grad / (self.rows if self.reduction == "rows" else 1)
                parameter.grad = None
        self.rows = 0
        return Future(None)

    def _answer(self, call, data, loss_fn):
        self.calls.append((call, loss_fn, data))
        losses, outputs = [], []
        for datum in data:
            given = {name: value.to_torch() for name, value in datum.loss_fn_inputs.items()}
            assert len(given["target_tokens"]) == datum.model_input.length
            said = self.model(datum.model_input, given["target_tokens"].tolist(), self.pictures)
            n = len(said)
            if loss_fn == "cross_entropy":
                loss = -(said * given["weights"][:n]).sum()
            else:
                assert loss_fn == "importance_sampling" and set(given) == {"target_tokens", "logprobs", "advantages"}
                loss = -((said - given["logprobs"][:n]).exp() * given["advantages"][:n]).sum()
            losses.append(loss / n if self.reduction == "rows" else loss)
            outputs.append({"logprobs": types.TensorData.from_torch(said.detach().float())})
        total = sum(losses)
        metrics = {"loss:sum": float(total.detach())} if self.metric else {}
        return total, types.ForwardBackwardOutput(loss_fn_output_type="ArrayRecord", loss_fn_outputs=outputs, metrics=metrics)
