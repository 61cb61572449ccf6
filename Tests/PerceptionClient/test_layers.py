"""The ground floor alone: files, addresses, names, pauses, parts. No server."""

import json
import random
import struct

import numpy as np
import pytest

from perception_client import BrokenReply
from perception_client.addresses import parse, resolve
from perception_client.arrays import stored
from perception_client.errors import problem
from perception_client.multipart import Part, form, mixed
from perception_client.options import plain, query
from perception_client.retrying import LONGEST_PAUSE, LONGEST_PAUSE_BUSY, Attempts, retry_after
from perception_client.runs import normalised
from perception_client.safetensors_file import Stored, decode, encode


def file(tensors, metadata=None):
    return b"".join(encode({n: Stored.of(np.asarray(a)) for n, a in tensors.items()}, metadata))


def test_a_file_is_read_by_the_package_and_the_packages_file_here():
    from safetensors.numpy import load, save

    arrays = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.array([True, False]), "c": np.zeros((0, 4), "i8"),
              "d": np.array(2.5), "e": np.arange(5, dtype="f2"), "f": np.arange(3, dtype="u1")}  # fmt: skip
    for found in (load(file(arrays)), {n: t.array for n, t in decode(save(arrays))[0].items()}):
        assert set(found) == set(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape
            assert np.array_equal(found[name], array)


def test_logits_come_last_and_data_is_aligned():
    data = file({"original.logits": np.zeros((2, 3)), "response_mask": np.ones(3, "u1"), "token_ids": np.zeros(2, "i8")})
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    assert list(header) == ["token_ids", "response_mask", "original.logits"] and (8 + length) % 8 == 0


def test_bf16_is_widened_exactly():
    assert Stored("BF16", (3,), b"\x80\x3f\xc0\xbf\x80\xff").array.tolist() == [1.0, -1.5, -np.inf]


@pytest.mark.parametrize("cut", [0, 7, 8, 20, -1])
def test_a_file_that_is_cut_off_is_told(cut):
    with pytest.raises(BrokenReply, match="no safetensors file"):
        decode(file({"a": np.arange(6.0)})[:cut])


@pytest.mark.parametrize(
    "header",
    ["[]", "{", '{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]}}',
     '{"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}', '{"a": {"shape": [1]}}', '{"a": 3}'],
)  # fmt: skip
def test_a_header_that_lies_is_told(header):
    with pytest.raises(BrokenReply):
        decode(struct.pack("<Q", len(header)) + header.encode() + b"\0\0\0\0")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("token_ids", [[0.5]], "token_ids: whole numbers are expected, not F64"),
        ("group_ids", [0.5, 1.5], "group_ids: whole numbers or text are expected"),
        ("original.log_probs", [["a"]], "original.log_probs: an array of"),
        ("original.log_probs", [[1.0], [2.0, 3.0]], "original.log_probs: "),
        ("response_mask", [[2.0]], "response_mask: a mask holds 0 and 1, not 2.0"),
    ],
)
def test_values_that_cannot_mean_the_tensor(name, value, says):
    with pytest.raises((TypeError, ValueError), match=says):
        stored(name, value)


def test_equal_names_are_one_group_and_one_is_not_the_text_one():
    assert stored("group_ids", ["x", "y", "x"]).array.tolist() == [0, 1, 0]
    assert stored("group_ids", np.array([1, "1", 1], object)).array.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("url", "text", "authority"),
    [
        ("http://host", "http://host", "host"), ("https://host", "https://host", "host"),
        ("http://host:8080/", "http://host:8080", "host:8080"), ("https://[::1]:9/api/", "https://[::1]:9/api", "[::1]:9"),
        ("unix:/run/p.sock", "unix:/run/p.sock", "localhost"), ("unix:///run/p.sock", "unix:/run/p.sock", "localhost"),
    ],
)  # fmt: skip
def test_addresses(url, text, authority):
    assert str(parse(url)) == text and parse(url).authority == authority


