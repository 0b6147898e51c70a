"""A resolved benchmark written as YAML is read to the same settings."""

import json
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harbench.config import Benchmark, ModelEntry, dump, load
from harbench.nouns import (
    BlockSplit,
    Cosine,
    FixedSplit,
    GroupSplit,
    LeaveOneOutSplit,
    Plateau,
    Protocol,
    Recipe,
    Step,
)
from harbench.nouns.protocol import MostOf
from toys.thorough import examples

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,8}\Z")
# YAML cannot hold surrogates.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
) | st.sampled_from(
    [
        "1e-3",
        "yes",
        "0o17",
        "null",
        "~",
        "1:30",
        "<<",
        "=",
        "- a",
        " a ",
        "a\nb",
        "'",
        '"',
        "#",
        "%",
    ]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | TEXTS
POSITIVE = st.floats(0, 1e9, exclude_min=True)


def some(kind, **fields):
    """Settings of which some fields are set."""
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: kind(**given))


SCHEDULES = st.one_of(
    st.none(),
    some(Plateau, patience=st.integers(0, 9)),
    st.builds(Step, every=st.integers(1, 9), factor=POSITIVE),
    some(Cosine, smallest=st.floats(0, 1)),
)
RECIPES = some(
    Recipe,
    optimizer=st.sampled_from(["sgd", "adam"]),
    learning_rate=POSITIVE,
    nesterov=st.booleans(),
    epochs=st.integers(1, 10**6),
    schedule=SCHEDULES,
    class_weights=st.just("balanced") | st.lists(NUMBERS).map(tuple),
    clip_norm=st.none() | POSITIVE,
)
SPLITS = st.one_of(
    st.none(),
    TEXTS,
    some(LeaveOneOutSplit, by=st.sampled_from(["subject", "session"])),
    some(GroupSplit, folds=st.integers(2, 9), seed=st.none() | st.integers(0, 9)),
    some(BlockSplit, ratio=st.tuples(POSITIVE, st.floats(0, 9), POSITIVE)),
    st.builds(FixedSplit, train=st.tuples(TEXTS), test=st.tuples(TEXTS, TEXTS)),
)
LENGTHS = st.integers(1, 999) | st.sampled_from(["1 s", "800 ms", "1.5 s"])
PROTOCOLS = some(
    Protocol,
    split=SPLITS,
    task=st.none() | TEXTS,
    window=LENGTHS | st.just("paper"),
    step=LENGTHS | st.just("50%"),
    label=st.just("last") | st.builds(MostOf, most_of=st.floats(0.1, 1)),
    null=st.sampled_from(["keep", "drop"]),
    channels=st.none() | st.lists(TEXTS).map(tuple),
)
OPTIONS = st.dictionaries(
    TEXTS.filter(lambda key: key != "<<"), SCALARS | st.lists(SCALARS).map(tuple), max_size=3
)
ROWS = st.builds(
    ModelEntry,
    row=NAMES,
    model=TEXTS,
    options=OPTIONS,
    recipe=RECIPES,
    window=st.none() | LENGTHS,
    step=st.none() | LENGTHS,
)
BENCHMARKS = st.builds(
    Benchmark,
    name=NAMES,
    title=TEXTS,
    dataset=TEXTS,
    path=st.none() | st.just(Path("/data/spar")),
    protocol=PROTOCOLS,
    recipe=RECIPES,
    allow_leakage=st.booleans(),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True).map(tuple),
    models=st.lists(ROWS, min_size=1, max_size=3, unique_by=lambda entry: entry.row).map(tuple),
)


def same(one: Benchmark, other: Benchmark) -> bool:
    """Equal, and the same fields of the recipes set: equality alone would not see those."""
    recipes = [[b.recipe, *(entry.recipe for entry in b.models)] for b in (one, other)]
    fields = [[recipe.model_fields_set for recipe in of_one] for of_one in recipes]
    return one == other and fields[0] == fields[1]


@given(BENCHMARKS)
@settings(max_examples=examples(150), deadline=None)
def test_what_is_dumped_is_loaded_again(tmp_path_factory, benchmark):
    path = tmp_path_factory.getbasetemp() / "dumped.yaml"
    path.write_text(dump(benchmark), encoding="utf-8")
    (again,) = load(path).benchmarks
    assert same(again, benchmark)
    assert dump(again) == dump(benchmark)


def test_a_loaded_benchmark(loaded, here):
    first = loaded(
        "defaults: {seeds: 2, recipe: {learning_rate: 1e-3, schedule: plateau}}\n"
        "benchmarks: {q: {dataset: d, path: x, protocol: {split: loso}, models: [a, b]}}"
    )["q"]
    text = dump(first)
    assert same(loaded(text)["q"], first)
    assert f"path: {here / 'x'}" in text
    assert "split: loso" in text


def test_other_readers_of_yaml_see_the_same_texts():
    options = {"a": "1e-3", "b": "yes", "c": "1:30", "d": "0o17", "e": "2016-01-01"}
    entry = ModelEntry(row="m", options=options)
    text = dump(Benchmark(name="q", dataset="no", models=(entry,)))
    tree = yaml.safe_load(text)["benchmarks"]["q"]
    assert tree["dataset"] == "no"
    assert tree["models"]["m"]["options"] == options
    assert json.loads(json.dumps(tree)) == tree
