"""Lets PyPI's torchvision import beside a CPU build of torch: python cpu_torchvision.py (with the environment's Python).

PyPI's torchvision is built for CUDA. Without CUDA's libraries its C++ part does not load, so that the operators which the
package registers fakes for do not exist, and the import fails. They are declared at the head of the package, without an
implementation: resizing and normalising, all that image processors use, are torch's own. Where torchvision imports as it
is, nothing is changed.
"""

import importlib.util
import pathlib
import subprocess
import sys

MARK = "# operators of the missing C++ part"
DECLARED = f"""{MARK}
import torch as _torch

_operators = _torch.library.Library("torchvision", "DEF")
_operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def imports():
    """Whether torchvision imports, in a fresh Python."""
    return subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True).returncode == 0


def main():
    found = importlib.util.find_spec("torchvision")
    if found is None or imports():
        return
    file = pathlib.Path(found.origin)
    text = file.read_text()
    assert MARK not in text, f"{file}: torchvision does not import, and not for want of its operators"
    file.write_text(DECLARED + text)
    assert imports(), f"{file}: torchvision does not import even with its operators declared"


if __name__ == "__main__":
    main()
