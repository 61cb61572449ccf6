"""Pictures a second: the server with batches and with single pictures, a data loader's processes, FastAPI."""

import multiprocessing
import time

from perturb_client import MIXED, both_views, connected, post

FORMS = ("png", "jpeg", "raw")


def served(address, jpeg, form, batch, seconds, queue):
    """Posts until the time is up, another seed each time; puts how many pictures a second."""
    connection = connected(address)
    post(connection, "/v1/perturb", both_views(jpeg, batch, form), MIXED)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        post(connection, "/v1/perturb", both_views(jpeg, batch, form, done), MIXED)
        done += batch
    queue.put(done / (time.perf_counter() - started))


def asked_peer(address, jpeg, form, _, seconds, queue):
    connection = connected(address)
    headers = {"Content-Type": "image/jpeg"}
    post(connection, f"/v1/perturb?format={form}", jpeg, headers)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        post(connection, f"/v1/perturb?format={form}", jpeg, headers)
        done += 1
    queue.put(done / (time.perf_counter() - started))


def loaded(_, jpeg, form, __, seconds, queue):
    """A data loader's worker."""
    from pillow_views import views
    views(jpeg, form)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        views(jpeg, form)
        done += 1
    queue.put(done / (time.perf_counter() - started))


def rate(work, processes, *arguments):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=work, args=(*arguments, queue)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    total = sum(queue.get() for _ in workers)
    for worker in workers:
        worker.join()
    return total


def throughput(address, jpeg, seconds, peer_address):
    results = {}
    for form in FORMS:
        row = {
            "server, 1 connection": rate(served, 1, address, jpeg, form, 16, seconds),
            "server, 2 connections": rate(served, 2, address, jpeg, form, 16, seconds)}
        if peer_address:
            row["Pillow + torchvision, 2 processes"] = rate(loaded, 2, None, jpeg, form, 1, seconds)
            row["server, an image a request"] = rate(served, 2, address, jpeg, form, 1, seconds)
            row["FastAPI, an image a request"] = rate(asked_peer, 2, peer_address, jpeg, form, 1, seconds)
            best = max(row["server, 1 connection"], row["server, 2 connections"])
            row["times the loader"] = best / row["Pillow + torchvision, 2 processes"]
            row["times FastAPI"] = row["server, an image a request"] / row["FastAPI, an image a request"]
        results[form] = row
        for name, value in row.items():
            print(f"{form:5} {name:36} {value:8.1f}")
    return results
