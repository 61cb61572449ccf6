"""Counts the instructions that each kernel takes per logit and compares them with the limits in instructions.json.

The noise-free figure beside the benchmark. avx2 and portable run under callgrind. Valgrind knows no AVX-512, so avx512
is counted by perf, and skipped where the machine keeps its counters to itself. Two runs of different length are subtracted, so that only the kernel's own instructions remain.

usage: instructions.py BINARY [--set SET ...]
"""

import argparse, json, re, subprocess, sys, tempfile
from pathlib import Path

FEW, MORE = 1, 3


def by_callgrind(command):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def by_perf(command):
    """None where perf or the counter is missing."""
    try:
        done = subprocess.run(
            ["perf", "stat", "-x,", "-e", "instructions:u", *command],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        return None
    count = done.stderr.strip().split("\n")[-1].split(",")[0]
    return int(count) if done.returncode == 0 and count.isdigit() else None


def per_logit(binary, kernel, element, instruction_set):
    command = [binary, "--once", kernel, element, instruction_set, "--repeats"]
    elements = json.loads(subprocess.run([*command, "0"], capture_output=True, text=True, check=True).stdout)["elements"]
    count = by_callgrind if instruction_set != "avx512" else by_perf
    few, more = count([*command, str(FEW)]), count([*command, str(MORE)])
    return None if few is None or more is None else (more - few) / (MORE - FEW) / elements


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path, help="kernel-benchmark, built for release")
    parser.add_argument("--set", action="append", help="only these instruction sets")
    arguments = parser.parse_args()
    limits = json.loads(Path(__file__).with_suffix(".json").read_text())
    above = []
    with tempfile.TemporaryDirectory() as folder:
        # Valgrind 3.19 gives up over the debug information of this toolchain.
        binary = f"{folder}/kernel-benchmark"
        subprocess.run(["strip", "-o", binary, arguments.binary], check=True)
        for entry in limits:
            kernel, element, instruction_set = entry["kernel"], entry["type"], entry["set"]
            if arguments.set and instruction_set not in arguments.set:
                continue
            probe = subprocess.run(
                [binary, "--once", kernel, element, instruction_set, "--repeats", "0"], capture_output=True, text=True)
            if probe.returncode:
                print(f"{kernel} {element} {instruction_set}: skipped, {probe.stderr.strip()}")
                continue
            found = per_logit(binary, kernel, element, instruction_set)
            if found is None:
                print(f"{kernel} {element} {instruction_set}: skipped, no instruction counter here")
                continue
            is_above = found > entry["limit"]
            print(f"{kernel} {element} {instruction_set}: {found:.3f} of {entry['limit']}{' ABOVE' if is_above else ''}")
            if is_above:
                above.append(entry)
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
