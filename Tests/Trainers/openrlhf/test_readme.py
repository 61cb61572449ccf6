"""The README's agent.py runs as OpenRLHF loads it, and with the job's two keys there are no more than ten lines."""

import readme
from openrlhf.trainer.ray.vllm_engine import _load_agent_executor

from perception_client.trainers.openrlhf import PerceptionMixin


def test_the_lines_of_the_readme(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    (code,) = (code for kind, code in readme.examples() if kind == "python openrlhf")
    (tmp_path / "agent.py").write_text(code)
    made = _load_agent_executor(str(tmp_path / "agent.py"))
    assert isinstance(made, PerceptionMixin)
    assert made.reward_func is not None
    job = 3  # the hook, the variables, the agent's path
    assert job + len([line for line in code.splitlines() if line.strip()]) <= 10
