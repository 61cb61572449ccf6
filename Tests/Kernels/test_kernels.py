"""The kernels in C alone: with sanitizers on this machine, and those of 64-bit Arm under an emulator.

    python -m pytest Tests/Kernels        needs numpy, safetensors, clang of the Swift toolchain
"""

import os
import pathlib
import platform
import shutil
import struct
import subprocess

import numpy as np
import pytest
from safetensors import safe_open

HERE = pathlib.Path(__file__).parent
KERNELS = HERE.parents[1] / "Sources" / "CLogitKernels"
# Rows whose logits are within 70 nats of each other, or -inf.
WITHIN_REACH = {"bell", "equal", "every-third-minus-infinity", "plateau-below-a-peak"}
ROWS = HERE.parent / "Golden" / "kernels" / "rows.safetensors"
ELEMENTS = {"f32": (0, 4), "bf16": (1, 2), "f16": (2, 2)}
EMULATOR, ARM_LINKER = shutil.which("qemu-aarch64"), shutil.which("aarch64-linux-gnu-gcc")
ARM_ROOT = pathlib.Path("/usr/aarch64-linux-gnu")


def compiler():
    """Clang, which Swift's toolchain has beside the compiler of Swift."""
    beside = pathlib.Path(os.path.realpath(shutil.which("swiftc") or "")).with_name("clang")
    found = str(beside) if beside.is_file() else shutil.which("clang")
    return found or pytest.skip("no clang here")


def built(folder, *options, linker=None):
    sources = [*sorted(HERE.glob("*.c")), *sorted(KERNELS.glob("*.c"))]
    subprocess.run(
        [compiler(), "-c", "-O1", "-g1", "-Wall", "-Wextra", "-Werror", f"-I{KERNELS}/include", *options, *sources],
        cwd=folder, check=True, timeout=600)
    objects = sorted(folder.glob("*.o"))
    subprocess.run([*(linker or [compiler(), *options]), *objects, "-lm", "-o", folder / "driver"], check=True, timeout=60)
    return [str(folder / "driver")]


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    options = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    linker = [compiler(), *options, "-fuse-ld=lld"]
    return built(tmp_path_factory.mktemp("sanitized"), *options, linker=linker)


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    if platform.machine() == "aarch64":
        return built(tmp_path_factory.mktemp("arm"))
    if not EMULATOR or not ARM_LINKER:
        pytest.skip("no emulator of Arm or no C library for it here: apt-get install qemu-user gcc-aarch64-linux-gnu "
            "libc6-dev-arm64-cross")
    target = ["--target=aarch64-linux-gnu", f"--sysroot={ARM_ROOT}", f"-isystem{ARM_ROOT}/include"]
    return [EMULATOR, *built(tmp_path_factory.mktemp("arm"), *target, linker=[ARM_LINKER, "-static"])]


@pytest.fixture(scope="module")
def cases():
    with safe_open(ROWS, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def answers(command, instruction_set, cases):
    """What the driver says of every case, by name."""
    names = [name for name in sorted(cases) if not name.startswith("expect.")]
    asked = b""
    for name in names:
        _, kind, temperature = name.split(".", 2)
        code, size = ELEMENTS[kind]
        data = np.atleast_2d(cases[name])
        asked += struct.pack("=IIQd", len(data), code, data.shape[1] // size, float(temperature.rsplit(".", 2)[0]))
        asked += data.tobytes()
    done = subprocess.run([*command, instruction_set], input=asked, capture_output=True, timeout=300)
    if done.returncode == 3:
        pytest.skip(f"this machine has no {instruction_set}")
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found, place = {}, 0
    for name in names:
        count = int(name.rsplit(".", 1)[1])
        length = 48 if name.startswith("statistics.") else struct.calcsize("=5d4f8d3d") + 40 * count
        found[name] = done.stdout[place:place + length]
        place += length
    assert place == len(done.stdout)
    return found


def check(found, cases):
    for name, answer in found.items():
        expected = cases[f"expect.{name}"]
        if name.startswith("statistics."):
            underflows, outcome, log_sum_exp, entropy = struct.unpack("=16x4d", answer)
            assert outcome == 0, name
            assert abs(log_sum_exp - expected[0]) <= 1e-6 and abs(entropy - expected[1]) <= 1e-6, name
            assert not underflows or name.split(".")[-2] not in WITHIN_REACH, name
            # A certain row has none at all: what little it had would make it a candidate.
            assert entropy >= 0 and (expected[1] > 1e-36 or entropy == 0), name
            continue
        *numbers, total, is_finite, is_rounded = struct.unpack("=5d16x11d", answer[:struct.calcsize("=5d4f11d")])
        assert is_finite == 1 and is_rounded == 1, name
        assert total == pytest.approx(expected[0], rel=1e-13), name
        np.testing.assert_allclose(numbers, expected, rtol=1e-12, atol=1e-13, err_msg=name)
        gradients = np.frombuffer(answer[struct.calcsize("=5d4f11d"):], np.float32).reshape(10, -1)
        exact = cases[f"expect.gradients.{name}"]
        largest = np.abs(exact).max(-1, keepdims=True)
        assert (np.abs(gradients - exact) <= 1e-7 * largest + 1e-14).all(), name


@pytest.mark.parametrize("instruction_set", ["avx512", "avx2", "neon", "portable"])
def test_every_set_agrees_with_float64_and_reads_nothing_beside_its_rows(instruction_set, sanitized, cases):
    check(answers(sanitized, instruction_set, cases), cases)


@pytest.mark.parametrize("instruction_set", ["neon", "portable"])
def test_sets_of_arm_agree_with_float64(instruction_set, emulated, cases):
    check(answers(emulated, instruction_set, cases), cases)


def test_the_portable_set_has_the_same_bits_on_arm(sanitized, emulated, cases):
    here, there = answers(sanitized, "portable", cases), answers(emulated, "portable", cases)
    # Of what the kernels computed alone, as the libraries' logarithms may differ: sums, and gradients of KL.
    for name in here:
        count = int(name.rsplit(".", 1)[1])
        parts = [slice(16)] if name.startswith("statistics.") else [slice(56), slice(144, 144 + 12 * count)]
        assert all(here[name][part] == there[name][part] for part in parts), name
