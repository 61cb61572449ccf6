"""A request with the answer that is right for it.

The first answer is checked by another implementation, which the request brings along. The service is deterministic, so every
later answer must have the same bytes."""

import os
import re

import client

JSON = "application/json"


class Wrong(Exception):
    """An answer came and it is not the right one."""


class Kind:
    """One request, how heavy it is (its weight in mixed traffic), and the check of a first answer."""

    def __init__(self, name, method, path, body=None, kind=None, headers=(), check=None, status=200, weight=1.0,
                 streamed=False, varies=False):
        self.name, self.method, self.path, self.body, self.status = name, method, path, body, status
        self.headers = [*([("Content-Type", kind)] if kind else []), *headers]
        self.check, self.weight, self.varies = check, weight, varies
        self.known = None
        encode = client.chunked if streamed else client.request
        self.bytes = encode(method, path, body, self.headers)

    def learn(self, server):
        """Asks once, has the answer checked, and keeps its bytes."""
        with server.connect() as one:
            one.send(self.bytes)
            reply = one.reply(self.method)
        if reply.status != self.status:
            raise Wrong(f"{self.name}: {reply.status} for {self.status}: {reply.body[:300]!r}")
        if self.check:
            try:
                self.check(reply)
            except AssertionError as error:
                raise Wrong(f"{self.name}: {error}") from error
        self.known = same(reply)
        if os.environ.get("FAULTS_PLANT") == "lie" and not self.varies:
            self.known = self.known[:-1] + bytes([self.known[-1] ^ 1]) if self.known else b"?"

    def judge(self, reply):
        """Raises Wrong unless the reply is the known one."""
        if reply.status != self.status:
            raise Wrong(f"{self.name}: {reply.status} for {self.status}: {reply.body[:300]!r}")
        if not self.varies and same(reply) != self.known:
            raise Wrong(f"{self.name}: {len(reply.body)} bytes that are not the {len(self.known)} known ones")


def same(reply):
    """The body, but for what names the one request: its id, and the boundary that is made for each reply."""
    body = reply.body
    boundary = re.search(r'boundary="?([^";]+)', reply.headers.get("content-type", ""))
    if boundary:
        body = body.replace(boundary[1].encode(), b"boundary")
    if "problem" in reply.headers.get("content-type", ""):
        body = body.replace(reply.headers["x-request-id"].encode(), b"id")
    return body
