"""openapi.yaml itself, and the server against it."""

import os
import pathlib

import hypothesis
import numpy as np
import openapi_spec_validator
import pytest
import safetensors.numpy
import schemathesis
import yaml
from hypothesis import strategies
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import golden
import twin
import wire

CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "openapi.yaml"
DOCUMENT = yaml.safe_load(CONTRACT.read_text())
EXAMPLES = int(os.environ.get("PERCEPTION_EXAMPLES", "30"))
FILES = [wire.write(golden.Golden("score", n).inputs) for n in golden.names("score") if n.startswith("verl-preset")]
FILES.append(wire.write({"logits": wire.Stored.of(np.zeros((2, 3, 5), np.float32))}))
PIXELS = [
    safetensors.numpy.save({"a": np.zeros((3, 4, 3), np.uint8), "b": np.ones((2, 2, 3), np.uint8)}, {"request": request})
    for request in (
        '{"views":[{"name":"v","recipe":"cppo-removing"}]}', '{"images":[{"id":"b"}],"views":[{"name":"v","steps":[]}]}')]
IMAGES = [p.read_bytes() for p in sorted(CONTRACT.with_name("Tests").joinpath("Fixtures").glob("*.[jp][pn]g"))]


@strategies.composite
def damaged(draw, files):
    """A valid file, or one with a byte changed, its end cut off, or its beginning replaced."""
    content = draw(strategies.sampled_from(files))
    kind = draw(strategies.sampled_from(("whole", "changed", "cut", "replaced")))
    at = draw(strategies.integers(0, len(content) - 1))
    if kind == "changed":
        return content[:at] + bytes([draw(strategies.integers(0, 255))]) + content[at + 1 :]
    if kind == "cut":
        return content[:at]
    if kind == "replaced":
        return draw(strategies.binary(max_size=64)) + content[min(at, 64) :]
    return content


for media_type, files in {
    "application/x-safetensors": FILES + PIXELS,
    "application/octet-stream": FILES,
    "image/png": IMAGES,
    "image/jpeg": IMAGES,
}.items():
    schemathesis.openapi.media_type(media_type, strategy=damaged(files))
    if media_type != "application/octet-stream":

        @schemathesis.serializer(media_type)
        def as_bytes(context, value):
            return value if isinstance(value, bytes) else str(value).encode()


CONFIGURATION = schemathesis.Config()
schema = schemathesis.openapi.from_path(CONTRACT, config=CONFIGURATION)
schema.config.generation.update(with_security_parameters=False)


def test_contract_is_valid_openapi_3_1():
    openapi_spec_validator.validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_server_serves_its_contract(server, http):
    assert http.get(f"{server}/openapi.yaml", timeout=10).content == CONTRACT.read_bytes()
    assert http.get(f"{server}/openapi.json", timeout=10).json() == DOCUMENT


@schemathesis.check
def never_an_internal_error(context, response, case):
    """4xx for any input; 503 and 507 are about the server's state and its limits, not about a fault in it."""
    assert response.status_code < 500 or response.status_code in (503, 507), response.status_code


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(hypothesis.HealthCheck))
def test_generated_requests_get_documented_replies(case, server):
    case.call_and_validate(
        base_url=server,
        checks=[
            never_an_internal_error, status_code_conformance, content_type_conformance, response_headers_conformance,
            response_schema_conformance,
        ],
        allow_redirects=False)


@pytest.mark.parametrize(
    "path, media_type, files",
    [
        ("/v1/score", "application/x-safetensors", FILES), ("/v1/entropy", "application/x-safetensors", FILES),
        ("/v1/perturb?recipe=cppo-removing", "image/png", IMAGES), ("/v1/perturb?steps=[]", "image/jpeg", IMAGES),
        ("/v1/perturb", "application/x-safetensors", PIXELS),
    ])
