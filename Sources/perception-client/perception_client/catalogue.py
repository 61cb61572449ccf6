"""A server's version, presets and recipes: /v1/info, /v1/presets, /v1/recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .calls import Answer, Call


@dataclass(frozen=True)
class Info:
    """The server's version and limits. `more` has every member of the answer, including unknown ones."""

    name: str
    version: str
    instruction_set: str
    threads: int
    tls: bool
    shared_files: bool
    limits: dict[str, int]
    formats: dict[str, list[str]]
    presets: list[str]
    recipes: list[str]
    more: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Preset:
    """A named set of every option."""

    name: str
    description: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """A distribution of steps. `definition` can be edited and posted as your own recipe."""

    name: str
    view: str
    summary: str
    definition: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Recipes:
    """Every recipe by name, and every step's parameters with their ranges by the step's name."""

    recipes: dict[str, Recipe]
    steps: dict[str, dict[str, Any]]


def info() -> Call[Info]:
    """Ask for version, limits, formats and instruction set."""
    return Call("GET", "/v1/info", _info)


def presets() -> Call[dict[str, Preset]]:
    """Ask for every preset, by name, with every option resolved."""
    return Call("GET", "/v1/presets", _presets)


def recipes() -> Call[Recipes]:
    """Ask for every recipe and every step with its ranges."""
    return Call("GET", "/v1/recipes", _recipes)


def _info(answer: Answer) -> Info:
    said = answer.json()
    names = (n for n in Info.__dataclass_fields__ if n != "more")
    return Info(**{name: said[name] for name in names}, more=said)


def _presets(answer: Answer) -> dict[str, Preset]:
    return {p["name"]: Preset(p["name"], p["description"], p["options"]) for p in answer.json()["presets"]}


def _recipes(answer: Answer) -> Recipes:
    said = answer.json()
    recipes = {r["name"]: Recipe(r["name"], r["view"], r["summary"], r) for r in said["recipes"]}
    return Recipes(recipes, {s["step"]: s for s in said["steps"]})
