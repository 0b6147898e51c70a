"""``datasets``, ``models``, ``plugins``: what they list and show, and what they say when wrong."""

import pytest

PLUGIN = """
from harbench import (
    Analysis, Channel, Citation, DataError, DataMissingError, Dataset, Model, Recipe, Task,
    hookimpl,
)
from harbench.nouns import FixedSplit

def missing(folder):
    raise DataMissingError("gone.csv is not here", fix="harbench datasets fetch gone")

def wrong(folder):
    raise ValueError("no idea")

def refused(folder):
    raise DataError("these files are simulated")

def dataset(name, sources, **more):
    return Dataset(
        name=name, title=f"The {name} recordings", rate_hz=12.5,
        channels=(
            Channel("hand x", "glove", "right hand", "accelerometer", "x", "g", 1),
            Channel("hand y", "glove", "right hand", "accelerometer", "y", "g", 2),
            Channel("turn", "glove", "right hand", "gyroscope", "x", "rad/s", 3),
        ),
        tasks=(Task("gestures", ("nothing", "wave"), 0), Task("mood", ("glad", "sad", "calm"))),
        splits={"first": FixedSplit(train=("a*",), test=("b",))},
        citation=Citation("A. Author (2020).", doi="10.1/x", url="https://example.org"),
        licence="CC0", sources=sources, read=list, notes=("Handle with care.",), **more)

def build(n_channels, n_times, n_classes, *, width: int = 8):
    from torch import nn
    return nn.Sequential(nn.Conv1d(n_channels, width, 3), nn.ReLU(), nn.Flatten(),
                         nn.Linear(width * (n_times - 2), n_classes))

@hookimpl
def register_datasets(register):
    register(dataset("gone", missing))
    register(dataset("odd", wrong))
    register(dataset("sham", refused))
    register(dataset("fake", lambda folder: [], simulates="gone"))

@hookimpl
def register_models(register):
    register(Model("narrow", "One convolution.", build, Recipe(epochs=7), Citation("B. (2021)."),
                   min_times=3, window=10, notes=("Small.",)))

@hookimpl
def register_analyses(register):
    register(Analysis("count", "Counts cells.", lambda cells: {}))
"""


