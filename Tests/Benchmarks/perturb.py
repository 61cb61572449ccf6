"""How fast views are made: the server beside Pillow and torchvision, in one run.

    python Tests/Benchmarks/perturb.py --binary .build/release/perception-server [--seconds 6] [--json out.json] [--no-peer]

1. a JPEG of 1024 × 768 to both CPPO views as PNG (level 1), JPEG (95, 4:4:4) and raw samples: images a second of the
   server with one and two connections, batches of 16, against Pillow + torchvision in two worker processes;
2. the same one image a request, two connections, against a FastAPI service that does it with Pillow and torchvision;
3. each step alone in nanoseconds a pixel, by the server's own clock, against Pillow's or torchvision's function;
4. CPU time for both views of a picture, of the server and of a loader;
5. resident memory over 1,000 pictures of a megapixel, one connection after another;
6. the 99th percentile of a compact /v1/score, idle and beside a batch of 256 pictures.
"""

import argparse
import contextlib
import json
import pathlib
import urllib.parse

import perturb_costs
import perturb_rates
import perturb_steps
from perturb_client import photograph
from services import peer, server


def host_and_port(url):
    parsed = urllib.parse.urlsplit(url)
    return parsed.hostname, parsed.port


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--seconds", type=float, default=6)
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--no-peer", action="store_true")
    options = arguments.parse_args()
    jpeg = photograph((1024, 768))
    results = {}
    with server(options.binary) as url:
        process_id = perturb_costs.server_process()
        address = host_and_port(url)
        results["memory"] = perturb_costs.memory(address, process_id)
        if not options.no_peer:
            results["steps"] = perturb_steps.measure(address, jpeg)
            results["cpu"] = perturb_costs.cpu(address, process_id, jpeg)
        results["fairness"] = perturb_costs.fairness(address, jpeg)
        with contextlib.ExitStack() as stack:
            peer_address = None if options.no_peer else host_and_port(stack.enter_context(peer("perturb_peer")))
            results["throughput"] = perturb_rates.throughput(address, jpeg, options.seconds, peer_address)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
