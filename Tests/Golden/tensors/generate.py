"""Writes every-type.safetensors with the reference implementation: `pip install safetensors==0.5.3 numpy`, then run this.

numpy has no bfloat16, so that tensor is made through the library's own byte-level entry point.
"""

import pathlib

import numpy
from safetensors import serialize

VALUES = {
    "bool": ("bool", numpy.array([True, False, True])),
    "u8": ("uint8", numpy.array([[0, 1], [254, 255]], numpy.uint8)),
    "i8": ("int8", numpy.array([-128, -1, 0, 127], numpy.int8)),
    "i16": ("int16", numpy.array([-32768, 32767], numpy.int16)),
    "u16": ("uint16", numpy.array([0, 65535], numpy.uint16)),
    "i32": ("int32", numpy.array([-(2**31), 2**31 - 1], numpy.int32)),
    "u32": ("uint32", numpy.array([0, 2**32 - 1], numpy.uint32)),
    "i64": ("int64", numpy.array([-(2**63), 2**63 - 1, 2**53 + 1], numpy.int64)),
    "u64": ("uint64", numpy.array([0, 2**53], numpy.uint64)),
    "f16": ("float16", numpy.array([[[1.5, -0.0]], [[65504, 2**-24]]], numpy.float16)),
    "bf16": ("bfloat16", numpy.array([0x3FC0, 0xFF7F], numpy.uint16)),
    "f32": ("float32", numpy.array([0.1, -3.4028235e38], numpy.float32)),
    "f64": ("float64", numpy.array([0.1, 5e-324], numpy.float64)),
    "scalar": ("float32", numpy.array(2.5, numpy.float32)),
    "empty": ("float32", numpy.zeros((0, 7), numpy.float32)),
}

tensors = {
    name: {"dtype": dtype, "shape": list(array.shape), "data": array.tobytes()}
    for name, (dtype, array) in VALUES.items()
}
here = pathlib.Path(__file__).parent
(here / "every-type.safetensors").write_bytes(serialize(tensors, {"options": '{"tau": 0.1}', "made by": "café"}))
