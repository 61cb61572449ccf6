"""What logits are computed with is the operator's choice, and what the machine may lack is nowhere but in the kernels."""

import os
import pathlib
import platform
import re
import shutil
import subprocess

import pytest
import requests

import serving

SOURCES = pathlib.Path(__file__).parents[2] / "Sources"
BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
SETS = ["avx512", "avx2", "neon", "portable"]
LOGITS = {"logits": [[[0.5 * (7 * i % 11) for i in range(300)]]]}


def test_each_set_the_machine_has_can_be_forced_and_gives_the_same_entropy():
    entropies = []
    for name in SETS:
        try:
            with serving.running(BINARY, "--instruction-set", name) as address:
                assert requests.get(address + "/v1/info", timeout=5).json()["instruction_set"] == name
                entropies.append(requests.post(address + "/v1/entropy", json=LOGITS, timeout=5).json()["entropy"][0][0])
        except AssertionError as error:
            # The only excuse, and never that of the set every machine has.
            assert name != "portable" and f"this machine has no {name}" in str(error)
    assert max(entropies) - min(entropies) < 1e-6


def test_a_set_that_is_none_is_refused_in_words():
    for arguments, variables in [(["--instruction-set", "avx9"], {}), ([], {"PERCEPTION_INSTRUCTION_SET": "avx9"})]:
        done = serving.finished(BINARY, "serve", "--port", "0", *arguments, **variables)
        assert done.returncode != 0 and "avx9" in done.stderr and "portable" in done.stderr


@pytest.mark.skipif(platform.machine() != "x86_64" or not shutil.which("objdump"), reason="needs x86-64 and objdump")
def test_wide_registers_are_used_by_the_kernels_only():
    users = set()
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", BINARY], stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            if name := re.match(r"[0-9a-f]+ <(.*)>:", line):
                function = name[1]
            elif re.search(r"%[yz]mm|%k[0-7]\b", line):
                users.add(function)
    # Some are made by macros, so every word of these modules may be one. No Swift function is called by a plain word.
    words = {
        word for module in ("CLogitKernels", "CNumberLists", "CNumberText", "CPixelKernels", "CTokenLoss")
        for source in (SOURCES / module).glob("*.[ch]")
        for word in re.findall(r"\w+", source.read_text())}
    assert users and users <= words, users - words
