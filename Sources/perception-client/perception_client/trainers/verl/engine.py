"""verl's FSDP engine, which runs the model under each view and adds the perception loss to the policy loss.

verl picks it by VERL_ENGINE_VENDOR=perception. Importing this module registers it. Everything it overrides calls verl's
own method: inputs, outputs, temperature, padding, autocast and gradient synchronisation stay verl's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
import torch.distributed
from verl.utils import tensordict_utils as tu
from verl.utils.device import get_device_id, get_device_name
from verl.workers.engine.base import BaseEngine, EngineRegistry
from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead
from verl.workers.utils.padding import no_padding_2_padding

from .. import modes
from ..modes import Pass
from ..settings import TrainerSettings
from . import plugin, rows
from .objective import Objective
from .reporting import of_rows

OTHER_BACKENDS = ["megatron", "veomni", "torchtitan", "automodel", "fsdp_turbo"]
DEVICES = ["cuda", "npu"]


class PerceivingEngine(FSDPEngineWithLMHead):  # type: ignore[misc]
    """The engine of the actor and, as views travel with its batches, of the reference policy."""

    _perceives = False
    _under: str | None = None
    _prepared: tuple[Any, Any, Any] | None = None

    def initialize(self) -> None:
        """Build the model; a training engine asks the server what the preset needs, so that mistakes show at once."""
        super().initialize()  # type: ignore[no-untyped-call]
        if not self.engine_config.forward_only:
            _ = self.perception.wanted

    @cached_property
    def perception(self) -> Objective:
        """What is to be added to the policy loss, by the PERCEPTION_… variables."""
        return Objective(plugin.offered(TrainerSettings.of()), self.rank, self.model_config.tokenizer)

    def forward_backward_batch(self, data: Any, loss_function: Any, forward_only: bool = False) -> Any:
        """Decide once a mini-batch, for all ranks, whether there are views in it: all make the same forward passes."""
        self._perceives = False
        if self._trains(forward_only, data):
            carries = int(self.carrying(data).rows.any())
            flag = torch.tensor(carries, dtype=torch.int32, device=get_device_id())
            torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
            self._perceives = bool(flag)
        return super().forward_backward_batch(
            data=data, loss_function=loss_function, forward_only=forward_only
        )

    def prepare_model_inputs(self, micro_batch: Any) -> Any:
        """Take the views out of the model's inputs and keep them."""
        inputs, arguments = super().prepare_model_inputs(micro_batch=micro_batch)
        views = rows.taken(inputs)
        inputs.update(views.get(self._under or "original", {}))
        self._prepared = inputs, arguments, views
        return inputs, arguments

    @contextlib.contextmanager
    def under(self, view: str) -> Iterator[None]:
        """Run the model under a view within the context, in place of the original."""
        self._under = view
        try:
            yield
        finally:
            self._under = None

    def forward_step(self, micro_batch: Any, loss_function: Any, forward_only: bool) -> Any:
        """Run the micro-batch with the perception loss beside the trainer's."""
        if forward_only or not self._perceives:
            value, said = super().forward_step(
                micro_batch, loss_function=loss_function, forward_only=forward_only
            )
            if self._trains(forward_only, micro_batch):
                said["metrics"] |= of_rows(self.carrying(micro_batch))
            return value, said
        micro_batch = micro_batch.to(get_device_id()).copy()
        asked = bool(tu.get_non_tensor_data(data=micro_batch, key="calculate_entropy", default=False))
        arguments = self.perception.arguments(micro_batch, loss_function, self.carrying(micro_batch))
        run = self._runner(micro_batch)
        known = None
        if self.perception.settings.mode == "grad_cache":
            self.prepare_model_inputs(micro_batch=micro_batch)
            known = modes.cached(self.perception.client, run, backward=self._backward, **arguments)
        elif "original" in self.perception.wanted.entropy:
            tu.assign_non_tensor(micro_batch, calculate_entropy=True)

        def loss(*positional: Any, **named: Any) -> Any:
            if "model_output" not in named:  # verl asks a distillation loss for other things, too
                return loss_function(*positional, **named)
            said = named["model_output"]
            original = _response(said, micro_batch)
            if not asked:
                # The trainer did not want it; without its graph the logits' memory is free again.
                said.pop("entropy", None)
            value, metrics = loss_function(*positional, **named)
            if known is not None:
                added = known.attach(original.log_probs)
            else:
                added = modes.direct(self.perception.client, run, original, **arguments)
            return value + added, metrics | self.perception.report(micro_batch, self._step)

        try:
            return super().forward_step(micro_batch, loss_function=loss, forward_only=False)
        finally:
            self._prepared = None

    @staticmethod
    def _trains(forward_only: bool, data: Any) -> bool:
        return not forward_only and "advantages" in data

    def _runner(self, micro_batch: Any) -> Callable[[str], Pass]:
        """Return what runs the model under a view of that name, with the micro-batch's own tokens and positions."""

        def run(view: str) -> Pass:
            if rows.OLD + view in micro_batch:
                kept = micro_batch.select(rows.OLD + view).to_padded_tensor()
                return Pass(kept[rows.OLD + view])
            assert self._prepared is not None
            inputs, arguments, views = self._prepared
            # A micro-batch without pictures has the same pass under every view.
            inputs = inputs | views.get(view, {})
            data = micro_batch.copy()
            # grad_cache runs a view again for its gradient alone.
            again = self.perception.settings.mode == "grad_cache" and torch.is_grad_enabled()
            tu.assign_non_tensor(
                data,
                calculate_entropy=view in self.perception.wanted.entropy and not again,
                calculate_sum_pi_squared=False,
                distillation_use_topk=False,
                distillation_only=False,
            )
            with self._autocast():
                output = self.module(**inputs, use_cache=False)
                said = self.prepare_model_outputs(
                    output=output, output_args=arguments, micro_batch=data, logits_processor_func=None
                )
                return _response(said, data)

        return run

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        # As FSDPEngineWithLMHead.forward_step has it.
        dtype = getattr(self, "_autocast_dtype", torch.bfloat16)
        if dtype == torch.float32:
            return contextlib.nullcontext()
        autocast: contextlib.AbstractContextManager[Any] = torch.autocast(
            device_type=get_device_name(), dtype=dtype
        )
        return autocast

    def _backward(self, loss: torch.Tensor) -> None:
        scaler = getattr(self, "scaler", None)
        (loss if scaler is None else scaler.scale(loss)).backward()

    def carrying(self, data: Any) -> rows.Carrying:
        """Read which rows of a batch carry loss."""
        inputs = data["multi_modal_inputs"] if "multi_modal_inputs" in data else [None] * len(data)
        return rows.carrying(inputs, self.perception.wanted.others)

    @property
    def _step(self) -> int:
        # verl steps its scheduler once a training step and keeps it in checkpoints: the trainer's own number.
        return int(self.lr_scheduler.last_epoch) + 1


class Refused(BaseEngine):  # type: ignore[misc]
    """Stands for verl's other engines, so that none of them trains without the loss unnoticed."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            "VERL_ENGINE_VENDOR=perception works with the strategies fsdp and fsdp2 (actor_rollout_ref.actor.strategy)"
        )


def _response(said: Any, data: Any) -> Pass:
    entropy = said.get("entropy")
    return Pass(
        no_padding_2_padding(said["log_probs"], data),
        None if entropy is None else no_padding_2_padding(entropy, data),
    )


def _register() -> None:
    for name, backends, engine in (
        ("language_model", ["fsdp", "fsdp2"], PerceivingEngine),
        ("language_model", OTHER_BACKENDS, Refused),
    ):
        EngineRegistry.register(model_type=name, backend=backends, device=DEVICES, vendor=plugin.VENDOR)(
            engine
        )


_register()
