"""What stands in for the parts of OpenRLHF that need a GPU: imported before OpenRLHF.

vLLM and flash-attn are empty modules: only names are imported from them here. DeepSpeed runs on its own CPU accelerator,
over gloo, without its shared-memory operator, which it would compile.
"""

import importlib.machinery
import os
import sys
import types

os.environ |= {"DS_ACCELERATOR": "cpu", "TORCHDYNAMO_DISABLE": "1"}

# These look for flash-attn and vLLM, and must not find the empty modules.
import deepspeed
import torch
import transformers  # noqa: F401


def module(name, **names):
    made = types.ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None)
    made.__path__ = []
    vars(made).update(names)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, made)


def absent(*args, **named):
    raise AssertionError("this needs a GPU")


module("flash_attn")
module("flash_attn.utils")
module("flash_attn.bert_padding", index_first_axis=absent, pad_input=absent, rearrange=absent, unpad_input=absent)
module("flash_attn.utils.distributed", all_gather=absent)
module("vllm", __version__="0.29.0", SamplingParams=types.SimpleNamespace)
module("vllm.inputs", TokensPrompt=dict)
module("vllm.utils", random_uuid=lambda: "x")

sys.modules["deepspeed.comm.torch"].build_shm_op = lambda: None


def on_cpu():
    """Have OpenRLHF put tensors on the CPU where it asks for the current CUDA device."""
    torch.cuda.current_device = lambda: torch.device("cpu")


def numbered():
    """Have it get a number, which its replay buffer makes a CUDA device of and never uses."""
    torch.cuda.current_device = lambda: 0


assert deepspeed.get_accelerator().device_name() == "cpu"
