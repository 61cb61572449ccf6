"""Requests of every kind, mixed, and a client that sends them."""

import json
import random

import client
from light import mistakes, probes
from pictures import PAGE, PHOTOGRAPH, perturb_form, perturb_json, perturb_mixed, picture, preview, raw_view
from scoring import advantages, compact, entropy, full, mask


def small(catalogue=None):
    """A few light and heavier kinds that are answered in milliseconds."""
    page = picture(160, 120, 4)
    return [
        compact(2, 60, 1, weight=3), compact(2, 60, 2, "rollouts"), compact(4, 300, 3, preset="cppo-areal"),
        entropy(16, 4000, 4), entropy(32, 8000, 5, "BF16", streamed=True), mask(2, 200, 6), advantages(64, 7),
        full(8, 500, 8), perturb_json(page), perturb_mixed(page), perturb_form(page, "image/png"),
        *([raw_view("cppo-removing", 3, page, "image/png", catalogue)] if catalogue else []),
        *probes()[:3], *mistakes()[:4]]


def mixed_sizes(catalogue):
    """Small ones, and three whose request or reply is long enough to be cut anywhere."""
    return small(catalogue) + [compact(8, 1024, 21), entropy(8, 40_000, 22, streamed=True), perturb_mixed(PAGE, 3)]


def large(catalogue):
    """What takes megabytes or tens of milliseconds."""
    return [
        compact(8, 4096, 11), compact(8, 1024, 12, "rollouts"), compact(8, 512, 13, "columns"),
        entropy(24, 151_936, 14, "BF16", weight=0.6), entropy(16, 151_936, 15, "F32", streamed=True, weight=0.6),
        full(32, 8000, 16, weight=0.5), mask(8, 2048, 17), advantages(512, 18),
        raw_view("cppo-removing", 5, PHOTOGRAPH, "image/jpeg", catalogue),
        raw_view("cppo-preserving", 6, PAGE, "image/png", catalogue),
        raw_view("cppo-removing", 7, PHOTOGRAPH, "image/jpeg", catalogue, "jpeg"),
        raw_view("noisyrollout", 8, PHOTOGRAPH, "image/jpeg", catalogue, "raw", weight=0.5),
        perturb_json(PAGE, weight=0.5), perturb_mixed(PAGE, 4, weight=0.5), perturb_form(PHOTOGRAPH, "image/jpeg"),
        preview(weight=0.3), *probes(), *mistakes()]


def learned(server, kinds):
    for kind in kinds:
        kind.learn(server)
    return kinds


def catalogue(server):
    return json.loads(server.get("/v1/recipes").body)


def pick(kinds, chance):
    return chance.choices(kinds, [k.weight for k in kinds])[0]


class Mixed:
    """A client that sends kind after kind on a kept connection and judges each answer."""

    def __init__(self, address, kinds, seed, timeout=60):
        self.address, self.kinds, self.chance, self.timeout = address, kinds, random.Random(seed), timeout
        self.connection, self.fresh = None, True
        self.counts = {}

    def once(self):
        """The kind that was asked; raises Wrong for a wrong answer, Broken or OSError when there is none."""
        kind = pick(self.kinds, self.chance)
        if self.connection is None:
            self.connection, self.fresh = client.Client(self.address, self.timeout), True
        try:
            self.connection.send(kind.bytes)
        except OSError:
            # An early answer may lie behind the reset of a send.
            pass
        try:
            reply = self.connection.reply(kind.method)
        except BaseException:
            self.drop()
            raise
        if reply.closes:
            self.drop()
        self.fresh = False
        self.reply = reply
        kind.judge(reply)
        self.counts[kind.name] = self.counts.get(kind.name, 0) + 1
        return kind

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None
