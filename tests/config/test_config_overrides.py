"""``--set KEY=VALUE``: what it changes, over what it wins, and what it refuses."""

import pytest

from harbench.config import load
from harbench.errors import ConfigError

FILE = """\
defaults:
  recipe: {epochs: 50, optimizer: sgd}
benchmarks:
  table1:
    dataset: opportunity
    seeds: [3, 4]
    recipe: {epochs: 20, schedule: plateau}
    models:
      resnet-like:
      deep: {model: deepconvlstm, recipe: {epochs: 8, patience: 2}, window: 24, step: 12}
  v1.2:
    dataset: spar
    models: [resnet-like, tang.2020]
"""


def epochs(benchmark):
    """What each row trains, over a model's own recipe of 100 epochs."""
    own = benchmark.recipe.epochs if "epochs" in benchmark.recipe.model_fields_set else 100
    return [
        entry.recipe.epochs if "epochs" in entry.recipe.model_fields_set else own
        for entry in benchmark.models
    ]


def test_a_key_alone_wins_everywhere(loaded):
    assert [epochs(b) for b in loaded(FILE).values()] == [[20, 8], [50, 50]]
    found = loaded(FILE, "recipe.epochs=1")
    assert [epochs(b) for b in found.values()] == [[1, 1], [1, 1]]
    # Nothing else has changed.
    assert found["table1"].recipe.optimizer == "sgd"
    assert found["table1"].models[1].recipe.model_fields_set == {"patience"}
    assert found["table1"].models[1].window == 24


def test_one_benchmark(loaded):
    found = loaded(FILE, "benchmarks.table1.dataset=opportunity-sim")
    assert [b.dataset for b in found.values()] == ["opportunity-sim", "spar"]
    found = loaded(FILE, "benchmarks.table1.recipe.epochs=2")
    assert [epochs(b) for b in found.values()] == [[2, 2], [50, 50]]


def test_names_with_dots(loaded):
    found = loaded(FILE, "benchmarks.v1.2.seeds=1", "models.tang.2020.window=30")
    assert found["v1.2"].seeds == (0,)
    assert [entry.window for entry in found["v1.2"].models] == [None, 30]


def test_defaults_stay_defaults(loaded):
    found = loaded(FILE, "defaults.recipe.epochs=7", "defaults.seeds=[9]")
    assert [epochs(b) for b in found.values()] == [[20, 8], [7, 7]]
    assert [b.seeds for b in found.values()] == [(3, 4), (9,)]


def test_defaults_that_the_file_does_not_have(loaded):
    text = "benchmarks: {q: {dataset: d, models: [m]}}"
    assert loaded(text, "defaults.protocol.fill=none")["q"].protocol.fill == "none"


def test_one_row_in_a_mapping_or_a_list(loaded):
    found = loaded(
        FILE,
        "benchmarks.table1.models.deep.recipe.epochs=1",
        "benchmarks.v1.2.models.resnet-like.recipe.epochs=2",
    )
    assert [epochs(b) for b in found.values()] == [[20, 1], [2, 50]]


def test_a_row_in_every_benchmark_that_has_it(loaded):
    found = loaded(FILE, "models.deep.options.lstm_layers=1", "models.resnet-like.step=5")
    assert found["table1"].models[1].options == {"lstm_layers": 1}
    assert [[entry.step for entry in b.models] for b in found.values()] == [[5, 12], [5, None]]


def test_window_of_the_protocol_wins_over_rows(loaded):
    found = loaded(FILE, "protocol.window=2 s")["table1"]
    assert found.protocol.window == "2 s"
    assert [(entry.window, entry.step) for entry in found.models] == [(None, None), (None, 12)]
    found = loaded(FILE, "protocol={step: 3}")["table1"]
    assert [(entry.window, entry.step) for entry in found.models] == [(None, None), (24, None)]


def test_a_whole_section_is_replaced(loaded):
    found = loaded(FILE, "recipe={epochs: 3}")
    assert [epochs(b) for b in found.values()] == [[3, 3], [3, 3]]
    assert found["table1"].recipe.model_fields_set == {"epochs"}
    assert found["table1"].models[1].recipe.model_fields_set == {"patience"}


@pytest.mark.parametrize("models", ["[a, b]", "{a: {model: x}, b: }", "[a, {b: {window: 3}}]"])
def test_all_models(loaded, models):
    found = loaded(FILE, f"models={models}", "models.a.step=4")
    for benchmark in found.values():
        assert [(entry.row, entry.step) for entry in benchmark.models] == [("a", 4), ("b", None)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("learning_rate=1e-3", 1e-3),
        ("optimizer=adamw", "adamw"),
        ("nesterov=true", True),
        ("schedule=", None),
        ("class_weights=[1, 2]", (1.0, 2.0)),
        (" epochs = 3 ", 3),
    ],
)
def test_values_are_yaml(loaded, written, value):
    recipe = loaded(FILE, f"recipe.{written}")["table1"].recipe
    assert getattr(recipe, written.split("=")[0].strip()) == value


def test_the_last_one_wins(loaded):
    assert loaded(FILE, "seeds=1", "seeds=2")["table1"].seeds == (0, 1)
    assert loaded(FILE, "seeds=[1, 2]", "seeds.1=7")["table1"].seeds == (1, 7)


