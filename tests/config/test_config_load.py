"""What good files mean: every key, short forms, defaults, YAML's traps."""

import subprocess
import sys
from pathlib import Path

import pytest

from harbench.config import Benchmark, ModelEntry, load, merge_recipe, select
from harbench.errors import ConfigError
from harbench.nouns import Cosine, Plateau, Protocol, Recipe, Step

FULL = """\
defaults:
  seeds: 2
  protocol: {fill: linear, window: 2 s}
  recipe: {epochs: 30, optimizer: sgd}
benchmarks:
  quickstart:
    title: Shoulder exercises, unseen subjects
    dataset: spar
    path: some/dir
    protocol: {split: subjects, window: 1 s, step: 50%}
    recipe: {epochs: 12}
    seeds: [0, 5]
    models:
      resnet-like:
      deepconvlstm: {recipe: {epochs: 8}}
      shallow: {model: deepconvlstm, options: {lstm_layers: 1}, window: 24, step: 12}
  short: {dataset: hapt, models: [resnet-like, {small: {model: resnet-like}}]}
"""

ONE = "benchmarks: {q: {dataset: spar, models: [m], %s}}"


def test_every_key_of_a_benchmark(loaded, here):
    quick = loaded(FULL)["quickstart"]
    assert quick.title == "Shoulder exercises, unseen subjects"
    assert quick.dataset == "spar"
    assert quick.path == here / "some" / "dir"
    assert quick.protocol == Protocol(split="subjects", window="1 s", step="50%", fill="linear")
    assert quick.recipe.model_fields_set == {"epochs", "optimizer"}
    assert (quick.recipe.epochs, quick.recipe.optimizer) == (12, "sgd")
    assert quick.seeds == (0, 5)
    assert [entry.row for entry in quick.models] == ["resnet-like", "deepconvlstm", "shallow"]
    plain, longer, shallow = quick.models
    assert plain == ModelEntry(row="resnet-like", model="resnet-like")
    assert longer.recipe.model_fields_set == {"epochs"}
    assert longer.recipe.epochs == 8
    assert shallow.model == "deepconvlstm"
    assert shallow.options == {"lstm_layers": 1}
    assert quick.protocol_of(shallow) == quick.protocol.model_copy(
        update={"window": 24, "step": 12}
    )
    assert quick.protocol_of(plain) == quick.protocol


def test_short_forms_and_what_defaults_give(loaded):
    short = loaded(FULL)["short"]
    assert short.title == "short"
    assert short.path is None
    assert short.seeds == (0, 1)
    assert short.protocol == Protocol(fill="linear", window="2 s")
    assert [(entry.row, entry.model) for entry in short.models] == [
        ("resnet-like", "resnet-like"),
        ("small", "resnet-like"),
    ]


def test_models_and_seeds_of_defaults_are_replaced_whole(loaded):
    found = loaded(
        "defaults: {models: [a, b], seeds: 5}\n"
        "benchmarks: {x: {dataset: d}, y: {dataset: d, models: [c], seeds: [7]}}"
    )
    assert [entry.row for entry in found["x"].models] == ["a", "b"]
    assert found["x"].seeds == (0, 1, 2, 3, 4)
    assert [entry.row for entry in found["y"].models] == ["c"]
    assert found["y"].seeds == (7,)


def test_null_takes_a_default_back(loaded):
    found = loaded(
        "defaults: {recipe: {schedule: cosine, clip_norm: 1}}\n"
        "benchmarks: {x: {dataset: d, models: [a], recipe: {schedule: null}}}"
    )
    assert found["x"].recipe.schedule is None
    assert found["x"].recipe.model_fields_set == {"schedule", "clip_norm"}
    assert found["x"].recipe.clip_norm == 1.0


def test_empty_sections_are_empty_mappings(loaded):
    q = loaded(
        "defaults:\nbenchmarks:\n  q:\n    dataset: spar\n    protocol:\n      # all out\n"
        "    recipe:\n    models:\n      m:\n        options:\n        recipe:\n"
    )["q"]
    assert q.protocol == Protocol()
    assert q.recipe.model_fields_set == set()
    assert q.models[0] == ModelEntry(row="m")