def test_damaged_files_are_answered_or_refused_with_a_reason(server, http, path, media_type, files):
    @hypothesis.settings(
        max_examples=4 * EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(damaged(files))
    def check(content):
        reply = http.post(server + path, data=content, headers={"Content-Type": media_type}, timeout=60)
        assert reply.status_code in (200, 400, 413, 422, 507), (reply.status_code, reply.text)
        if reply.status_code != 200:
            problem = reply.json()
            assert problem["status"] == reply.status_code and problem["errors"] and problem["detail"]

    check()


def documented():
    """(path, example name, request, reply or None) of the JSON examples of every operation."""
    def found(reference):
        return DOCUMENT["components"]["examples"][reference["$ref"].rsplit("/", 1)[1]] if "$ref" in reference else reference

    for path, item in DOCUMENT["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        replies = item.get("post", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        for name, example in content.get("examples", {}).items():
            reply = replies.get("examples", {}).get(name)
            yield pytest.param(
                path, found(example)["value"], found(reply)["value"] if reply else None, id=f"{path} {name}")


def assert_alike(found, expected, where="reply"):
    """Equal in every member that is documented; numbers up to the precision of F32."""
    if isinstance(expected, dict):
        missing = expected.keys() - found.keys()
        assert not missing, f"{where}: {missing} missing"
        for name, value in expected.items():
            assert_alike(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), f"{where}: {found}"
        for index, value in enumerate(expected):
            assert_alike(found[index], value, f"{where}[{index}]")
    elif isinstance(expected, (int, float)) and not isinstance(expected, bool):
        assert found == pytest.approx(expected, rel=2e-6, abs=1e-40), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("path, request_body, reply", list(documented()))
def test_documented_example_gets_its_documented_reply(server, http, path, request_body, reply):
    found = http.post(server + path, json=request_body, timeout=30)
    assert found.status_code == 200, found.text
    assert found.headers["Content-Type"].split(";")[0] == "application/json"
    if reply is not None:
        assert_alike(found.json(), reply)


def test_info_lists_the_contracts_routes(server, http):
    routes = {(r["method"], r["path"]) for r in http.get(f"{server}/v1/info", timeout=10).json()["routes"]}
    contract = {(m.upper(), p) for p, item in DOCUMENT["paths"].items() for m in item if m in ("get", "post")}
    assert routes == contract


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_other_methods_are_refused_with_allow(server, http, path):
    allowed = {m.upper() for m in DOCUMENT["paths"][path] if m in ("get", "post")}
    for method in ("DELETE", "PUT", "PATCH", "POST", "GET"):
        if method in allowed:
            continue
        reply = http.request(method, server + path, timeout=10, allow_redirects=False)
        assert reply.status_code == 405
        assert allowed <= {m.strip() for m in reply.headers["Allow"].split(",")}
        assert reply.headers["Content-Type"].split(";")[0] == "application/problem+json"
        assert reply.json()["type"] == "method-not-allowed"


def test_unknown_path_is_a_problem(server, http):
    reply = http.get(f"{server}/v1/scores", timeout=10)
    assert (reply.status_code, reply.json()["type"]) == (404, "not-found")


def test_presets_resolve_every_option(server, http):
    presets = {p["name"]: p["options"] for p in http.get(f"{server}/v1/presets", timeout=10).json()["presets"]}
    names = set(DOCUMENT["components"]["schemas"]["ScoreOptions"]["properties"]) - {"return"}
    assert set(presets) == set(twin.PRESETS)
    for preset, options in presets.items():
        assert names <= set(options)
        for name, value in twin.resolve({"preset": preset}).items():
            assert name == "preset" or (options[name] or None) == (value or None), f"{preset}: {name}"
    assert (presets["cppo-verl"]["estimator"], presets["cppo-verl"]["clamp_input"]) == ("k3", 20)
    assert (presets["cppo-areal"]["quota"], presets["cppo-areal"]["clamp_result"]) == ("ceil", 10)
    assert (presets["cppo-paper"]["estimator"], presets["cppo-paper"]["coefficient"]) == ("full_kl", 0.02)
