"""openapi.yaml as the tests read it: by themselves, not by the page's script."""

import functools
import pathlib

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("get", "post", "put", "delete")


@functools.cache
def document():
    return yaml.load((REPOSITORY / "openapi.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def resolved(node):
    while "$ref" in node:
        found = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found | {k: v for k, v in node.items() if k != "$ref"}
    return node


def operations():
    """(id, method, path, operation, parameters) of each."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [resolved(p) for p in item.get("parameters", []) + item[method].get("parameters", [])]
                yield item[method]["operationId"], method.upper(), path, item[method], parameters


def schemas():
    return document()["components"]["schemas"]


def json_examples(operation):
    """Examples of an operation's JSON body by name, in the contract's order."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {name: resolved(example)["value"] for name, example in content.get("examples", {}).items()}


def problem_types():
    return schemas()["Problem"]["properties"]["type"]["enum"]
