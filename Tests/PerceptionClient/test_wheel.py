"""The client's wheel: what pip builds, what the server hands out, and that it installs."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import venv
import zipfile

import pytest
import requests
import serving

import wheel


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    path = tmp_path_factory.mktemp("wheel") / wheel.name()
    wheel.write(path)
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What pip itself builds of the sources."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run([*command, "-w", folder, wheel.SOURCES], check=True, env=os.environ | {"SOURCE_DATE_EPOCH": "315532800"})
    (path,) = folder.iterdir()
    return path


def contents(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {i.filename: archive.read(i) for i in archive.infolist()}


def test_it_holds_what_pips_own_build_holds(laid_out, built):
    ours, theirs = contents(laid_out), contents(built)
    assert laid_out.name == built.name and set(ours) == set(theirs)
    for name, data in ours.items():
        if name.endswith("/RECORD"):
            continue
        assert told(data) == told(theirs[name]), name


def told(data):
    """Lines but those with the builder's own name and the version of the form."""
    return [line for line in data.decode().splitlines() if not line.startswith(("Generator:", "Metadata-Version:"))]


def test_the_record_is_right(laid_out):
    files = contents(laid_out)
    (record,) = (n for n in files if n.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(files[record].decode())))
    assert [r[0] for r in rows] == list(files) and rows[-1] == [record, "", ""]
    for path, digest, size in rows[:-1]:
        expected = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
        assert digest == f"sha256={expected}" and int(size) == len(files[path])


def test_the_bytes_are_the_same_each_time(laid_out, tmp_path):
    wheel.write(tmp_path / "again.whl")
    assert (tmp_path / "again.whl").read_bytes() == laid_out.read_bytes()


def test_it_installs_and_runs_where_nothing_else_is(laid_out, tmp_path, url):
    """In a fresh virtual environment; what it depends on comes from this one, as in a cluster without an index."""
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", laid_out], check=True)
    import numpy

    found = tmp_path / "fresh/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages/these.pth"
    found.write_text(os.path.dirname(os.path.dirname(numpy.__file__)))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PERCEPTION_URL": url}
    run = subprocess.run([tmp_path / "fresh/bin/perception", "info"], capture_output=True, text=True, env=environment)
    assert run.returncode == 0 and "perception-server" in run.stdout, run.stderr


def test_the_compiled_list_is_the_folders():
    """Else: python Tests/PerceptionClient/wheel.py --sources."""
    assert wheel.COMPILED.read_text(encoding="utf-8") == wheel.compiled_sources()


def test_a_server_hands_out_the_same_bytes(url, laid_out):
    reply = requests.get(f"{url}/client/{wheel.name()}", timeout=10)
    assert reply.status_code == 200 and reply.content == laid_out.read_bytes()
    page = requests.get(f"{url}/client/", timeout=10).text
    digest = hashlib.sha256(reply.content).hexdigest()
    assert f'<a href="{wheel.name()}#sha256={digest}">{wheel.name()}</a>' in page


def test_pip_installs_it_from_a_server_that_wants_a_token(tmp_path, binary):
    """By its address, and as --find-links; without the token it finds nothing."""
    with serving.running(binary, PERCEPTION_TOKENS="wheel-t0ken") as address:
        host = address.removeprefix("http://")
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-index", "--no-cache-dir", "--no-input"]
        pip += ["--trusted-host", host.split(":")[0], "-d", tmp_path]
        ways = {
            "address": [f"http://_:wheel-t0ken@{host}/client/{wheel.name()}"],
            "links": ["--find-links", f"http://_:wheel-t0ken@{host}/client/", "perception-client"],
        }
        for way, arguments in ways.items():
            run = subprocess.run([*pip, *arguments], capture_output=True, text=True)
            assert run.returncode == 0, (way, run.stderr)
            (tmp_path / wheel.name()).unlink()
        refused = subprocess.run([*pip, f"http://{host}/client/{wheel.name()}"], capture_output=True, text=True)
        assert refused.returncode != 0 and "401" in refused.stderr