@pytest.fixture
def mine(cli, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return lambda *arguments: cli("--plugin", path, *arguments)


def columns(text):
    """First word of each line -> the line's words."""
    return {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}


def test_datasets_lists_what_is_here_and_what_is_missing(mine, cli, tmp_path):
    cli.install("spar", "harbench_datasets.spar")
    ended = mine("datasets")
    assert (ended.code, ended.err) == (0, "")
    rows = columns(ended.out)
    assert list(rows) == ["dataset", "spar", "gone", "odd", "sham", "fake"]
    assert rows["spar"][1:6] == ["ready", "50", "6", "exercise", "(7)"]
    assert rows["gone"][1:4] == ["missing", "12.5", "3"]
    assert rows["odd"][1] == "fault"  # one dataset's fault does not hide the others
    assert rows["sham"][1] == "wrong"
    assert "harbench 9.9" in ended.out
    assert str(tmp_path / "mine.py") in ended.out


def test_piped_output_is_plain_and_one_line_a_row(mine):
    for arguments in (["datasets"], ["models"], ["plugins"], ["datasets", "show", "gone"]):
        ended = mine(*arguments)
        assert "\x1b" not in ended.out
        assert all(line == line.rstrip() for line in ended.out.splitlines())
    assert len(mine("datasets").out.splitlines()) == 5


def test_columns_variable_is_obeyed(mine, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = mine("datasets").out.splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) > 5


def test_dataset_is_shown_with_all_that_a_user_needs(mine, tmp_path):
    out = mine("datasets", "show", "gone").out
    for text in (
        "missing: gone.csv is not here",
        "try: harbench datasets fetch gone",
        str(tmp_path / "data" / "gone"),
        "CC0",
        "A. Author (2020).",
        "https://doi.org/10.1/x",
        "glove (right hand): accelerometer 2, gyroscope 1",
        "gestures: 2 classes, NULL is 'nothing': nothing, wave",
        "mood: 3 classes, no NULL class: glad, sad, calm",
        "first: fixed: train a*; test b",
        "Handle with care.",
    ):
        assert text in out
    assert "hand x" not in out
    assert "SIMULATED" not in out


def test_channels_are_listed_on_demand(mine):
    out = mine("datasets", "show", "gone", "--channels").out
    last = [line.split() for line in out.splitlines()[-3:]]
    assert last[0] == ["1", "hand", "x", "glove", "right", "hand", "accelerometer", "x", "g"]
    assert last[2][-1] == "rad/s"


def test_simulated_dataset_says_so(mine):
    assert "imitates gone" in mine("datasets", "show", "fake").out


def test_fault_of_a_dataset_is_shown(mine):
    assert "fault: ValueError: no idea" in mine("datasets", "show", "odd").out
    assert "wrong: these files are simulated" in mine("datasets", "show", "sham").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["datasets", "show", "gon"], "no dataset is called 'gon'; did you mean 'gone'?"),
        (["datasets", "fetch", "oppo"], "no dataset is called 'oppo'"),
        (["models", "show", "Narow"], "no model is called 'Narow'; did you mean 'narrow'?"),
        (["plugins", "show", "mime"], "no plugin is called 'mime'; did you mean 'mine'?"),
    ],
)
def test_unknown_names_suggest_the_nearest(mine, arguments, sentence):
    ended = mine(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {sentence}")
    assert "try: harbench plugins" in ended.err


def test_models_lists(mine):
    rows = columns(mine("models").out)
    assert rows["narrow"][:4] == ["narrow", "network", "10", "3"]
    assert rows["narrow"][-2:] == ["One", "convolution."]


def test_model_is_built_and_its_layers_counted(mine):
    out = mine("models", "show", "narrow", "--channels", 5, "--classes", 4).out
    assert "built for 5 channels, 10 samples, 4 classes" in out
    rows = columns(out.split("built for")[1])
    assert rows["0"][-4:] == ["8", "x", "8", "128"]  # 5 * 3 * 8 + 8
    assert rows["1"][-1] == "0"
    assert rows["3"][-2:] == ["4", "260"]  # 64 * 4 + 4
    assert rows["parameters"][1] == "388"
    assert rows["MACs"][1] == "1,216"  # 8 * 8 * 15 + 64 * 4
    assert "width: 8" in out
    assert "epochs: 7" in out
    assert "B. (2021)." in out
    assert "ms a window" in out


def test_published_numbers_stand_with_their_defects(cli):
    cli.install("yang", "harbench_models.yang2015")
    out = cli("models", "show", "yang2015", "--channels", 3).out
    assert "parameters 0.912M*" in out
    assert "defect of parameters: The network has 924,378." in out


def test_window_that_is_too_short_is_refused(cli):
    cli.install("yang", "harbench_models.yang2015")
    ended = cli("models", "show", "yang2015", "--times", 10)
    assert ended.code == 2
    assert "10 samples" in ended.err


def test_plugins_lists_what_each_offers_and_what_is_broken(mine, cli, tmp_path):
    cli.install("spar", "harbench_datasets.spar")
    cli.install("lost", "no_such_module_xyz")
    ended = mine("plugins")
    assert (ended.code, ended.err) == (0, "")
    rows = columns(ended.out)
    assert rows["spar"] == ["spar", "harbench", "9.9", "dataset", "spar"]
    assert (
        "dataset gone, dataset odd, dataset sham, dataset fake, model narrow, analysis count"
        in ended.out
    )
    assert "cannot be loaded" in ended.out
    assert "ModuleNotFoundError: No module named 'no_such_module_xyz'" in ended.out


def test_plugin_is_shown(mine, cli, tmp_path):
    cli.install("lost", "no_such_module_xyz")
    out = mine("plugins", "show", "mine").out
    assert str(tmp_path / "mine.py") in out
    assert "gone: The gone recordings" in out
    assert "narrow: One convolution." in out
    out = mine("plugins", "show", "lost").out
    assert "harbench 9.9" in out
    assert "no_such_module_xyz" in out


def test_broken_plugin_is_a_warning_with_name_version_and_reason(mine, cli):
    cli.install("lost", "no_such_module_xyz")
    ended = mine("datasets")
    assert ended.code == 0
    assert "gone" in ended.out
    assert ended.err == (
        "warning: plugin lost (harbench 9.9) cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module_xyz'\n"
    )


def test_strict_plugins_makes_it_an_error(mine, cli):
    cli.install("lost", "no_such_module_xyz")
    ended = mine("--strict-plugins", "datasets")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: plugin lost (harbench 9.9) cannot be loaded: ")


def test_two_plugins_with_one_name_are_an_error(mine, cli, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(PLUGIN)
    ended = mine("--plugin", other, "datasets")
    assert ended.code == 2
    assert "dataset 'gone' is offered by two plugins, mine (" in ended.err
    assert "other.py" in ended.err


def test_names_are_completed(mine, tmp_path):
    from harbench.cli.context import names_of

    mine("models")
    assert names_of("datasets")("o") == ["odd"]
    assert names_of("models")("") == ["narrow"]
    assert names_of("nonsense")("") == []


def test_completion_of_the_shell_works(child, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins" / "mine.py").write_text(PLUGIN)
    ended = child(
        _HARBENCH_COMPLETE="complete_bash", COMP_WORDS="harbench datasets show go", COMP_CWORD="3"
    )
    assert ended.stdout.split() == ["gone"]


def test_spar_is_shown(cli):
    cli.install("spar", "harbench_datasets.spar")
    out = cli("datasets", "show", "spar").out
    assert "ready: 1 file" in out
    assert "smartwatch (wrist): accelerometer 3, gyroscope 3" in out
    assert "arXiv 1802.01489" in out


def test_a_leaky_split_is_marked_where_it_is_shown(cli):
    cli.install("spar", "harbench_datasets.spar")
    (line,) = [x for x in cli("datasets", "show", "spar").out.splitlines() if "random-w" in x][:1]
    assert "LEAKY where windows overlap" in line
