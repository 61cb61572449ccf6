"""The request on the front page, pasted into a shell, gets the reply that stands below it."""

import re
import subprocess

from documents import REPOSITORY


def test_the_request_gets_the_reply_below_it(server):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## One request") : text.index("## In a trainer")]
    (command,) = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    (reply,) = re.findall(r"^```json\n(.*?)…\n```$", section, re.M | re.S)
    assert "localhost:8080" in command
    pasted = command.replace("localhost:8080", server.removeprefix("http://"))
    run = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, timeout=30, check=True)
    assert run.stdout.startswith(reply)


def test_the_contracts_first_requests_are_answered(server):
    """Those of openapi.yaml that need no file of the reader's."""
    text = (REPOSITORY / "openapi.yaml").read_text(encoding="utf-8")
    section = text[text.index("## First requests") : text.index("## Letters and views")]
    commands = re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.M | re.S)
    replies = []
    for command in commands:
        for call in re.split(r"^ *(?=curl )", command, flags=re.M):
            if not call.strip() or "batch.safetensors" in call or "photo.jpg" in call:
                continue
            pasted = call.replace("localhost:8080", server.removeprefix("http://"))
            replies.append(subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, timeout=30).stdout)
    assert len(replies) == 4
    score, mask, entropy, advantages = replies
    assert '"loss":0.209729' in score and '"perception_mask":[[1,0,0,0,0,1,0,1]]' in mask
    assert '"entropy"' in entropy and '"advantages"' in advantages
