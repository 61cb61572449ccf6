"""How verl finds the plugin, and what a user sees when it cannot work."""

import os
import pathlib
import subprocess
import sys

import pytest
import wheel

ENGINE = (
    "from verl.workers.engine import EngineRegistry\n"
    "print('ENGINE', EngineRegistry.get_engine_cls('language_model', 'fsdp2').__name__)"
)


def python(code, **variables):
    """Run a program in a process of its own; a variable of None is taken away."""
    environment = {k: v for k, v in (os.environ | variables).items() if v is not None}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)


def test_pip_install_is_enough(tmp_path):
    """The wheel as a server hands it out, installed by pip into a folder of its own: verl finds the plugin by itself."""
    wheel.write(tmp_path / wheel.name())
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", tmp_path / "site"]
    subprocess.run([*pip, tmp_path / wheel.name()], check=True)
    path = os.pathsep.join([str(tmp_path / "site"), str(pathlib.Path(__file__).parent)])
    where = "import perception_client\nprint('FROM', perception_client.__file__)\n"
    run = python(where + ENGINE, PYTHONPATH=path)
    assert "ENGINE PerceivingEngine" in run.stdout, run.stderr
    assert f"FROM {tmp_path}" in run.stdout


def test_without_the_word_verl_is_left_alone():
    run = python(
        "import sys, verl\n" + ENGINE + "\nprint('LOADED', 'perception_client.trainers.verl.engine' in sys.modules)",
        VERL_ENGINE_VENDOR=None)  # fmt: skip
    assert "ENGINE FSDPEngineWithLMHead" in run.stdout and "LOADED False" in run.stdout, run.stderr


def test_import_verl_alone_imports_no_engine():
    run = python("import sys, verl\nprint('ENGINE', 'perception_client.trainers.verl.engine' in sys.modules)")
    assert "ENGINE False" in run.stdout, run.stderr


@pytest.mark.parametrize(
    "variables, said",
    [
        ({"PERCEPTION_MODE": "rows"}, "PERCEPTION_MODE: verl's engine offers direct and grad_cache, not rows"),
        ({"PERCEPTION_OPTIONS": "{tau: 1}"}, "PERCEPTION_OPTIONS"),
        ({"PYTHONPATH": "older"}, "verl 0.8.1 is installed, and this adapter was tested with 0.9 … 0.9"),
    ],
)
def test_a_plugin_that_cannot_work_ends_the_program_and_says_why(variables, said, tmp_path):
    """verl itself logs a plugin's exception at DEBUG and goes on with its own engine."""
    if variables.get("PYTHONPATH"):
        info = tmp_path / "verl-0.8.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: verl\nVersion: 0.8.1\n")
        variables = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"}
    run = python("import verl\nprint('WENT ON')", **variables)
    assert run.returncode == 1 and "WENT ON" not in run.stdout
    assert "ERROR: perception-client's plugin for verl failed to load" in run.stderr and said in run.stderr
    assert "Traceback" in run.stderr


def test_an_engine_that_cannot_be_imported_is_no_reason_to_go_on_either():
    """What fails later, when verl's own modules are imported, is raised by that import."""
    broken = "import sys\nsys.modules['perception_client.trainers.modes'] = None\nimport verl\nprint('IMPORTED')\n" + ENGINE
    run = python(broken)
    assert "IMPORTED" in run.stdout and "ENGINE" not in run.stdout and run.returncode == 1
    assert "perception_client.trainers.modes" in run.stderr


def test_other_engines_refuse():
    run = python(
        "from verl.workers.engine import EngineRegistry\n"
        "EngineRegistry.new('language_model', 'megatron')")  # fmt: skip
    assert run.returncode == 1 and "works with the strategies fsdp and fsdp2" in run.stderr
