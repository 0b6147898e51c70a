"""Every kind of mistake, each with its file, line and column, what was found and expected."""

import os
import time
from pathlib import Path

import pytest

from harbench.config import load
from harbench.config import reading as reading_room
from harbench.errors import ConfigError

# A mistake in one line of this file, at line 5 from column 5 on.
LINE_5 = """\
benchmarks:
  q:
    dataset: spar
    models: [m]
    %s
"""

RECIPE_KEYS = (
    "optimizer, learning_rate, momentum, nesterov, decay, weight_decay, batch_size, epochs, "
    "schedule, monitor, patience, keep, class_weights, loss, sampling, augment, clip_norm, "
    "label_smoothing, lowering, precision, algorithms"
)

MISTAKES = [
    # unknown keys
    (
        "recipes: {}",
        "b.yaml:5:5: unknown key 'recipes'; did you mean 'recipe'? (expected one of title, "
        "dataset, path, protocol, recipe, seeds, models, analyses, references, allow_leakage)",
    ),
    (
        "recipe: {epoch: 3}",
        "b.yaml:5:14: unknown key 'epoch' in recipe; did you mean 'epochs'? (expected one of "
        f"{RECIPE_KEYS})",
    ),
    (
        "protocol: {split: {kind: blocks, block: 3}}",
        "b.yaml:5:38: unknown key 'block' in protocol.split; did you mean 'blocks'? "
        "(expected 'kind', 'ratio', 'blocks' or 'seed')",
    ),
    ("name: q2", "b.yaml:5:5: unknown key 'name': the name is the key 'q' above"),
    # words of which only some are allowed
    (
        "recipe: {optimizer: adm}",
        "b.yaml:5:25: recipe.optimizer is 'adm'; did you mean 'adam'? "
        "(expected 'sgd', 'adam', 'adamw' or 'rmsprop')",
    ),
    (
        "protocol: {label: Majority}",
        "b.yaml:5:23: protocol.label is 'Majority'; did you mean 'majority'? "
        "(expected 'last', 'majority' or a mapping with 'most_of')",
    ),
    (
        "protocol: {split: {kind: fixd}}",
        "b.yaml:5:30: protocol.split.kind is 'fixd'; did you mean 'fixed'? "
        "(expected 'fixed', 'leave-one-out', 'groups', 'blocks' or 'random-windows')",
    ),
    (
        "recipe: {schedule: platau}",
        "b.yaml:5:24: recipe.schedule is 'platau'; did you mean 'plateau'? "
        "(expected 'plateau', 'step' or 'cosine')",
    ),
    (
        "recipe: {schedule: {kind: stp}}",
        "b.yaml:5:31: recipe.schedule.kind is 'stp'; did you mean 'step'? "
        "(expected 'plateau', 'step' or 'cosine')",
    ),
    # missing keys
    ("recipe: {schedule: step}", "b.yaml:5:14: recipe.schedule lacks 'every'"),
    ("recipe: {schedule: {kind: step}}", "b.yaml:5:14: recipe.schedule lacks 'every'"),
    (
        "protocol: {split: {by: session}}",
        "b.yaml:5:16: protocol.split lacks 'kind' "
        "(expected 'fixed', 'leave-one-out', 'groups', 'blocks' or 'random-windows')",
    ),
    ("protocol: {split: {kind: fixed, train: [a]}}", "b.yaml:5:16: protocol.split lacks 'test'"),
    # values of the wrong kind
    ("title: 2016", 'b.yaml:5:12: title is 2016 (expected a text, in quotes: "2016")'),
    ("title: ''", "b.yaml:5:12: title is '' (expected a text that is not empty)"),
    ("recipe: {epochs: ten}", "b.yaml:5:22: recipe.epochs is 'ten' (expected a whole number)"),
    ("recipe: {epochs: '3'}", "b.yaml:5:22: recipe.epochs is '3' (expected a whole number)"),
    ("recipe: {epochs: 3.0}", "b.yaml:5:22: recipe.epochs is 3.0 (expected a whole number)"),
    ("recipe: {epochs: true}", "b.yaml:5:22: recipe.epochs is true (expected a whole number)"),
    ("recipe: {epochs: }", "b.yaml:5:22: recipe.epochs is empty (expected a whole number)"),
    ("recipe: {epochs: 1_000}", "b.yaml:5:22: recipe.epochs is '1_000' (expected a whole number)"),
    ("recipe: {epochs: [1]}", "b.yaml:5:22: recipe.epochs is a list (expected a whole number)"),
    (
        "recipe: {learning_rate: 1e-3x}",
        "b.yaml:5:29: recipe.learning_rate is '1e-3x' (expected a number)",
    ),
    ("recipe: {nesterov: on}", "b.yaml:5:24: recipe.nesterov is 'on' (expected true or false)"),
    ("recipe: {nesterov: 1}", "b.yaml:5:24: recipe.nesterov is 1 (expected true or false)"),
    ("recipe: [epochs]", "b.yaml:5:13: recipe is a list (expected a mapping)"),
    ("protocol: loso", "b.yaml:5:15: protocol is 'loso' (expected a mapping)"),
    ("path: 3", 'b.yaml:5:11: path is 3 (expected a text, in quotes: "3")'),
    ("path: [a]", "b.yaml:5:11: path is a list (expected a text)"),
    (
        "protocol: {window: 1.5}",
        "b.yaml:5:24: protocol.window is 1.5 (expected a whole number or a text)",
    ),
    (
        "protocol: {split: 3}",
        "b.yaml:5:23: protocol.split is 3 (expected a mapping with 'kind' or a text)",
    ),
    (
        "protocol: {channels: 'RLA *'}",
        "b.yaml:5:26: protocol.channels is 'RLA *' (expected a list)",
    ),
    (
        "protocol: {channels: [a, 3]}",
        'b.yaml:5:30: protocol.channels[1] is 3 (expected a text, in quotes: "3")',
    ),
    (
        "recipe: {class_weights: balancd}",
        "b.yaml:5:29: recipe.class_weights is 'balancd'; did you mean 'balanced'? "
        "(expected 'none', 'balanced' or a list)",
    ),
    (
        "recipe: {class_weights: [1, a]}",
        "b.yaml:5:33: recipe.class_weights[1] is 'a' (expected a number)",
    ),
    # values out of bounds
    ("recipe: {epochs: 0}", "b.yaml:5:22: recipe.epochs is 0 (expected at least 1)"),
    ("recipe: {momentum: 1}", "b.yaml:5:24: recipe.momentum is 1 (expected less than 1)"),
    ("recipe: {learning_rate: 0}", "b.yaml:5:29: recipe.learning_rate is 0 (expected more than 0)"),
    (
        "protocol: {split: {kind: fixed, train: [], test: [a]}}",
        "b.yaml:5:44: protocol.split.train has 0 items (expected at least 1)",
    ),
    (
        "protocol: {split: {kind: blocks, ratio: [1, 2]}}",
        "b.yaml:5:45: protocol.split.ratio has too few items (expected more than 2)",
    ),
    (
        "protocol: {split: {kind: blocks, ratio: [1, 2, 3, 4]}}",
        "b.yaml:5:45: protocol.split.ratio has 4 items (expected at most 3)",
    ),
    (
        "protocol: {window: 5 m}",
        "b.yaml:5:24: protocol.window: '5 m' is no window: give samples (24), a time "
        "('800 ms', '1.5 s') or 'paper'",
    ),
    (
        "protocol: {step: 0}",
        "b.yaml:5:22: protocol.step: 0 samples is no step: it needs at least 1",
    ),
    # seeds
    (
        "seeds: yes",
        "b.yaml:5:12: seeds: 'yes' is no count (3) and no list of whole numbers ([0, 1, 7])",
    ),
    (
        "seeds: true",
        "b.yaml:5:12: seeds: True is no count (3) and no list of whole numbers ([0, 1, 7])",
    ),
    ("seeds: 0", "b.yaml:5:12: seeds: 0 seeds: a count of seeds lies in 1 .. 1000"),
    ("seeds: 1000000", "b.yaml:5:12: seeds: 1000000 seeds: a count of seeds lies in 1 .. 1000"),
    ("seeds: []", "b.yaml:5:12: seeds has 0 items (expected at least 1)"),
    ("seeds: [1, 2, 1]", "b.yaml:5:12: seeds: seed 1 is given twice"),
    ("seeds: [0, -1]", "b.yaml:5:16: seeds[1] is -1 (expected at least 0)"),
    (
        "seeds: [0, 4294967296]",
        "b.yaml:5:16: seeds[1] is 4294967296 (expected less than 4294967296)",
    ),
    ("seeds: [true]", "b.yaml:5:13: seeds[0] is true (expected a whole number)"),
    # what YAML itself or our reading of it refuses
    (
        "dataset: hapt",
        "b.yaml:5:5: key 'dataset' is given twice, first at b.yaml:3:5",
    ),
    (
        "title: !!python/name:os.system x",
        "b.yaml:5:12: tag '!!python/name:os.system' is not read (expected a value without a tag)",
    ),
    ("title: !mine x", "b.yaml:5:12: tag '!mine' is not read (expected a value without a tag)"),
    (
        "recipe: !!set {}",
        "b.yaml:5:13: tag '!!set' is not read (expected a value without a tag)",
    ),
    (
        "recipe: {epochs: !!int ten}",
        "b.yaml:5:22: 'ten' is no int (expected a value of type int)",
    ),
    (
        "recipe: {learning_rate: .nan}",
        "b.yaml:5:29: .nan is no number that can be used "
        "(expected a finite number of at most 64 bits)",
    ),
    (
        "recipe: {epochs: 9223372036854775808}",
        "b.yaml:5:22: 9223372036854775808 is no number that can be used "
        "(expected a finite number of at most 64 bits)",
    ),
    (
        "<<: {seeds: 3}",
        "b.yaml:5:5: merge keys ('<<') are not read (expected shared settings under 'defaults')",
    ),
    ("? [a]\n    : b", "b.yaml:5:7: a key is a mapping or a list (expected a text)"),
    ("\ttitle: x", "b.yaml:5:5: this is not YAML: a tab; indent with spaces"),
    (
        "title: [a",
        "b.yaml:6:1: this is not YAML: did not find expected ',' or ']' "
        "(while parsing a flow sequence)",
    ),
    ("title: *x", "b.yaml:5:12: this is not YAML: found undefined alias"),
    (
        "title: a: b",
        "b.yaml:5:13: this is not YAML: mapping values are not allowed in this context",
    ),
    ("title: \x07", "b.yaml:5:12: this is not YAML: control characters are not allowed"),
    (
        '"a\\eb": 1',
        "b.yaml:5:5: unknown key 'a\\x1bb' (expected one of title, dataset, path, "
        "protocol, recipe, seeds, models, analyses, references, allow_leakage)",
    ),
]


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_told_with_its_place(refused, line, said):
    assert refused(LINE_5 % line) == [said]