def test_an_item_of_a_list(loaded):
    found = loaded(FILE, "benchmarks.table1.seeds.1=6")["table1"]
    assert found.seeds == (3, 6)


def test_a_path_counts_from_the_current_folder(here):
    (here / "deep").mkdir()
    file = here / "deep" / "b.yaml"
    file.write_text(FILE)
    for key in ("path", "defaults.path", "benchmarks.table1.path"):
        assert load(file, [f"{key}=data"]).benchmarks[0].path == here / "data"
    options = load(file, ["models.deep.options.path=data"]).benchmarks[0].models[1].options
    assert options == {"path": "data"}


KEYS = "title, dataset, path, protocol, recipe, seeds, models, analyses, references, allow_leakage"
REFUSED = [
    ("recipe.epochs", "there is no '=' (expected KEY=VALUE, such as recipe.epochs=3)"),
    ("=3", "a key is empty (expected KEY=VALUE, such as recipe.epochs=3)"),
    ("recipe..epochs=3", "a key is empty (expected KEY=VALUE, such as recipe.epochs=3)"),
    (
        "recipe.epochs=[",
        "this is not YAML: did not find expected node content (while parsing a flow node)",
    ),
    ("recipe.epochs=!!x 3", "tag '!!x' is not read (expected a value without a tag)"),
    (
        "recpie.epochs=3",
        f"'recpie' is no key of a benchmark; did you mean 'recipe'? (expected one of {KEYS})",
    ),
    (
        "table1.recipe.epochs=3",
        "'table1' is no key of a benchmark; did you mean 'benchmarks.table1.recipe.epochs'? "
        f"(expected one of {KEYS})",
    ),
    ("benchmarks.table1.name=x", f"'name' is no key of a benchmark (expected one of {KEYS})"),
    ("benchmarks.table1=3", f"only single keys can be set (expected one of {KEYS})"),
    ("benchmarks=3", f"only single keys can be set (expected one of {KEYS})"),
    (
        "defaults={}",
        "only single keys can be set (expected one of path, protocol, recipe, seeds, "
        "models, analyses, references, allow_leakage)",
    ),
    (
        "defaults.dataset=x",
        "'dataset' cannot be a default (expected one of path, protocol, recipe, seeds, "
        "models, analyses, references, allow_leakage)",
    ),
    (
        "benchmarks.tabel1.dataset=x",
        "no benchmark is called 'tabel1'; did you mean 'table1'? (expected one of table1, v1.2)",
    ),
    (
        "benchmarks.table1.models.resnetlike.step=3",
        "no row of models is called 'resnetlike'; did you mean 'resnet-like'? "
        "(expected one of resnet-like, deep)",
    ),
    (
        "models.nope.step=3",
        "no row of models is called 'nope' (expected one of resnet-like, deep, tang.2020)",
    ),
    (
        "benchmarks.table1.recipe.schedule.patience=3",
        "'recipe.schedule.patience' cannot be set: recipe.schedule is 'plateau' "
        "(expected the whole of it: --set 'recipe.schedule=VALUE')",
    ),
    ("benchmarks.table1.seeds.2=3", "seeds has no item 2 (expected a number in 0 .. 1)"),
    ("benchmarks.table1.seeds.x=3", "seeds has no item x (expected a number in 0 .. 1)"),
    ("seeds=yes", "seeds: 'yes' is no count (3) and no list of whole numbers ([0, 1, 7])"),
    ("benchmarks.table1.recipe.epochs=0", "recipe.epochs is 0 (expected at least 1)"),
    ("defaults.recipe.epochs=x", "recipe.epochs is 'x' (expected a whole number)"),
    ("models=[a, a]", "row 'a' is given twice, first at --set models=[a, a] (expected a name of "
     "its own for each row (my-row: {model: NAME}))"),
    ("models=3", "models is 3 (expected a list of model names, or a mapping of rows)"),
    ("title=\x1b[1m\ud800", "this is not YAML: surrogates not allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "said"), REFUSED, ids=[ascii(o) for o, _ in REFUSED])
def test_what_cannot_be_set(refused, override, said):
    shown = override.replace("\x1b", "\\x1b").replace("\ud800", "\\ud800")
    assert refused(FILE, override) == [f"--set {shown}: {said}"]


def test_a_mistake_with_a_wrong_key_names_the_right_ones(refused):
    (said,) = refused(FILE, "recipe.epoch=3")
    assert said.startswith(
        "--set recipe.epoch=3: unknown key 'epoch' in recipe; did you mean 'epochs'?"
    )


def test_mistakes_of_the_file_are_told_too(refused):
    assert refused(FILE.replace("epochs: 8", "epochs: 0"), "seeds=0") == [
        "--set seeds=0: seeds: 0 seeds: a count of seeds lies in 1 .. 1000",
        "b.yaml:10:52: models.deep.recipe.epochs is 0 (expected at least 1)",
    ]


def test_a_mistake_that_is_overridden_is_gone(loaded, write):
    text = FILE.replace("epochs: 8", "epochs: 0")
    with pytest.raises(ConfigError):
        load(write(text))
    assert epochs(loaded(text, "recipe.epochs=1")["table1"]) == [1, 1]
