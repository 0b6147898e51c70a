"""JSON Schema of benchmarks.yaml, for editors: made from the settings' own types."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

from harbench.config.cluster import JOBQUEUES, ClusterSettings
from harbench.config.overrides import NO_DEFAULT
from harbench.config.resolving import TOP
from harbench.config.settings import NAME_PATTERN, Benchmark
from harbench.config.shorthand import SECTIONS
from harbench.config.validation import models_in

_NAME = {"pattern": NAME_PATTERN}
_EMPTY = {"type": "null"}


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of what :func:`~harbench.config.load` accepts.

    It also accepts some files that ``load`` refuses: lengths such as ``"5 m"``, for example, are
    texts to it.
    """
    benchmark = Benchmark.model_json_schema(mode="validation")
    cluster = ClusterSettings.model_json_schema(mode="validation")
    definitions = {**benchmark.pop("$defs"), **cluster.pop("$defs"), "ClusterSettings": cluster}
    _describe(benchmark, definitions)
    cluster["properties"]["jobqueue"] = {
        "anyOf": [{"enum": [*JOBQUEUES, *JOBQUEUES.values()]}, _EMPTY],
        "description": cluster["properties"]["jobqueue"]["description"],
    }
    row, entry = definitions["ModelEntry"], definitions["AnalysisEntry"]
    for written, name in ((benchmark, "name"), (row, "row"), (entry, "entry")):
        del written["properties"][name]  # the key above it says it
        written["required"] = [key for key in written.get("required", []) if key != name]
        _allow_empty(written)
    for key, item, empty in (("models", "ModelEntry", False), ("analyses", "AnalysisEntry", True)):
        benchmark["properties"][key] = {
            **_named(item, empty=empty),
            "description": benchmark["properties"][key]["description"],
        }
    # The defaults may hold the models of all benchmarks.
    benchmark["required"].remove("models")
    definitions["Benchmark"] = benchmark
    definitions["Defaults"] = {
        **benchmark,
        "title": "Defaults",
        "description": "What benchmarks share; each benchmark's own keys win.",
        "required": [],
        "properties": {k: v for k, v in benchmark["properties"].items() if k not in NO_DEFAULT},
    }
    some = {"type": "object", "minProperties": 1, "propertyNames": _NAME}
    has_models = {"required": ["models"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "harbench's benchmarks.yaml",
        "type": "object",
        "properties": {
            "benchmarks": {**some, "additionalProperties": {"$ref": "#/$defs/Benchmark"}},
            "defaults": {"anyOf": [{"$ref": "#/$defs/Defaults"}, _EMPTY]},
            "cluster": {"anyOf": [{"$ref": "#/$defs/ClusterSettings"}, _EMPTY]},
        },
        "required": [TOP[0]],
        "additionalProperties": False,
        "anyOf": [
            {"properties": {"benchmarks": {"additionalProperties": has_models}}},
            {"properties": {"defaults": {"type": "object", **has_models}}, "required": [TOP[1]]},
        ],
        "$defs": definitions,
    }


def _named(definition: str, *, empty: bool) -> dict[str, Any]:
    """A list of names or of one-key mappings, or a mapping; ``empty`` lets there be none."""
    row = {"anyOf": [{"$ref": f"#/$defs/{definition}"}, _EMPTY]}
    rows = {"type": "object", "propertyNames": _NAME, "additionalProperties": row}
    item = {
        "anyOf": [{"type": "string", **_NAME}, {**rows, "minProperties": 1, "maxProperties": 1}]
    }
    least = 0 if empty else 1
    return {
        "anyOf": [
            {"type": "array", "minItems": least, "items": item},
            {**rows, "minProperties": least},
            *([_EMPTY] if empty else []),
        ]
    }


def _allow_empty(written: dict[str, Any]) -> None:
    properties = written["properties"]
    for key in SECTIONS:
        if key in properties:
            text = properties[key].pop("description", "")
            properties[key] = {"anyOf": [properties[key], _EMPTY], "description": text}


def _describe(benchmark: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Put in the descriptions that the types' docstrings hold, and say which keys a kind needs."""
    by_name = {
        model.__name__: model for top in (Benchmark, ClusterSettings) for model in _all_models(top)
    }
    for name, schema in {**definitions, "Benchmark": benchmark}.items():
        summary, fields = described(by_name[name])
        schema["description"] = summary
        for key, text in fields.items():
            schema["properties"][key].setdefault("description", text)
        if "kind" in schema["properties"]:
            # Pydantic has a default there, but load tells splits and schedules apart by it.
            schema["required"] = ["kind", *schema.get("required", [])]


def described(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """First paragraph of a settings class's docstring, and its text on each field."""
    text = inspect.cleandoc(model.__doc__ or "")
    head, _, arguments = text.partition("\n\nArgs:\n")
    summary = " ".join(head.split("\n\n")[0].split())
    fields = {}
    for key, words in re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", arguments, re.MULTILINE):
        fields[key] = " ".join(words.split()).replace("``", "'")
    return summary, fields


def _all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    found, waiting = set(), [model]
    while waiting:
        if (model := waiting.pop()) not in found:
            found.add(model)
            for field in model.model_fields.values():
                waiting.extend(models_in(field.annotation))
    return found