MODELS = [
    ("models: resnet-like", "3:11: models is 'resnet-like' (expected a list of model names, or a "
     "mapping of rows)"),
    ("models: []", "3:11: models is an empty list (expected at least one model)"),
    ("models: {}", "3:11: models is an empty mapping (expected at least one model)"),
    ("models:", "3:10: models is empty (expected a list of model names, or a mapping of rows)"),
    ("models: [a, 3]", "3:15: an item of models is 3 (expected a model's name, or one row with "
     "its settings indented below it)"),
    ("models:\n    - a:\n      epochs: 3", "4:7: an item of models is a mapping of several keys "
     "(expected a model's name, or one row with its settings indented below it)"),
    ("models: [a, b, a]", "3:18: row 'a' is given twice, first at b.yaml:3:12 (expected a name of "
     "its own for each row (my-row: {model: NAME}))"),
    ("models: {a: 3}", "3:15: models.a is 3 (expected a mapping, or nothing)"),
    ("models: {a b: }", "3:12: 'a b' cannot name a row of models (expected letters, digits, '.', "
     "'_' and '-', the first a letter or digit, at most 100)"),
    ("models: {a: {row: b}}", "3:16: unknown key 'row': the name is the key 'a' above"),
    ("models: {a: {modle: b}}", "3:16: unknown key 'modle' in models.a; did you mean 'model'? "
     "(expected 'model', 'options', 'recipe', 'window' or 'step')"),
    ("models: {a: {model: }}", "3:23: models.a.model is empty (expected a text)"),
    ("models: {a: {window: 1 m}}", "3:24: models.a.window: '1 m' is no window: give samples (24), "
     "a time ('800 ms', '1.5 s') or 'paper'"),
    ("models: {a: {options: {b: {}}}}", "3:29: models.a.options.b is an empty mapping (expected "
     "true or false, a whole number, a number, a text or a list)"),
    ("models: {a: {options: {b: [[1]]}}}", "3:30: models.a.options.b[0] is a list (expected "
     "true or false, a whole number, a number or a text)"),
    ("models: {a: {options: [b]}}", "3:25: models.a.options is a list (expected a mapping)"),
    ("models:\n    a:\n    b: {recipe: {epochs: 0}}", "5:26: models.b.recipe.epochs is 0 (expected "
     "at least 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "said"), MODELS, ids=[lines for lines, _ in MODELS])
def test_a_mistake_in_models_is_told_with_its_place(refused, lines, said):
    assert refused(f"benchmarks:\n q:\n  {lines}\n  dataset: d\n") == [f"b.yaml:{said}"]


WHOLE_FILES = [
    ("", "b.yaml: the file is empty (expected a mapping with the key 'benchmarks')"),
    ("# only a comment\n", "b.yaml: the file is empty (expected a mapping with the key "
     "'benchmarks')"),
    ("- q\n", "b.yaml:1:1: the file is a list (expected a mapping with the key 'benchmarks')"),
    ("q\n", "b.yaml:1:1: the file is 'q' (expected a mapping with the key 'benchmarks')"),
    ("defaults: {seeds: 3}\n", "b.yaml:1:1: the key 'benchmarks' is missing (expected benchmarks "
     "by name below it)"),
    ("benchmarks:\n", "b.yaml:1:12: benchmarks is empty (expected a mapping of at least one "
     "benchmark by name)"),
    ("benchmarks: [q]\n", "b.yaml:1:13: benchmarks is a list (expected a mapping of at least one "
     "benchmark by name)"),
    ("benchmarks:\n  q: spar\n", "b.yaml:2:6: benchmark 'q' is 'spar' (expected a mapping)"),
    ("benchmarks:\n  my q: {dataset: d, models: [m]}\n", "b.yaml:2:3: 'my q' cannot name a "
     "benchmark (expected letters, digits, '.', '_' and '-', the first a letter or digit, at most "
     "100)"),
    ("benchmarks:\n  q: {models: [m]}\n", "b.yaml:2:3: benchmark 'q' lacks 'dataset'"),
    ("benchmarks:\n  q: {dataset: d}\n", "b.yaml:2:3: benchmark 'q' lacks 'models'"),
    ("benchmarks: {q: {dataset: d, models: [m]}}\n---\nx: 1\n", "b.yaml:2:1: this is not YAML: "
     "found another document (expected a single document in the stream)"),
    ("defaults: 3\nbenchmarks: {q: {dataset: d, models: [m]}}", "b.yaml:1:11: defaults is 3 "
     "(expected a mapping)"),
    ("defaults: {dataset: d}\nbenchmarks: {q: {dataset: d, models: [m]}}", "b.yaml:1:12: 'dataset' "
     "cannot be a default (expected 'dataset' in each benchmark)"),
    (b"benchmarks:\n  q: {dataset: \xff}\n", "b.yaml:2:16: byte 0xff is not UTF-8 (expected a file "
     "saved as UTF-8)"),
    (b"\xef\xbb\xbfq: \xff\n", "b.yaml:1:4: byte 0xff is not UTF-8 (expected a file saved as "
     "UTF-8)"),
    ("benchmarks: " + "[" * 100_000, "b.yaml:1:52: the nesting is too deep (expected at most 40 "
     "levels)"),
    ("benchmarks: &a [*a]", "b.yaml:1:13: the nesting is too deep (expected at most 40 levels)"),
    ("[" + "x, " * 10_001 + "]", "b.yaml:1:29999: the file holds too much, once its aliases are "
     "written out (expected at most 10,000 values)"),
    ("benchmarks: {q: {dataset: d, models: [m]}}\n#" + "x" * 1_000_000, "b.yaml: the file is too "
     "large (expected at most 1,000,000 bytes)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WHOLE_FILES, ids=[str(t)[:40] for t, _ in WHOLE_FILES])
def test_a_file_that_cannot_be(refused, text, said):
    assert refused(text) == [said]


def test_alias_bombs_are_defused(refused):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 9):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]")
    (said,) = refused("\n".join(lines))
    assert "the file holds too much, once its aliases are written out" in said


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(refused):
    assert refused(
        "defaults:\n"
        "  seeds: no\n"
        "benchmarks:\n"
        "  a:\n"
        "    dataset: x\n"
        "    dataset: y\n"
        "    models: [m]\n"
        "    recipe: {epochs: 0}\n"
        "  b:\n"
        "    protocol: {fil: none}\n"
    ) == [
        "b.yaml:2:10: seeds: 'no' is no count (3) and no list of whole numbers ([0, 1, 7])",
        "b.yaml:6:5: key 'dataset' is given twice, first at b.yaml:5:5",
        "b.yaml:8:22: recipe.epochs is 0 (expected at least 1)",
        "b.yaml:9:3: benchmark 'b' lacks 'dataset'",
        "b.yaml:9:3: benchmark 'b' lacks 'models'",
        "b.yaml:10:16: unknown key 'fil' in protocol; did you mean 'fill'? (expected one of split, "
        "task, window, step, within, label, fill, normalise, null, channels)",
    ]


def test_only_the_first_ten_mistakes_are_told(refused):
    rows = "\n".join(f"      m{n}: {{recipe: {{epochs: 0}}}}" for n in range(13))
    said = refused(f"benchmarks:\n  q:\n    dataset: d\n    models:\n{rows}\n")
    assert len(said) == 11
    assert said[0].startswith("b.yaml:5:29: models.m0.recipe.epochs is 0")
    assert said[9].startswith("b.yaml:14:29: models.m9.recipe.epochs is 0")
    assert said[10] == "and 3 more"


def test_thousands_of_mistakes_are_told_quickly(refused):
    started = time.process_time()
    weights = ", ".join("x" * 9_000)
    said = refused(LINE_5 % f"recipe: {{class_weights: [{weights}]}}")
    assert said[-1] == "and 8990 more"
    assert time.process_time() - started < 5


def test_a_mistake_in_the_defaults_is_told_once_at_their_line(refused):
    text = (
        "defaults:\n  recipe: {epochs: 0}\n"
        "benchmarks:\n  a: {dataset: d, models: [m]}\n  b: {dataset: d, models: [m]}\n"
    )
    said = ["b.yaml:2:20: recipe.epochs is 0 (expected at least 1)"]
    assert refused(text) == said
    # Even where every benchmark says otherwise.
    assert refused(text.replace("[m]", "[m], recipe: {epochs: 1}")) == said


def test_a_mistake_behind_an_alias_is_told_where_it_stands(refused):
    assert refused(
        "benchmarks:\n  q:\n    dataset: d\n    models:\n"
        "      a: {recipe: &r {epochs: 0}}\n      b: {recipe: *r}\n"
    ) == [
        "b.yaml:5:31: models.a.recipe.epochs is 0 (expected at least 1)",
        "b.yaml:5:31: models.b.recipe.epochs is 0 (expected at least 1)",
    ]


def test_one_mistake_has_its_parts(write):
    with pytest.raises(ConfigError) as caught:
        load(write(LINE_5 % "recipe: {epochs: 0}"))
    assert caught.value.where == "b.yaml:5:22"
    assert caught.value.what == "recipe.epochs is 0"
    assert caught.value.expected == "at least 1"


def test_a_missing_file_and_the_command_that_writes_one(here):
    with pytest.raises(ConfigError) as caught:
        load(Path("my b.yaml"))
    assert caught.value.where == "my b.yaml"
    assert caught.value.what == "there is no such file"
    assert os.system(caught.value.fix) == 0
    (benchmark,) = load(Path("my b.yaml")).benchmarks
    assert (benchmark.name, benchmark.dataset) == ("quickstart", "spar")


def test_a_missing_file_beside_one_of_a_similar_name(here):
    Path("benchmarks.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        load(Path("benchmark.yml"))
    assert caught.value.what == "there is no such file; did you mean 'benchmarks.yaml'?"
    assert caught.value.fix is None


def test_what_is_no_file(here):
    with pytest.raises(ConfigError, match="no such file") as caught:
        load(Path("nowhere/b.yaml"))
    assert caught.value.fix is None
    with pytest.raises(ConfigError, match=r"this is a folder \(expected a YAML file"):
        load(here)
    with pytest.raises(ConfigError, match="the file cannot be read: embedded null byte"):
        load(Path("a\0b"))


def test_a_file_that_may_not_be_read(write, monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    path = write("benchmarks:")
    monkeypatch.setattr(reading_room.Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"b.yaml: the file cannot be read: Permission denied"):
        load(path)
