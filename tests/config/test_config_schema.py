"""The JSON Schema for editors against files that load accepts, and some that it refuses."""

import json
import re
from pathlib import Path

import pytest
import yaml

from harbench.config import json_schema, load
from harbench.errors import ConfigError
from harbench.nouns import Recipe
from harbench.nouns.names import is_name

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

GOOD = [
    "benchmarks: {q: {dataset: d, models: [m]}}",
    "benchmarks: {q: {dataset: d, models: {m: }}}",
    "benchmarks: {q: {dataset: d, models: [m, {n: {model: m, window: paper, step: 3}}]}}",
    "benchmarks: {q: {dataset: d, models: {m: {options: {a: [1, x, null], b: true}, recipe: }}}}",
    "defaults:\nbenchmarks: {q: {dataset: d, models: [m], seeds: 3, path: null}}",
    "defaults: {models: [m], seeds: [1, 2]}\nbenchmarks: {q: {dataset: d}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: [0, 7], protocol: , recipe: }}",
    *(
        f"benchmarks: {{q: {{dataset: d, models: [m], recipe: {{schedule: {schedule}}}}}}}"
        for schedule in ("plateau", "cosine", "none", "null", "{kind: step, every: 3}")
    ),
    *(
        f"benchmarks: {{q: {{dataset: d, models: [m], protocol: {{split: {split}}}}}}}"
        for split in ("loso", "subjects", "null", "{kind: leave-one-out}", "{kind: blocks}")
    ),
    "benchmarks: {q: {dataset: d, models: [m], protocol: {label: {most_of: 0.5}, 'null': drop}}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {class_weights: [1, 2.5], epochs: 3}}}",
    *(
        f"cluster: {block}\nbenchmarks: {{q: {{dataset: d, models: [m]}}}}"
        for block in ("", "{address: local, gpu: 0.25}", "{jobqueue: slurm, workers: [0, 9]}")
    ),
]
BAD = [
    "{}",
    "benchmarks: {}",
    "benchmarks: []",
    "other: 1\nbenchmarks: {q: {dataset: d, models: [m]}}",
    "benchmarks: {q: {models: [m]}}",
    "benchmarks: {q: {dataset: d}}",
    "benchmarks: {q: {dataset: d, models: []}}",
    "benchmarks: {q: {dataset: d, models: {}}}",
    "benchmarks: {q: {dataset: d, models: m}}",
    "benchmarks: {q: {dataset: d, models: [3]}}",
    "benchmarks: {q: {dataset: d, models: [m n]}}",
    "benchmarks: {q: {dataset: d, models: [{m: , n: }]}}",
    "benchmarks: {q: {dataset: d, models: {m: 3}}}",
    "benchmarks: {q: {dataset: d, models: {m: {row: n}}}}",
    "benchmarks: {q: {dataset: d, models: {m: {options: {a: {}}}}}}",
    "benchmarks: {'q 1': {dataset: d, models: [m]}}",
    "benchmarks: {q: {name: q, dataset: d, models: [m]}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: 0}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: true}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: []}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: [1, 1]}}",
    "benchmarks: {q: {dataset: d, models: [m], seeds: [-1]}}",
    "benchmarks: {q: {dataset: d, models: [m], title: null}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {epoch: 3}}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {epochs: 0}}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {schedule: step}}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {schedule: {patience: 3}}}}",
    "benchmarks: {q: {dataset: d, models: [m], recipe: {optimizer: Adam}}}",
    "benchmarks: {q: {dataset: d, models: [m], protocol: {split: {by: session}}}}",
    "benchmarks: {q: {dataset: d, models: [m], protocol: {split: {kind: blocks, folds: 3}}}}",
    "benchmarks: {q: {dataset: d, models: [m], protocol: {label: first}}}",
    *(
        f"cluster: {block}\nbenchmarks: {{q: {{dataset: d, models: [m]}}}}"
        for block in ("3", "{adress: local}", "{jobqueue: slum}", "{threads: 0}", "{tls: {}}")
    ),
    "defaults: {dataset: d}\nbenchmarks: {q: {dataset: d, models: [m]}}",
    "defaults: {title: d}\nbenchmarks: {q: {dataset: d, models: [m]}}",
]


@pytest.fixture(scope="module")
def schema():
    return json_schema()


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


def test_is_a_schema_that_json_can_hold(schema):
    jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(schema)))


@pytest.mark.parametrize("text", GOOD)
def test_good_files(write, validator, text):
    load(write(text))
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", BAD)
def test_bad_files(write, validator, text):
    with pytest.raises(ConfigError):
        load(write(text))
    assert not validator.is_valid(yaml.safe_load(text))


def test_descriptions_are_those_of_the_types(schema):
    definitions = schema["$defs"]
    assert set(definitions["Recipe"]["properties"]) == set(Recipe.model_fields)
    for key, field in definitions["Recipe"]["properties"].items():
        assert field["description"], key
    for key, field in definitions["Protocol"]["properties"].items():
        assert field["description"], key
    assert definitions["Recipe"]["properties"]["momentum"]["description"] == "Of SGD and RMSprop."
    assert definitions["Protocol"]["description"].startswith("Which recordings train")
    assert "Args:" not in json.dumps(schema)


def test_only_benchmarks_have_datasets_and_titles(schema):
    properties = schema["$defs"]["Benchmark"]["properties"]
    assert set(properties) - set(schema["$defs"]["Defaults"]["properties"]) == {"dataset", "title"}
    assert "name" not in properties


def test_names_follow_one_rule(schema, write):
    pattern = schema["properties"]["benchmarks"]["propertyNames"]["pattern"]
    for name in ("a", "A.b_c-1", "1", "-a", ".a", "a b", "ä", "a/b", "a" * 100, "a" * 101, ""):
        path: Path = write(json.dumps({"benchmarks": {name: {"dataset": "d", "models": ["m"]}}}))
        assert is_name(name) == bool(re.search(pattern, name))
        if is_name(name):
            assert load(path).names == (name,)
        else:
            with pytest.raises(ConfigError, match="cannot name a benchmark"):
                load(path)
