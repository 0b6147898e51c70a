"""Whatever a file holds, load gives settings or a ConfigError that says where: nothing else."""

import copy
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harbench.config import BenchmarkFile, dump, json_schema, load
from harbench.errors import ConfigError
from toys.thorough import examples

TEXT = """\
defaults: &d
  seeds: 2
  protocol: {fill: linear, window: 2 s}
  recipe: {epochs: 30, learning_rate: 1e-3, schedule: plateau}
benchmarks:
  quickstart:
    title: "Shoulder exercises"
    dataset: spar
    path: some/dir
    protocol: {split: {kind: blocks, ratio: [8, 1, 1]}, label: {most_of: 0.6}, step: 50%}
    seeds: [0, 5]
    models:
      resnet-like:
      deepconvlstm: {recipe: {epochs: 8, class_weights: [1, 2.5]}}
      shallow: {model: deepconvlstm, options: {lstm_layers: 1, a: [x, null]}, window: 24}
  short: {dataset: hapt, models: [resnet-like, {small: {model: resnet-like}}]}
"""
TREE = {
    "defaults": {
        "seeds": 2,
        "protocol": {"fill": "linear", "window": "2 s", "null": "drop"},
        "recipe": {"epochs": 30, "schedule": "plateau", "class_weights": "balanced"},
    },
    "benchmarks": {
        "a": {
            "title": "A",
            "dataset": "spar",
            "protocol": {"split": {"kind": "blocks", "ratio": [8, 1, 1]}, "channels": ["x"]},
            "recipe": {"schedule": {"kind": "step", "every": 3}},
            "seeds": [0, 5],
            "models": {"m": None, "n": {"model": "m", "options": {"k": [1]}, "step": "50%"}},
        },
        "b": {"dataset": "hapt", "models": ["m", {"n": {"window": 24}}], "protocol": None},
    },
}
OVERRIDES = [
    "recipe.epochs=1",
    "benchmarks.short.seeds=[1]",
    "models.small.window=3",
    "defaults.protocol.split=loso",
    "models=[a]",
    "seeds.0=3",
    "recipe.schedule.patience=3",
    "protocol.split.ratio.1=0",
]
PLACE = re.compile(r"^(fuzzed\.yaml(:\d+:\d+)?|--set .*?): .")


def load_or_refuse(path, overrides=()):
    """The file, or None where it is refused in the form that all refusals have."""
    try:
        file = load(path, overrides)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert len(lines) <= 11
        for line in lines:
            assert PLACE.match(line.strip()) or re.fullmatch(r"  and \d+ more", line), line
        return None
    assert isinstance(file, BenchmarkFile)
    assert all(benchmark.models and benchmark.seeds for benchmark in file.benchmarks)
    return file


@pytest.fixture
def path(here):
    return (here / "fuzzed.yaml").relative_to(here)


FUZZ = settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PIECES = st.one_of(
    st.sampled_from("\n\t {}[],:-?'\"#~@`|>\\%&*!\x00\ufeff\x85\u2028é\U0001f600"),
    st.sampled_from(["&d ", "*d", "!!str ", "!x ", "<<: ", "---\n", "%YAML 1.1\n"]),
    st.sampled_from(["1e999", "0x", ".nan", "yes", "null", ": ", "- ", "...\n"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


@st.composite
def mutated_texts(draw):
    """The good text with a few stretches replaced, doubled or cut."""
    text = TEXT
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        piece = draw(PIECES | st.just(text[start:end] * 2))
        text = text[:start] + piece + text[end:]
    return text


@given(mutated_texts(), st.lists(st.sampled_from(OVERRIDES), max_size=2))
@FUZZ
def test_mutated_texts(path, text, overrides):
    path.write_bytes(text.encode("utf-8"))
    load_or_refuse(path, overrides)


@given(st.binary(max_size=60))
@FUZZ
def test_any_bytes(path, data):
    path.write_bytes(data)
    assert load_or_refuse(path) is None


@given(st.text(max_size=30), st.text(max_size=30))
@FUZZ
def test_any_override(path, key, value):
    path.write_text(TEXT)
    load_or_refuse(path, [f"{key}={value}", f"recipe.{key}={value}", f"models.{key}={value}"])


KEYS = st.one_of(
    st.sampled_from(["defaults", "benchmarks", "dataset", "models", "recipe", "protocol"]),
    st.sampled_from(["seeds", "split", "kind", "schedule", "epochs", "window", "label"]),
    st.sampled_from(["name", "row", "options", "path", "a", "m", "x y", ""]),
)
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, -1, 2.5, 1e300, 2**63 - 1, "", "m", "1 s", "loso", "none"])
    | st.sampled_from(["plateau", "step", "cosine", "50%", "paper", "balanced", "last", "~", "/"])
    | st.text(st.characters(codec="ascii"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


def places(tree, above=()):
    """Paths of all nodes below the root."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, child in pairs:
        yield (*above, key)
        if isinstance(child, dict | list):
            yield from places(child, (*above, key))


@st.composite
def mutated_trees(draw):
    """The good tree with a few nodes replaced, taken out or put in."""
    tree = copy.deepcopy(TREE)
    for _ in range(draw(st.integers(1, 3))):
        *above, key = draw(st.sampled_from([*places(tree), ("defaults",)]))
        node = tree
        for step in above:
            node = node[step]
        match draw(st.sampled_from(["replace", "remove", "insert"])):
            case "remove" if not isinstance(node, dict) or key in node:
                del node[key]
            case "insert" if isinstance(node, dict):
                node[draw(KEYS)] = draw(VALUES)
            case _:
                node[key] = draw(VALUES)
    return tree


@given(mutated_trees())
@FUZZ
def test_mutated_trees(path, tree):
    path.write_text(json.dumps(tree, indent=1))
    file = load_or_refuse(path)
    if file is not None:
        for benchmark in file.benchmarks:
            path.write_text(dump(benchmark))
            assert load(path).benchmarks == (benchmark,)


@given(mutated_trees())
@FUZZ
def test_the_schema_accepts_what_load_accepts(path, tree):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    path.write_text(json.dumps(tree))
    if load_or_refuse(path) is not None:
        jsonschema.Draft202012Validator(json_schema()).validate(tree)


@given(VALUES)
@FUZZ
def test_any_tree(path, tree):
    path.write_text(json.dumps(tree))
    load_or_refuse(path)
