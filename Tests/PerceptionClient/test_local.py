"""`Perception.local()`: a private server that starts fast and never outlives its owner."""

import multiprocessing
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from features import REPOSITORY
from perception_client import NoServer, Perception
from perception_client.local_server import LocalServer, socket_folder, unfit_platform


@pytest.fixture(autouse=True)
def private(monkeypatch, tmp_path_factory):
    """Sockets go to a folder of this test; short, since socket paths are."""
    folder = pathlib.Path("/tmp") / f"pc-{os.getpid()}-{time.monotonic_ns() % 10**9}"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("PERCEPTION_URL", raising=False)
    yield folder
    left = [p for p in folder.rglob("*") if not p.is_dir()]
    shutil.rmtree(folder)
    assert not left, f"left behind: {left}"


@pytest.fixture
def server(binary):
    """The binary, when it knows --exit-on-eof."""
    said = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True).stdout
    if "--exit-on-eof" not in said and "wrap" not in binary:
        pytest.skip("this server has no --exit-on-eof")
    return binary


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has waited for is no server.
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid, seconds=10):
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def script(server, text):
    """A process that runs the text with `P` made, and prints the server's process; returns it."""
    lines = f"""
        import os, sys, time
        sys.path.insert(0, {str(REPOSITORY / "Sources/perception-client")!r})
        from perception_client import Perception
        P = Perception.local(binary={server!r})
        P.info()
        print(P._server.pid, flush=True)
    """
    code = textwrap.dedent(lines) + textwrap.dedent(text)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_it_serves_and_ends(server, private):
    with Perception.local(binary=server, threads=1) as client:
        pid, path = client._server.pid, client._server.path
        assert client.info().threads == 1
        assert client.advantages([1, 0], [1, 1]).advantages.shape == (2,)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700 and path.parent.parent == private
    assert gone(pid, 0) and not path.exists()


def test_start_to_first_answer_is_quick(server):
    spent = []
    for _ in range(5):
        started = time.monotonic()
        with Perception.local(binary=server) as client:
            client.presets()
            spent.append(time.monotonic() - started)
    # A goal of 150 ms on an idle machine; a test must pass on a busy one.
    assert min(spent) < 1


@pytest.mark.parametrize(
    "end",
    ["", "os._exit(3)", "os.kill(os.getpid(), 9)", "raise RuntimeError", "sys.exit(1)", "del P",
     "import threading; threading.Thread(target=lambda: os._exit(0)).start(); time.sleep(9)"],
)  # fmt: skip
def test_it_ends_with_its_owner_however_that_ends(server, end):
    with script(server, end) as process:
        pid = int(process.stdout.readline())
        process.wait(20)
    assert gone(pid)


def test_ctrl_c_is_for_the_trainer(server):
    text = """
        try:
            print("training", flush=True)
            time.sleep(30)
        except KeyboardInterrupt:
            print(P.info().version, flush=True)
    """
    with script(server, text) as process:
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "training\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline().strip()
    assert gone(pid)


def test_the_thread_that_started_it_may_end(server):
    import threading

    made = []
    thread = threading.Thread(target=lambda: made.append(Perception.local(binary=server)))
    thread.start()
    thread.join()
    time.sleep(0.1)
    with made[0] as client:
        assert client.info().version


def use(client, queue):
    queue.put([client.advantages([1, 0], [1, 1]).advantages.shape for _ in range(20)])
    client.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_share_it_and_do_not_end_it(server, method):
    context = multiprocessing.get_context(method)
    with Perception.local(binary=server) as client:
        queue = context.Queue()
        workers = [context.Process(target=use, args=(client, queue)) for _ in range(3)]
        for worker in workers:
            worker.start()
        assert [queue.get(timeout=60) for _ in workers] == [[(2,)] * 20] * 3
        for worker in workers:
            worker.join()
        assert client.info().version


def test_it_waits_for_forked_workers_of_a_killed_owner_and_then_ends(server):
    text = """
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(1)
            os.close(writing)
            os.read(reading, 1)
            time.sleep(0.5)
            os._exit(0 if P.info().version else 1)
        os.kill(os.getpid(), 9)
    """
    with script(server, text) as process:
        pid = int(process.stdout.readline())
        process.wait(20)
    assert alive(pid), "a worker still uses it"
    assert gone(pid)