def test_three_seeds_where_none_are_given(loaded):
    assert loaded(ONE % "")["q"].seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("1e-3", 1e-3),
        ("1E-3", 1e-3),
        ("1.e-3", 1e-3),
        ("5e-05", 5e-5),
        ("2e+0", 2.0),
        (".01", 0.01),
        ("+0.5", 0.5),
        ("1", 1.0),
        ("0x10", 16.0),
        ("0o17", 15.0),
        ("010", 10.0),
        ("!!float 1e-3", 1e-3),
    ],
)
def test_numbers_are_those_of_yaml_1_2(loaded, written, rate):
    recipe = loaded(ONE % f"recipe: {{learning_rate: {written}}}")["q"].recipe
    assert recipe.learning_rate == rate
    assert type(recipe.learning_rate) is float


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("2016-01-01", "2016-01-01"),
        ("50%", "50%"),
        ("'1e-3'", "1e-3"),
        ("!!str 12", "12"),
        ("=", "="),
        ("~", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("-3", -3),
        ("1e3", 1000.0),
        ("[1, a, 2.5, null, true]", (1, "a", 2.5, None, True)),
    ],
)
def test_options_keep_their_types(loaded, written, value):
    text = f"benchmarks: {{q: {{dataset: d, models: {{m: {{options: {{a: {written}}}}}}}}}}}"
    found = loaded(text)["q"].models[0].options["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts_whatever_they_look_like(loaded):
    found = loaded(
        "benchmarks: {2016: {dataset: d, protocol: {null: drop}, models: {1.5: , true: , no: }}}"
    )
    assert [entry.row for entry in found["2016"].models] == ["1.5", "true", "no"]
    assert found["2016"].protocol.null == "drop"


@pytest.mark.parametrize(
    ("written", "schedule"),
    [
        ("plateau", Plateau()),
        ("{kind: plateau, patience: 3}", Plateau(patience=3)),
        ("{kind: step, every: 10}", Step(every=10)),
        ("cosine", Cosine()),
        ("none", None),
        ("null", None),
    ],
)
def test_schedules(loaded, written, schedule):
    recipe = loaded(ONE % f"recipe: {{schedule: {written}}}")["q"].recipe
    assert recipe.schedule == schedule
    assert "schedule" in recipe.model_fields_set


def test_splits(loaded):
    # What "loso" is, a dataset may say; without a dataset it stays a name.
    protocol = loaded(ONE % "protocol: {split: loso}")["q"].protocol
    assert protocol.split == "loso"
    protocol = loaded(ONE % "protocol: {split: {kind: blocks, ratio: [8, 1, 1]}}")["q"].protocol
    assert protocol.split.ratio == (8.0, 1.0, 1.0)


def test_anchors_and_aliases(loaded):
    found = loaded(
        "defaults: {recipe: &r {epochs: 3}}\n"
        "benchmarks: {q: {dataset: d, models: {a: {recipe: *r}, b: {recipe: *r}}}}"
    )
    assert [entry.recipe.epochs for entry in found["q"].models] == [3, 3]


def test_a_byte_order_mark_and_windows_lines_do_no_harm(loaded):
    text = b"\xef\xbb\xbfbenchmarks:\r\n  q:\r\n    dataset: spar\r\n    models: [m]\r\n"
    assert loaded(text)["q"].dataset == "spar"


def test_paths_count_from_the_file(here):
    folder = here / "deep"
    folder.mkdir()
    file = folder / "b.yaml"
    file.write_text("benchmarks: {q: {dataset: d, models: [m], path: ../data}}")
    assert load(Path("deep/b.yaml")).benchmarks[0].path == here / "data"
    file.write_text(f"benchmarks: {{q: {{dataset: d, models: [m], path: {here / 'x'}}}}}")
    assert load(file).benchmarks[0].path == here / "x"


def test_a_path_from_home(here, monkeypatch, loaded):
    monkeypatch.setenv("HOME", str(here / "me"))
    assert loaded(ONE % "path: ~/data")["q"].path == here / "me" / "data"


def test_select(write):
    file = load(write(FULL))
    assert file.names == ("quickstart", "short")
    assert [b.name for b in select(file)] == ["quickstart", "short"]
    assert [b.name for b in select(file, ["short"])] == ["short"]
    assert [b.name for b in select(file, ["short", "quickstart", "short"])] == [
        "short",
        "quickstart",
    ]
    with pytest.raises(ConfigError) as caught:
        select(file, ["quikstart"])
    assert str(caught.value) == (
        "b.yaml: no benchmark is called 'quikstart'; did you mean 'quickstart'?"
        " (expected one of quickstart, short)"
    )


def test_benchmarks_can_be_made_in_python():
    benchmark = Benchmark(name="q", dataset="d", seeds=2, models=(ModelEntry(row="m"),))
    assert (benchmark.title, benchmark.seeds, benchmark.models[0].model) == ("q", (0, 1), "m")
    with pytest.raises(ValueError, match="row 'm' is given twice"):
        Benchmark(name="q", dataset="d", models=(ModelEntry(row="m"), ModelEntry(row="m")))


def test_merge_recipe_applies_only_what_is_set():
    base = Recipe(optimizer="sgd", epochs=50, momentum=0.9)
    merged = merge_recipe(base, Recipe(epochs=5, momentum=0.0), Recipe(schedule=Plateau()))
    assert merged == Recipe(optimizer="sgd", epochs=5, momentum=0.0, schedule=Plateau())
    assert merged.model_fields_set == {"optimizer", "epochs", "momentum", "schedule"}
    # A value equal to the default is set all the same, and wins.
    assert merge_recipe(Recipe(epochs=5), Recipe(epochs=100)).epochs == 100
    assert merge_recipe(base) == base
    assert merge_recipe(Recipe(), Recipe()).model_fields_set == set()


def test_merge_recipe_checks_the_result():
    broken = Recipe.model_construct(_fields_set={"epochs"}, epochs=0)
    with pytest.raises(ConfigError, match=r"recipe\.epochs: .*greater than or equal to 1"):
        merge_recipe(Recipe(), broken)


def test_importing_the_room_imports_nothing_heavy():
    code = (
        "import sys, harbench.config;"
        "heavy = ('numpy', 'torch', 'scipy', 'pandas', 'pluggy', 'harbench.plugins');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_works_without_libyaml(write):
    write(FULL + "  bad: {dataset: [}\n")
    code = (
        "import sys; sys.modules['yaml._yaml'] = None;"
        "from pathlib import Path; from harbench.config import load; import yaml;"
        "assert not hasattr(yaml, 'CSafeLoader');"
        "load(Path('b.yaml'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ConfigError: b.yaml:18:19: this is not YAML" in done.stderr
    write(FULL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
