"""One benchmark's tree -> checked settings, or what is wrong with it, sentence by sentence.

Pydantic does the checking. This module turns its errors into sentences with places: it follows
the path of each error through the tree and through the settings' types at once, because the path
also names branches of unions, which are no keys of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harbench.config.nodes import Node, Place, Problems
from harbench.config.settings import Benchmark
from harbench.errors import did_you_mean
from harbench.nouns.names import NAME_RULE

# Errors that say only "not of this kind": in a union each branch has one.
_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "path_type": "a path",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "nothing",
    "literal_error": "",
}
_Kind = TypeVar("_Kind", bound=BaseModel)
_BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
_NAMES = {"name": "a benchmark", "row": "a row of models", "entry": "an entry of analyses"}


def validate(tree: Node, known: Container[Place], problems: Problems) -> Benchmark | None:
    """The settings of one benchmark; None where something is wrong, which ``problems`` gets.

    As :func:`validate_as`, of a tree in the shape of :class:`Benchmark`.
    """
    return validate_as(Benchmark, tree, known, problems)


def validate_as(
    kind: type[_Kind],
    tree: Node,
    known: Container[Place],
    problems: Problems,
    shown: str = "",
) -> _Kind | None:
    """Settings of some kind; None where something is wrong, which ``problems`` gets.

    Values are taken as they are: ``"3"`` is no number, ``true`` is no 1.

    Args:
        kind: Of settings.
        tree: In its shape.
        known: Places of which something is known to be wrong already; no more is said of them.
        problems: Gets what is wrong.
        shown: What errors call the tree; empty: a benchmark, by its name.
    """
    try:
        # JSON, because strict validation of Python objects would refuse a list for a tuple.
        return kind.model_validate_json(json.dumps(tree.plain()), strict=True)
    except ValidationError as error:
        found = [_follow(kind, tree, shown, detail) for detail in error.errors(include_url=False)]
    spots: dict[tuple[str | int, ...], list[_Spot]] = {}
    for number, spot in enumerate(_telling(found)):
        # Branches of one union speak together, all other errors each for itself.
        key = spot.keys if spot.kind in _EXPECTED else (*spot.keys, number, spot.kind)
        spots.setdefault(key, []).append(spot)
    for together in spots.values():
        at, what, expected = _sentence(together)
        if at not in known:
            problems.add(at, what, expected)
    return None


@dataclass
class _Spot:
    """What an error is about.

    Args:
        detail: Pydantic's.
        node: The innermost node on its path.
        types: The settings classes that may stand there.
        keys: Keys and list indices from the tree's root to the node.
        shown: The same for a reader: rows by name.
        last: A key that is missing or not allowed in the node.
    """

    detail: ErrorDetails
    node: Node
    types: list[type[BaseModel]]
    keys: tuple[str | int, ...]
    shown: str
    last: str | int | None = None

    @property
    def kind(self) -> str:
        return self.detail["type"]

    @property
    def context(self) -> dict[str, Any]:
        return self.detail.get("ctx", {})


def _follow(kind: type[BaseModel], tree: Node, shown: str, detail: ErrorDetails) -> _Spot:
    path = list(detail["loc"])
    last = path.pop() if detail["type"] in ("missing", "extra_forbidden") else None
    spot = _Spot(detail, tree, [kind], (), shown, last)
    for step in path:
        if isinstance(step, int):
            if isinstance(spot.node.value, list) and step < len(spot.node.value):
                _enter(spot, step, spot.node.value[step], spot.types)
            continue
        if branch := [t for t in spot.types if step == t.__name__ or step == _tag(t)]:
            spot.types = branch
            continue
        inner = [
            model
            for outer in spot.types
            if step in outer.model_fields
            for model in models_in(outer.model_fields[step].annotation)
        ]
        if step in spot.node.children:
            _enter(spot, step, spot.node.children[step], inner)
    return spot


def _enter(spot: _Spot, step: str | int, node: Node, types: list[type[BaseModel]]) -> None:
    name = str(step) if isinstance(step, str) else f"[{step}]"
    if isinstance(step, int) and (own := node.children.get("row") or node.children.get("entry")):
        name = f".{own.value}"
    elif isinstance(step, str) and spot.shown:
        name = f".{name}"
    spot.node, spot.types, spot.keys, spot.shown = (
        node,
        types,
        (*spot.keys, step),
        spot.shown + name,
    )


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The settings classes that a field of this type may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def _tag(model: type[BaseModel]) -> str | None:
    return model.model_fields["kind"].default if "kind" in model.model_fields else None


def _telling(spots: list[_Spot]) -> list[_Spot]:
    """Without what only follows from other errors, and branches of unions that were not meant."""
    spots = [
        spot
        for spot in spots
        if spot.kind != "default_factory_not_called"
        # Pydantic counts the items that are right; a list of wrong ones is not short.
        and not (spot.kind == "too_short" and _size(spot.node) >= spot.context["min_length"])
    ]
    # Something else is said of these, or of what is in them.
    said = {
        spot.keys[:depth]
        for spot in spots
        for depth in range(len(spot.keys) + (spot.kind not in _EXPECTED))
    }
    return [spot for spot in spots if spot.kind not in _EXPECTED or spot.keys not in said]


def _sentence(spots: list[_Spot]) -> tuple[Place, str, str | None]:
    """Place, what is wrong, and what was expected; of several spots, all of one value."""
    spot = spots[0]
    node, context, shown = spot.node, spot.context, spot.shown or _whole(spot.node)
    found = f"{shown} is {node}"
    match spot.kind:
        case "extra_forbidden":
            return _unknown_key(spot)
        case "missing" if isinstance(spot.last, int):
            return node.at, f"{shown} has too few items", f"more than {_size(node)}"
        case "missing":
            return node.key_at, f"{shown} lacks '{spot.last}'", None
        case "union_tag_not_found":
            return node.key_at, f"{shown} lacks 'kind'", _one_of(_tags(spot))
        case "union_tag_invalid":
            if kind := node.children.get("kind"):
                node, found = kind, f"{shown}.kind is {kind}"
            tags = _tags(spot)
            return node.at, found + did_you_mean(str(node.value), tags), _one_of(tags)
        case "value_error":
            return node.at, f"{shown}: {context['error']}", None
        case "string_pattern_mismatch":
            thing = _NAMES.get(str(spot.keys[-1]), "anything")
            return node.at, f"{node} cannot name {thing}", NAME_RULE
        case "string_too_short":
            return node.at, found, "a text that is not empty"
        case "too_short":
            return node.at, f"{shown} has {_size(node)} items", f"at least {context['min_length']}"
        case "too_long":
            return node.at, f"{shown} has {_size(node)} items", f"at most {context['max_length']}"
        case _ if bounds := [
            f"{word} {_number(context[b])}" for b, word in _BOUNDS.items() if b in context
        ]:
            return node.at, found, " and ".join(bounds)
        case kind if kind in _EXPECTED:
            words = [word for spot in spots for word in _words(spot)]
            hint = did_you_mean(node.value, words) if isinstance(node.value, str) else ""
            wanted = _distinct(wish for spot in spots for wish in _wanted(spot))
            if wanted == ["a text"] and isinstance(node.value, int | float):
                wanted = [f'a text, in quotes: "{node}"']
            return node.at, found + hint, _listed(wanted)
        case _:
            return node.at, f"{found}: {spot.detail['msg']}", None


def _unknown_key(spot: _Spot) -> tuple[Place, str, str]:
    known = _distinct(k for t in spot.types for k in t.model_fields if k not in _NAMES)
    key = str(spot.last)
    inside = f" in {spot.shown}" if spot.shown else ""
    what = f"unknown key '{key}'{inside}{did_you_mean(key, known)}"
    return spot.node.children[key].key_at, what, _one_of(known)


def _whole(tree: Node) -> str:
    return f"benchmark '{tree.children['name'].value}'"


def _number(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def _size(node: Node) -> int:
    return len(node.value) if isinstance(node.value, list) else 0


def _tags(spot: _Spot) -> list[str]:
    return [tag for model in spot.types if (tag := _tag(model))]


def _words(spot: _Spot) -> list[str]:
    return re.findall("'([^']*)'", str(spot.context.get("expected", "")))


def _wanted(spot: _Spot) -> list[str]:
    expected = _EXPECTED[spot.kind]
    if spot.kind == "literal_error":
        return [f"'{word}'" for word in _words(spot)]
    if expected == "a mapping" and spot.types:
        needed = _distinct(
            name
            for model in spot.types
            for name, field in model.model_fields.items()
            if name == "kind" or field.is_required()
        )
        needed = ["kind"] if "kind" in needed else needed
        return [f"a mapping with {_one_of(needed)}" if needed else expected]
    return [expected]


def _one_of(words: list[str]) -> str:
    if len(words) > 6:
        return f"one of {', '.join(words)}"
    return _listed([f"'{word}'" for word in words])


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
