import textwrap

import pytest

from harbench.config import load
from harbench.errors import ConfigError
from harbench.nouns import Recipe
from harbench.plan import keys, plan
from harbench.plan.keys import harbench_digest, key_of, source_digest
from harbench.plugins import load_plugins
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, Workplace


def planned(workplace: Workplace, text: str):
    (benchmark,) = workplace.benchmarks(text)
    return plan(benchmark, workplace.registry)


BASE = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {split: loso, window: 1 s}
    seeds: 2
    models:
      small:
      wide: {model: small, options: {hidden: 16}, window: 12, step: 6}
"""


def test_every_model_fold_and_seed_is_a_cell(workplace):
    found = planned(workplace, BASE)
    assert found.missing is None
    assert [row.name for row in found.rows] == ["small", "wide"]
    assert [len(row.cells) for row in found.rows] == [8, 8]
    small, wide = found.rows
    assert (small.length, small.step, wide.length, wide.step) == (20, 10, 12, 6)
    assert wide.options == {"hidden": 16}
    assert small.options == {"hidden": 8}
    assert [f.name for f in small.folds] == ["s1", "s2", "s3", "s4"]
    # 600 samples a recording: (600 - 20) // 10 + 1 = 59 windows.
    assert small.folds[0].windows == {"train": 4 * 59, "validation": 2 * 59, "test": 2 * 59}
    assert sum(small.folds[0].support) == 2 * 59
    assert len({cell.key for cell in found.cells}) == 16


def keys_of(found):
    return {(cell.row, cell.fold, cell.seed): cell.key for cell in found.cells}


def test_what_does_not_matter_changes_no_key(workplace):
    before = keys_of(planned(workplace, BASE))
    other = """
    benchmarks:
      renamed:
        title: Another title
        models:
          - wide: {step: 6, window: 600 ms, options: {hidden: 16}, model: small}
          - broken
          - small: {recipe: {epochs: 6}}
        seeds: [1, 0]
        protocol: {window: 20, split: {kind: leave-one-out, validation: 1}}
        path: files
        dataset: toy
    """
    after = keys_of(planned(workplace, other))
    assert {place: after[place] for place in before} == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("window: 1 s", "window: 19"),
        ("window: 1 s", "window: 1 s, step: 9"),
        ("window: 1 s", "window: 1 s, label: last"),
        ("window: 1 s", "window: 1 s, fill: linear"),
        ("window: 1 s", "window: 1 s, normalise: min-max"),
        ("window: 1 s", "window: 1 s, null: drop"),
        ("window: 1 s", "window: 1 s, channels: [ACC x]"),
        ("window: 1 s", "window: 1 s, task: any"),
        ("split: loso", "split: {kind: leave-one-out, validation: 2}"),
        ("seeds: 2", "seeds: 2\n    recipe: {epochs: 7}"),
        ("      small:", "      small: {options: {hidden: 9}}"),
    ],
)
def test_what_matters_changes_the_keys(workplace, old, new):
    assert old in BASE
    before, after = (keys_of(planned(workplace, text)) for text in (BASE, BASE.replace(old, new)))
    changed = {place for place in before if place[0] == "small"}
    assert all(before[place] != after[place] for place in changed)


def test_other_data_changes_the_keys(workplace):
    before = keys_of(planned(workplace, BASE))
    write_toy_files(workplace.folder / "files", seed=1)
    after = keys_of(planned(workplace, BASE))
    assert not set(before.values()) & set(after.values())


def test_one_changed_character_of_a_models_source_changes_its_keys_alone(workplace, tmp_path):
    text = TOY_PLUGIN.read_text()
    mine = tmp_path / "mine.py"
    mine.write_text(
        textwrap.dedent("""
        import harbench

        def build(n_channels, n_times, n_classes):
            from torch import nn
            return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))

        @harbench.hookimpl
        def register_models(register):
            register(harbench.Model("mine", "", build, harbench.Recipe(), harbench.Citation("me")))
    """)
    )
    both = BASE + "      mine:\n"
    (benchmark,) = workplace.benchmarks(both)

    def now():
        keys._read.cache_clear()
        return keys_of(plan(benchmark, load_plugins([TOY_PLUGIN, mine])))

    before = now()
    mine.write_text(mine.read_text() + "#")
    after = now()
    assert {place[0] for place in before if before[place] != after[place]} == {"mine"}
    assert text == TOY_PLUGIN.read_text()


def test_where_a_plugin_file_lies_changes_no_key(workplace, tmp_path):
    (benchmark,) = workplace.benchmarks(BASE)
    moved = tmp_path / "elsewhere" / TOY_PLUGIN.name
    moved.parent.mkdir()
    moved.write_bytes(TOY_PLUGIN.read_bytes())
    there = plan(benchmark, load_plugins([moved]))
    assert keys_of(there) == keys_of(plan(benchmark, workplace.registry))


def test_what_a_builder_imports_of_its_package_is_part_of_its_source(tmp_path, monkeypatch):
    package = tmp_path / "lab_nets"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text(
        "from lab_nets.layers import layer\nfrom . import other\nimport json\n"
        "def build(a, b, c): return layer\n"
    )
    (package / "layers.py").write_text("layer = 1\n")
    (package / "other.py").write_text("x = 1\n")
    (package / "unrelated.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    from lab_nets.net import build

    def now():
        keys._read.cache_clear()
        return source_digest(build)

    first = now()
    (package / "unrelated.py").write_text("x = 2\n")
    assert now() == first
    for name in ("layers.py", "other.py", "net.py"):
        (package / name).write_text((package / name).read_text() + "\n")
        assert now() != first, name
        first = now()


def test_comments_and_docstrings_of_harbench_are_no_part_of_a_key(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").write_text("")
    room = tmp_path / "training"
    room.mkdir()
    monkeypatch.setattr(keys.harbench, "__file__", str(tmp_path / "__init__.py"))

    def digest(text):
        (room / "loop.py").write_text(text)
        harbench_digest.cache_clear()
        return harbench_digest(("training",))

    one = digest('def f(x):\n    """One."""\n    return x + 1\n')
    assert digest('def f(x):  # why\n    """Two."""\n\n    return (x + 1)\n') == one
    assert digest("def f(x):\n    return x + 2\n") != one
    harbench_digest.cache_clear()


def test_a_key_does_not_depend_on_the_order_of_a_mapping():
    assert key_of({"a": 1, "b": [1, 2]}) == key_of({"b": [1, 2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dataset: toy", "dataset: toi", "no dataset is called 'toi'; did you mean 'toy'"),
        ("split: loso", "split: lozo", "no split 'lozo'; did you mean 'loso'"),
        ("split: loso", "split: loso, task: walking", "no task 'walking'"),
        ("split: loso", "split: loso, channels: [ACC w]", "no channel 'ACC w'"),
        ("      small:", "      smal:", "no model is called 'smal'; did you mean 'small'"),
        ("hidden: 16", "hiden: 16", "no option 'hiden'; did you mean 'hidden'"),
        ("window: 12, step: 6", "window: 2, step: 1", "windows of 2 samples .expected at least 3"),
        ("window: 12, step: 6", "window: 1 ms", "less than one sample"),
        ("      small:", "      broken: {window: paper}", "states no window"),
    ],
)
def test_settings_that_cannot_be(workplace, old, new, message):
    assert old in BASE
    with pytest.raises(ConfigError, match=message):
        planned(workplace, BASE.replace(old, new, 1))


def test_the_papers_window(workplace):
    found = planned(workplace, BASE.replace("window: 1 s", "window: paper"))
    assert (found.rows[0].length, found.rows[0].step) == (10, 5)


def test_without_the_data_there_are_rows_but_no_cells(workplace):
    found = planned(workplace, BASE.replace("path: files", "path: nowhere"))
    assert found.missing is not None
    assert found.missing.fix == "harbench datasets fetch toy"
    assert [len(row.cells) for row in found.rows] == [0, 0]
    assert [row.n_channels for row in found.rows] == [3, 3]
    with pytest.raises(ConfigError, match="no model is called 'smal'"):
        planned(workplace, BASE.replace("path: files", "path: nowhere").replace("small:", "smal:"))


def test_load_is_given_a_path(workplace):
    path = workplace.folder / "b.yaml"
    path.write_text(BASE)
    assert load(path).names == ("toy",)


LATER = """
    benchmarks:
      toys:
        dataset: toy
        path: files
        protocol: {{window: 20, step: 10}}
        seeds: 1
        models:
          - small
          - the-same: {{model: small, recipe: {{{key}: {usual}}}}}
          - other: {{model: small, recipe: {{{key}: {other}}}}}
"""


@pytest.mark.parametrize(
    ("key", "usual", "other"),
    [("precision", "float32", "bf16"), ("algorithms", "deterministic", "fast")],
)
def test_a_key_of_a_recipe_that_came_later_is_named_where_it_is_not_the_usual(
    workplace, key, usual, other
):
    (benchmark,) = workplace.benchmarks(LATER.format(key=key, usual=usual, other=other))
    small, same, changed = plan(benchmark, workplace.registry).cells
    assert small.key == same.key != changed.key
    assert key not in small.content["recipe"]
    assert changed.content["recipe"][key] == other
    # What a record keeps is a recipe again.
    for cell in (small, changed):
        assert Recipe.model_validate(cell.content["recipe"]) == cell.recipe
