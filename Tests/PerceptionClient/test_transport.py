"""Connections, retries and their limits, against servers that misbehave on command."""

import multiprocessing
import signal
import socket
import subprocess
import threading
import time

import numpy as np
import pytest
import serving

from perception_client import (
    IncompatibleVersion,
    InvalidRequest,
    Overloaded,
    Perception,
    PerceptionError,
    Unreachable,
)
from perception_client.versions import VERSION
from scripted import free_port, scripted


def busy(request):
    request.problem(503, Retry_After="0")


def hang_up(request):
    request.hang_up()


def test_one_connection_is_kept():
    with scripted() as script:
        client = Perception(script.url)
        for _ in range(20):
            client.presets()
        assert script.connections == 1 and len(script.requests) == 20


def test_each_thread_has_its_own_connection():
    with scripted() as script:
        client = Perception(script.url)
        threads = [threading.Thread(target=lambda: [client.presets() for _ in range(5)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert script.connections == 4 and len(script.requests) == 20


@pytest.mark.parametrize("fault", [busy, hang_up, lambda r: r.problem(408, "request-timeout")])
def test_passing_faults_are_tried_again(fault):
    with scripted(fault, fault) as script:
        Perception(script.url, deadline=10).presets()
        assert len(script.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415, 422, 504, 507, 500])
def test_what_would_fail_again_is_not_tried_again(status):
    with scripted(lambda r: r.problem(status, "told-you")) as script:
        with pytest.raises(PerceptionError, match=f"{status} told-you: told-you here"):
            Perception(script.url, deadline=10).presets()
        assert len(script.requests) == 1


def test_retry_after_is_a_floor():
    with scripted(lambda r: r.problem(503, Retry_After="1")) as script:
        started = time.monotonic()
        Perception(script.url, deadline=10).presets()
        assert time.monotonic() - started > 1 and len(script.requests) == 2


def test_the_deadline_ends_a_shortage_with_the_servers_reason():
    with scripted(default=busy) as script:
        started = time.monotonic()
        with pytest.raises(Overloaded, match="503 busy: busy here"):
            Perception(script.url, deadline=1).presets()
        assert 0.5 < time.monotonic() - started < 2 and len(script.requests) > 2


def test_a_retry_after_beyond_the_deadline_is_not_waited_for():
    with scripted(default=lambda r: r.problem(503, Retry_After="60")) as script:
        started = time.monotonic()
        with pytest.raises(Overloaded):
            Perception(script.url, deadline=5).presets()
        assert time.monotonic() - started < 2 and len(script.requests) == 1


def test_nobody_there_says_where_how_often_and_why():
    port = free_port()
    with pytest.raises(Unreachable, match=rf"127.0.0.1:{port}: no answer after \d+ tries in .*refused") as caught:
        Perception(f"http://127.0.0.1:{port}", deadline=0.6).presets()
    assert caught.value.attempts > 1 and isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_silent_server_is_given_up_and_tried_again():
    release = threading.Event()
    with scripted(lambda r: release.wait(5)) as script:
        Perception(script.url, timeout=0.3, deadline=10).presets()
        release.set()
        assert len(script.requests) == 2


def test_a_reply_that_breaks_off_is_tried_again():
    def cut(request):
        request.answer(200, b"{", Content_Length="100")
        request.hang_up()

    with scripted(cut) as script:
        Perception(script.url, deadline=10).presets()
        assert len(script.requests) == 2


def test_the_next_address_is_tried_and_remembered():
    with scripted() as script:
        client = Perception([f"http://127.0.0.1:{free_port()}", script.url], deadline=10)
        started = time.monotonic()
        client.presets()
        client.presets()
        assert len(script.requests) == 2 and time.monotonic() - started < 1


def test_a_busy_server_hands_over_to_the_next():
    with scripted(default=busy) as first, scripted() as second:
        Perception(f"{first.url},{second.url}", deadline=10).presets()
        assert len(first.requests) == 1 and len(second.requests) == 1


def test_a_refusal_in_the_middle_of_a_large_body_is_read():
    """The server answers and stops reading; the client must not take the broken pipe for an outage."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    head = connection.recv(1 << 16)
                    if b"/v1/info" in head:
                        from scripted import INFO, json

                        body = json.dumps(INFO).encode()
                        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                        continue
                    body = b'{"type":"body-too-large","title":"t","status":413,"detail":"1 MB at most","errors":[]}'
                    connection.sendall(
                        b"HTTP/1.1 413 Too Large\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body
                    )
                    connection.shutdown(socket.SHUT_WR)
                    time.sleep(0.2)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        client = Perception(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=5)
        with pytest.raises(InvalidRequest, match="1 MB at most"):
            client.entropy(np.zeros((1, 1000, 8000), "f4"))
        thread.join()


def test_an_answer_from_something_else_is_quoted():
    with scripted(lambda r: r.answer(502, b"<html>bad gateway</html>", Content_Type="text/html")) as script:
        with pytest.raises(PerceptionError, match="502.*without a problem document: <html>bad gateway"):
            Perception(script.url).presets()


def test_versions_that_do_not_fit_are_told_at_the_first_call():
    with scripted() as script:
        script.info["version"] = "99.0.0"
        with pytest.raises(IncompatibleVersion, match=rf"the server is version '99.0.0' and this client {VERSION}"):
            Perception(script.url).presets()
        assert not script.requests


@pytest.mark.parametrize(
    ("server", "client", "fits"),


    [("0.1.9", "0.1.0", True), ("0.2.0", "0.1.0", False), ("1.4.0", "1.2.7", True), ("2.0.0", "1.2.7", False),
     ("1.0.0", "0.9.0", False), ("0.1.0-rc1", "0.1.0", True), ("?", "0.1.0", False)],
)  # fmt: skip
def test_which_versions_fit(server, client, fits):
    from perception_client.versions import check

    if fits:
        check(server, client)
    else:
        with pytest.raises(IncompatibleVersion):
            check(server, client)


def test_a_connection_the_server_closed_while_idle_is_renewed_at_once(binary):
    with serving.running(binary, "--idle-timeout-seconds", "1") as url:
        client = Perception(url, deadline=10)
        client.info()
        time.sleep(2.5)
        started = time.monotonic()
        client.info()
        assert time.monotonic() - started < 0.09, "no pause is due"


def test_an_outage_is_sat_out(binary):
    """The server is killed and comes back on the same port after a second."""
    port = free_port()
    command = [binary, "serve", "--port", str(port), "--log-level", "error"]
    client = Perception(f"http://127.0.0.1:{port}", deadline=20)
    with subprocess.Popen(command, env=serving.environment()) as first:
        client.info()
        first.kill()
    again = []
    timer = threading.Timer(1, lambda: again.append(subprocess.Popen(command, env=serving.environment())))
    timer.start()
    started = time.monotonic()
    try:
        assert client.advantages([1, 0], [1, 1]).advantages.shape == (2,)
        assert 0.9 < time.monotonic() - started < 6
    finally:
        timer.join()
        again[0].terminate()
        again[0].wait()


def forked(client, queue):
    queue.put([client.advantages([1, 0], [1, 1]).request_id for _ in range(20)])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_share_a_client(client, method):
    """Parent and children use it at the same time: nobody reads another's answer."""
    client.info()
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [context.Process(target=forked, args=(client, queue)) for _ in range(3)]
    for child in children:
        child.start()
    mine = [client.advantages([1, 0], [1, 1]).request_id for _ in range(50)]
    ids = [i for _ in children for i in queue.get(timeout=60)]
    for child in children:
        child.join()
    assert len(set(ids + mine)) == 110


def test_an_interrupt_leaves_no_half_read_connection(url):
    """A signal's exception in the middle of a call; the next call must get its own answer."""
    client = Perception(url)
    client.info()

    class Interrupt(Exception):
        pass

    def raise_it(*_):
        raise Interrupt

    previous = signal.signal(signal.SIGALRM, raise_it)
    try:
        for k in range(20):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005 * (k + 1))
                # Python swallows what a handler raises inside a finaliser: the loop ends by itself, too.
                until = time.monotonic() + 0.5
                while time.monotonic() < until:
                    client.advantages([1, 0], [1, 1])
            except Interrupt:
                pass
            assert client.presets()["cppo-verl"].name == "cppo-verl"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
