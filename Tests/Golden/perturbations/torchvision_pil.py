"""Readies torchvision, also one built for another torch, for its PIL path; imported before it."""

import sys

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # Such a one lacks its own C++ operators, of which the PIL path needs none. With its own torch it brings them, and the
    # process ends where they are defined already.
    for _name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[_name]
    _operators = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _operators.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
