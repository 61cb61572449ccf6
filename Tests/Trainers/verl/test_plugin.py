"""How verl finds the plugin, and what a user sees when it cannot work."""

import os
import pathlib
import subprocess
import sys

import pytest
import wheel

PLUGIN = "perception_client.trainers.verl.plugin"
SAID = "ERROR: perception-client's plugin for verl failed to load"
ENGINE = (
    "from verl.workers.engine import EngineRegistry\n"
    "print('ENGINE', EngineRegistry.get_engine_cls('language_model', 'fsdp2').__name__)\n"
)


def python(code, **variables):
    """Run a program in a process of its own; a variable of None is taken away."""
    environment = {k: v for k, v in (os.environ | variables).items() if v is not None}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)


def test_pip_install_is_enough(tmp_path):
    """The wheel as a server hands it out, installed by pip into a folder of its own: verl finds the plugin by itself.

    `import verl` alone imports no engine; verl's other engines refuse.
    """
    wheel.write(tmp_path / wheel.name())
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", tmp_path / "site"]
    subprocess.run([*pip, tmp_path / wheel.name()], check=True)
    path = os.pathsep.join([str(tmp_path / "site"), str(pathlib.Path(__file__).parent)])
    run = python(
        "import sys, verl, perception_client\n"
        "print('FROM', perception_client.__file__)\n"
        "print('EARLY', 'perception_client.trainers.verl.engine' in sys.modules)\n"
        + ENGINE
        + "EngineRegistry.new('language_model', 'megatron')", PYTHONPATH=path)  # fmt: skip
    assert f"FROM {tmp_path}" in run.stdout and "EARLY False" in run.stdout
    assert "ENGINE PerceivingEngine" in run.stdout, run.stderr
    assert run.returncode == 1 and "works with the strategies fsdp and fsdp2" in run.stderr


def test_without_the_word_verl_is_left_alone():
    run = python(
        "import sys, verl\n" + ENGINE + "print('LOADED', 'perception_client.trainers.verl.engine' in sys.modules)",
        VERL_ENGINE_VENDOR=None)  # fmt: skip
    assert "ENGINE FSDPEngineWithLMHead" in run.stdout and "LOADED False" in run.stdout, run.stderr


def test_verl_does_not_start_with_a_plugin_that_cannot_work():
    """verl itself logs a plugin's exception at DEBUG and goes on with its own engine."""
    run = python("import verl\nprint('WENT ON')", PERCEPTION_MODE="rows")
    assert run.returncode == 1 and "WENT ON" not in run.stdout
    assert SAID in run.stderr and "PERCEPTION_MODE: verl's engine offers direct and grad_cache, not rows" in run.stderr
    assert "Traceback" in run.stderr


@pytest.mark.parametrize("version, fits", [("0.8.1", False), ("0.9.0", True), ("0.9.7", True), ("0.10.0", False)])
def test_the_versions_of_verl_it_was_tested_with(version, fits, tmp_path):
    info = tmp_path / f"verl-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: verl\nVersion: {version}\n")
    path = f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"
    run = python(f"import {PLUGIN}", PYTHONPATH=path)
    assert run.returncode == (0 if fits else 1), run.stderr
    assert fits or f"verl {version} is installed, and this adapter was tested with 0.9 … 0.9" in run.stderr
    if not fits:
        told = python(f"import {PLUGIN}", PYTHONPATH=path, PERCEPTION_UNTESTED_TRAINER="1")
        assert told.returncode == 0 and "lets it run" in told.stderr


@pytest.mark.parametrize("name, value", [("OPTIONS", "{tau: 1}"), ("NORMALISE", "sequences"), ("ON_ERROR", "ignore")])
def test_a_variable_that_cannot_be_read_ends_the_program(name, value):
    run = python(f"import {PLUGIN}", **{f"PERCEPTION_{name}": value})
    assert run.returncode == 1 and SAID in run.stderr and name.lower() in run.stderr.lower()


def test_an_engine_that_cannot_be_imported_is_no_reason_to_go_on_either():
    """What fails later, when verl's own modules are imported, is raised by that import."""
    broken = "import sys\nsys.modules['perception_client.trainers.modes'] = None\nimport verl\nprint('IMPORTED')\n"
    run = python(broken + ENGINE)
    assert "IMPORTED" in run.stdout and "ENGINE" not in run.stdout and run.returncode == 1
    assert "perception_client.trainers.modes" in run.stderr
