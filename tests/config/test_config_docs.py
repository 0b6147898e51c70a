"""docs/benchmarks-yaml.md says of every key what the types say."""

import json
import re
from pathlib import Path

import pytest

from harbench import nouns
from harbench.config import (
    AnalysisEntry,
    Benchmark,
    ClusterSettings,
    ModelEntry,
    TlsFiles,
    json_schema,
    load,
)

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks-yaml.md").read_text(encoding="utf-8")
SPLITS = ["FixedSplit", "LeaveOneOutSplit", "GroupSplit", "BlockSplit", "RandomWindowSplit"]
NOUNS = ["Protocol", *SPLITS, "Recipe", "Plateau", "Step", "Cosine"]
TYPES = {
    "Benchmark": Benchmark,
    "ModelEntry": ModelEntry,
    "AnalysisEntry": AnalysisEntry,
    "ClusterSettings": ClusterSettings,
    "TlsFiles": TlsFiles,
    **{name: getattr(nouns, name) for name in NOUNS},
}
# The keys above say these; and what stands in where a default is no plain value.
UNWRITTEN = {"name", "row", "entry"}
SPOKEN = {"title": "the name", "model": "the row's name", "analysis": "the entry's name"}


def documented(name: str) -> dict[str, str]:
    """Key -> default of the table below a type's mark."""
    (_, after) = PAGE.split(f"<!-- keys of {name} -->")
    table = re.search(r"(^\|.*\n)+", after, re.MULTILINE)[0].splitlines()
    assert table[0] == "| key | type | default | meaning |"
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table[2:]]
    return {row[0].strip("`"): row[2] for row in rows}


def default(key: str, field) -> str:
    if key in SPOKEN:
        return SPOKEN[key]
    # Pydantic has a default for kind, but it is what tells splits and schedules apart.
    if field.is_required() or key == "kind":
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (nouns.Protocol(), nouns.Recipe(), {}):
        return "`{}`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


@pytest.mark.parametrize("name", TYPES)
def test_every_key_is_documented_with_its_default(name):
    fields = TYPES[name].model_fields
    assert documented(name) == {
        key: default(key, field) for key, field in fields.items() if key not in UNWRITTEN
    }


def test_every_type_of_the_schema_is_documented():
    marks = set(re.findall(r"<!-- keys of (\w+) -->", PAGE))
    assert marks == set(TYPES)
    # MostOf has one key, which the row of 'label' explains.
    assert set(json_schema()["$defs"]) == marks | {"Defaults", "MostOf"}


def test_the_examples_load(write):
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    assert [load(write(text)).names for text in examples] == [("quickstart",)] * 2


def test_the_set_examples_load(write):
    path = write(
        "defaults: {seeds: 2}\nbenchmarks:\n"
        "  quickstart: {dataset: spar, models: [resnet-like, {shallow: {model: deepconvlstm}}]}\n"
        "  table1: {dataset: opportunity, seeds: [1, 2], models: [resnet-like, shallow]}\n"
    )
    examples = re.findall(r"\| `--set '?([^'`]+)'?` \|", PAGE)
    assert len(examples) == 9
    for example in examples:
        load(path, [example])


def test_the_messages_shown_are_those_that_come(refused):
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
    said = refused(
        "\n\n\nbenchmarks:\n  quickstart:\n    dataset: spar\n    models: [m]\n"
        "    recipe: {epoch: 3}\n    protocol: {fill: foward}\n"
    )
    for line, real in zip(shown, said, strict=True):
        start, dots, _ = line.strip().partition("...")
        real = real.replace("b.yaml", "benchmarks.yaml")
        assert real.startswith(start) if dots else real == start
