"""The files of a certificate and its key: what is wrong with them is one line before the server starts."""

import os
import subprocess

import pytest

import serving
from tls import certificate, options

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


def refused(*arguments):
    done = serving.finished(BINARY, "serve", "--port", "0", *arguments)
    return done.returncode, done.stdout, done.stderr.strip()


def test_what_is_wrong_with_the_files_is_one_line(identity, tmp_path):
    other = certificate(tmp_path, "other", "rsa:2048")
    encrypted, damaged, binary = (tmp_path / name for name in ("encrypted", "damaged", "binary"))
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", identity[1], "-out", encrypted, "-passout", "pass:x"], check=True)
    damaged.write_text(identity[0].read_text().replace("M", "!"))
    binary.write_bytes(b"\x30\x82\x00\x01")
    missing, empty, pipe = tmp_path / "missing", tmp_path / "empty", tmp_path / "pipe"
    empty.write_text("")
    os.mkfifo(pipe)
    for chain, key, words in [
        (identity[0], other[1], "do not match"),
        (missing, identity[1], "No such file"), (identity[0], missing, "No such file"),
        (tmp_path, identity[1], "no regular file"), (pipe, identity[1], "no regular file"), (identity[0], pipe, "no regular file"),
        (identity[1], identity[1], "no certificate"), (identity[0], identity[0], "no private key"),
        (empty, identity[1], "no certificate"), (identity[0], empty, "no private key"),
        (identity[0], encrypted, "is encrypted"), (damaged, identity[1], "Base64"), (binary, identity[1], "not a PEM"),
    ]:
        code, out, err = refused(*options((chain, key)))
        assert code == 1 and not out and words in err and "\n" not in err, (words, err)
        assert err.startswith("perception-server: ") and "BEGIN" not in err


def test_a_certificate_and_its_key_go_together(identity):
    for option, other in (("--tls-certificate", "--tls-key"), ("--tls-key", "--tls-certificate")):
        code, _, err = refused(option, str(identity[0]))
        assert code == 64 and f"{option} needs {other}" in err


def test_tls_takes_the_place_of_no_token(identity):
    code, _, err = refused("--host", "0.0.0.0", *options(identity))
    assert code == 1 and "without a token" in err


def test_a_key_that_everyone_may_read_is_named(identity, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(identity[1].read_bytes())
    for mode, is_exposed in ((0o644, True), (0o640, False)):
        key.chmod(mode)
        process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", *options((identity[0], key))], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        assert "https://" in process.stdout.readline()
        process.terminate()
        assert ("may read the TLS key" in process.communicate(timeout=20)[1]) == is_exposed