def test_several_addresses(monkeypatch):
    assert [a.port for a in resolve("http://a:1, http://b:2,")] == [1, 2]
    monkeypatch.delenv("PERCEPTION_URL", raising=False)
    assert str(resolve(None)[0]) == "http://127.0.0.1:8080"
    with pytest.raises(ValueError, match="at least one"):
        resolve([])


def test_names_that_fit_stay_and_others_stay_apart():
    assert normalised("geo3k/seed:3_a-b.c") == "geo3k/seed:3_a-b.c"
    changed = [normalised(n) for n in ("a b", "a\tb", "ä" * 200, "x" * 65, "")]
    assert len(set(changed)) == 5 and all(len(n) <= 64 and n.isascii() and " " not in n for n in changed)


@pytest.mark.parametrize(("busy", "longest"), [(False, LONGEST_PAUSE), (True, LONGEST_PAUSE_BUSY)])
def test_pauses_grow_with_jitter_above_their_floor(busy, longest):
    random.seed(1)
    attempts = Attempts(1000)
    pauses = [attempts.pause(3.0, busy) - 3.0 for _ in range(12)]
    grown = [min(longest, 0.1 * 2**k) for k in range(12)]
    assert all(g / 2 <= p <= g for p, g in zip(pauses, grown, strict=True))
    assert len({p / g for p, g in zip(pauses, grown, strict=True)}) == 12


def test_no_pause_goes_beyond_the_deadline():
    attempts = Attempts(1.0)
    attempts.pauses = 9
    assert attempts.pause() < 0.91
    assert attempts.pause(0.95) is None and Attempts(0.0).pause() is None


@pytest.mark.parametrize(("text", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("Wed, 21 Oct 2026", None), (None, None)])
def test_what_retry_after_says(text, seconds):
    assert retry_after(text) == seconds


def test_options_in_a_query():
    spelt = query({"a": None, "b": True, "c": ["x", "y"], "d": [], "e": [{"anchor": "original"}], "f": np.float64(0.5)})
    assert spelt == {"a": "none", "b": "true", "c": "x,y", "d": "", "e": '[{"anchor": "original"}]', "f": "0.5"}
    assert plain((1, np.int64(2), {"a": {3}})) == [1, 2, {"a": [3]}]
    with pytest.raises(TypeError):
        plain(object())


def test_a_form_and_a_mixed_reply():
    content_type, pieces = form([Part("request", b"{}", "application/json"), Part("a", b"\xff--x\r\n", "image/png")])
    body = b"".join(pieces)
    assert body.count(content_type.partition("=")[2].encode()) == 3 and b'name="a"; filename' in body
    reply = (
        b"--x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}\r\n"
        b'--x\r\nContent-Disposition: attachment; name="a.v"\r\nContent-Length: 6\r\n\r\n--x--\n\r\n--x--\r\n'
    )
    first, second = mixed("multipart/mixed; boundary=x", reply)
    assert bytes(first.data) == b"{}" and second.name == "a.v" and bytes(second.data) == b"--x--\n"
    for cut in (reply[:-9], reply[:60], b""):
        with pytest.raises(BrokenReply, match="lacks its end"):
            mixed("multipart/mixed; boundary=x", cut)
    with pytest.raises(BrokenReply, match="without a boundary"):
        mixed("multipart/mixed", reply)


def test_problems_of_every_kind_are_exceptions():
    text = json.dumps({"type": "busy", "title": "t", "status": 503, "detail": "d", "errors": [], "limit": 7}).encode()
    error = problem(503, "application/problem+json", text, 2.0)
    assert type(error).__name__ == "Overloaded" and error.retry_after == 2.0 and error.limit == 7
    assert type(problem(507, "text/html", b"")).__name__ == "OutOfMemory"
    assert "(empty)" in str(problem(500, "application/json", b"[]")) or "[]" in str(problem(500, "application/json", b"[]"))
    import pickle

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
