"""What a check claims: a line for each, and the first that does not hold ends the program. And commands to claim it of."""

import subprocess


def claim(what, truth, detail=""):
    print(f"{'ok  ' if truth else 'FAIL'} {what} {detail}".rstrip(), flush=True)
    if not truth:
        raise SystemExit(1)


def run(*command, **keywords):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **keywords)
