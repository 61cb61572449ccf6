"""grad_cache holds one view's activations at a time."""

import pathlib
import subprocess
import sys


def grown(url, mode):
    file = pathlib.Path(__file__).parent / "peaks.py"
    found = subprocess.run([sys.executable, str(file), url, mode], capture_output=True, text=True, timeout=500)
    assert found.returncode == 0, found.stderr[-2000:]
    return float(found.stdout.split()[-1])


def test_grad_cache_needs_less_memory_than_direct(url):
    alone, direct, cached = (grown(url, mode) for mode in ("alone", "direct", "grad_cache"))
    assert alone > 30, "too little to compare"
    assert direct > 1.5 * alone, "three views' activations"
    assert cached < 0.6 * direct, "one view's"
