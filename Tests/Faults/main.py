"""Runs faults one after the other, each in a process of its own, and writes the table. `run` calls it.

    python Tests/Faults/main.py --binary PATH [--plant kill|lie] [FAULT [NUMBER]] ...
"""

import argparse
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "Contract"), str(FOLDER.parent / "Benchmarks")]
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from claims import Claims, table

# In this order by default: short ones first. The second number bounds each one's seconds.
FAULTS = {
    "malformed": 900, "flood": 300, "signals": 300, "resets": 600, "disk": 300, "memory": 900, "crowd": 300, "bombs": 1500, "clock": 600, "loris": 600,
    "drain": 1800, "soak": 7200}


def one(fault, amount, binary, result):
    """In the fault's own process."""
    os.environ["FAULT"] = fault
    claims, begin = Claims(), time.monotonic()
    module = importlib.import_module(fault)
    try:
        module.run(claims, binary, *([amount] if amount is not None else []))
    except Exception as error:
        claims.claim("the run came to its end", False, f"{type(error).__name__}: {error}")
        traceback.print_exc()
    row = claims.as_row(fault, module.__doc__.strip().splitlines()[0].rstrip("."), time.monotonic() - begin)
    result.write_text(json.dumps(row))
    return row["result"] != "failed"


def every(wanted, binary, out, plant):
    rows = []
    for fault, amount in wanted:
        print(f"\n== {fault}{'' if amount is None else f' {amount:g}'}", flush=True)
        result = out / f"{fault}.json"
        result.unlink(missing_ok=True)
        (out / f"{fault}.log").unlink(missing_ok=True)
        command = [sys.executable, str(FOLDER / "main.py"), "--binary", binary, "--result", str(result), fault]
        command += [] if amount is None else [str(amount)]
        if fault == "disk" and os.geteuid() != 0:
            # Root of its own small world, in which it may mount.
            alone = ["unshare", "--user", "--map-root-user", "--mount"]
            if subprocess.run([*alone, "true"], capture_output=True).returncode == 0:
                command = [*alone, *command]
        try:
            subprocess.run(command, timeout=FAULTS[fault] + 90 * (amount or 0), env=os.environ | {"FAULTS_PLANT": plant})
        except subprocess.TimeoutExpired:
            print(f"FAIL {fault} did not end in {FAULTS[fault]} s")
        if result.exists():
            rows.append(json.loads(result.read_text()))
        else:
            rows.append(Claims().as_row(fault, "", 0) | {"result": "failed", "notes": ["the run did not end"]})
    (out / "faults.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "faults.md").write_text(table(rows))
    print(f"\n{out / 'faults.md'}:")
    for row in rows:
        print(f"  {row['fault']:10} {row['result']} ({sum(c['held'] for c in row['claims'])} of {len(row['claims'])} claims, {row['seconds']} s)")
    return [row["fault"] for row in rows if row["result"] != "failed"]


def parsed(words):
    wanted = []
    for word in words:
        if word in FAULTS:
            wanted.append([word, None])
        elif wanted and wanted[-1][1] is None and word.replace(".", "", 1).isdigit():
            wanted[-1][1] = float(word)
        else:
            raise SystemExit(f"no fault is called {word}; there are {' '.join(FAULTS)}")
    return wanted or [[fault, None] for fault in FAULTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--out", type=pathlib.Path, default=".faults")
    parser.add_argument("--plant", choices=["kill", "lie"], default="", help="spoil the run, which must then fail")
    parser.add_argument("--result", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("faults", nargs="*")
    given = parser.parse_args()
    wanted = parsed(given.faults)
    binary = str(pathlib.Path(given.binary).resolve())
    if given.result:
        return 0 if one(*wanted[0], binary, given.result) else 1
    out = pathlib.Path(given.out)
    out.mkdir(exist_ok=True)
    os.environ["FAULTS_OUT"] = str(out)
    survived = every(wanted, binary, out, given.plant)
    if given.plant:
        print(f"planted failures were not noticed by {' '.join(survived)}" if survived else "all planted failures were noticed")
        return 1 if survived else 0
    return 0 if len(survived) == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
