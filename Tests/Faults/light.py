"""Requests that cost a server next to nothing: what is only read, and mistakes."""

import json

import wire
from checked import JSON, Kind
from pictures import PHOTOGRAPH


def probes():
    return [
        Kind("healthz", "GET", "/healthz", weight=4, varies=True), Kind("readyz", "GET", "/readyz", weight=1, varies=True),
        Kind("metrics", "GET", "/metrics", weight=1, varies=True), Kind("info", "GET", "/v1/info", varies=True),
        Kind("presets", "GET", "/v1/presets"), Kind("recipes", "GET", "/v1/recipes"),
        Kind("contract", "GET", "/openapi.yaml", weight=0.3)]


def mistakes():
    """Requests that a server must refuse, each with its word."""
    def word(expected):
        def check(reply):
            assert json.loads(reply.body)["type"] == expected, reply.body[:200]
        return check

    return [
        Kind("unknown path", "GET", "/v1/nothing", status=404, check=word("not-found")),
        Kind("wrong method", "DELETE", "/v1/score", status=405, check=word("method-not-allowed")),
        Kind("broken JSON", "POST", "/v1/score", b'{"rollouts": [', JSON, status=400, check=word("malformed-json")),
        Kind("broken safetensors", "POST", "/v1/entropy", b"\x10\0\0\0\0\0\0\0{nonsense      }", wire.MEDIA_TYPE, status=400,
             check=word("malformed-safetensors")),
        Kind("cut picture", "POST", "/v1/perturb?steps=[]", PHOTOGRAPH[:9000], "image/jpeg", status=422,
             check=word("malformed-image")),
        Kind("unknown option", "POST", "/v1/score?presett=x", b"{}", JSON, status=400, check=word("unknown-option")),
        Kind("media type", "POST", "/v1/score", b"x", "text/plain", status=415, check=word("unsupported-media-type")),
    ]