def test_its_descriptors_go_to_no_other_child(server):
    with Perception.local(binary=server) as client:
        sleeper = subprocess.Popen(["sleep", "30"], close_fds=False)
        pid = client._server.pid
    try:
        assert gone(pid, 2)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_many_rounds_leave_nothing(server, private):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def children():
        return pathlib.Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()

    Perception.local(binary=server).close()
    before = descriptors(), len(children())
    for _ in range(int(os.environ.get("PERCEPTION_ROUNDS", "20"))):
        with Perception.local(binary=server) as client:
            client.info()
    assert (descriptors(), len(children())) == before
    assert [p for p in private.rglob("*") if not p.is_dir()] == []


def test_a_collected_client_ends_its_server(server):
    import gc

    client = Perception.local(binary=server)
    pid = client._server.pid
    del client
    gc.collect()
    assert gone(pid)


def test_variables_and_tokens_of_the_environment_do_not_reach_it(server, monkeypatch):
    monkeypatch.setenv("PERCEPTION_TOKEN", "a-token-of-another-server")
    monkeypatch.setenv("PERCEPTION_PORT", "9")
    with Perception.local(binary=server) as client:
        assert client.info().version and not client.settings.token


def test_a_server_that_does_not_start_says_why(server):
    with pytest.raises(NoServer, match="the server ended with .*no-such-option"):
        Perception.local(binary=server, no_such_option=1)


def test_a_file_that_may_not_be_executed(tmp_path):
    program = tmp_path / "perception-server"
    program.write_bytes(b"\x7fELF")
    with pytest.raises(NoServer, match="may not be executed: is its file system mounted noexec"):
        LocalServer(str(program))
    with pytest.raises(NoServer, match="No such file"):
        LocalServer(str(tmp_path / "nothing"))


@pytest.mark.skipif(os.getuid() != 0, reason="mounting needs root")
def test_a_noexec_file_system(server, tmp_path):
    place = tmp_path / "noexec"
    place.mkdir()
    command = f'mount -t tmpfs -o noexec none {place} && cp {shutil.which("true")} {place}/perception-server && exec "$@"'
    code = f"""
import sys; sys.path.insert(0, {str(REPOSITORY / "Sources/perception-client")!r})
from perception_client.local_server import LocalServer
LocalServer({str(place / "perception-server")!r})
"""
    run = ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", code]
    found = subprocess.run(run, capture_output=True, text=True)
    if "unshare:" in found.stderr or ("permission denied" in found.stderr.lower() and "mount:" in found.stderr):
        pytest.skip("no mounts here")
    assert "may not be executed: is its file system mounted noexec" in found.stderr


def test_a_missing_server_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("PERCEPTION_SERVER_BINARY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "perception_server", None)
    with pytest.raises(NoServer, match="by file or with --find-links"):
        Perception.local()
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(NoServer, match="not on Linux on aarch64: start one elsewhere"):
        Perception.local()
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert unfit_platform() == "Darwin (aarch64)"


def test_musl_is_told(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda *_: ("", ""))
    assert unfit_platform() == "Linux without glibc (musl)"


def test_where_the_socket_goes(monkeypatch, tmp_path, private):
    long = pathlib.Path("/tmp") / ("x" * 90)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setenv("TMPDIR", str(private))
    assert socket_folder().parent == private
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    assert socket_folder().parent == private
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.delenv("TMPDIR")
    assert socket_folder().parent == pathlib.Path("/tmp")


def test_a_folder_of_somebody_else_is_not_used(monkeypatch, private):
    (private / f"perception-{os.getuid()}").mkdir(mode=0o777)
    (private / f"perception-{os.getuid()}").chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(private))
    assert socket_folder().parent == pathlib.Path("/tmp")
    (private / f"perception-{os.getuid()}").rmdir()
    (private / f"perception-{os.getuid()}").symlink_to("/root")
    assert socket_folder().parent == pathlib.Path("/tmp")
    (private / f"perception-{os.getuid()}").unlink()
