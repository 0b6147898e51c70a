"""Plugins: each way to fail gives a reason, and the others load all the same."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import harbench.plugins
from harbench.errors import ConfigError, PluginError
from harbench.plugins import Registry, load_plugins

ANALYSIS = """
from harbench import Analysis, hookimpl

@hookimpl
def register_analyses(register):
    register(Analysis("{name}", "Counts cells.", lambda cells: {{}}))
"""


class Dist:
    def __init__(self, name, version):
        self.name, self.version = name, version


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Installs modules: ``installed(name=source, ...)`` makes each an entry point of its own."""
    monkeypatch.chdir(tmp_path)
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    points = []

    def install(**sources):
        for name, source in sources.items():
            module = f"plug_{name}_{len(points)}"
            if source is not None:
                (site / f"{module}.py").write_text(source)
            point = EntryPoint(name, module, "harbench")
            vars(point)["dist"] = Dist(f"dist-{name}", "1.2")
            points.append(point)
        return points

    monkeypatch.setattr(harbench.plugins, "entry_points", lambda group: list(points))
    yield install
    for point in points:
        sys.modules.pop(point.value, None)


def names(registry: Registry) -> list[str]:
    return [analysis.name for analysis in registry.analyses]


def only_reason(registry: Registry) -> str:
    [broken] = registry.broken
    return broken.reason


def test_good_plugin_is_loaded_with_its_origin(installed):
    installed(good=ANALYSIS.format(name="count"))
    registry = load_plugins()
    assert names(registry) == ["count"]
    [origin] = registry.loaded
    assert str(origin) == "good (dist-good 1.2)"
    assert registry.analyses.origin("count") == origin
    assert registry.names_of(origin) == {"analysis": ["count"]}
    assert registry.broken == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module_xyz", "ModuleNotFoundError: No module named 'no_such_module_xyz'"),
        (None, "ModuleNotFoundError: No module named 'plug_bad_1'"),
        ("def f(:", "SyntaxError: "),
        ("raise SystemExit(3)", "it ends the program while loading (SystemExit: 3)"),
        ("raise SystemExit", "it ends the program while loading (SystemExit: no code)"),
        ("raise AssertionError", "AssertionError"),
        ("x = 1", "it has no function marked @harbench.hookimpl"),
        (
            "from harbench import hookimpl\n@hookimpl\ndef register_model(register): ...",
            "PluginValidationError: unknown hook 'register_model'",
        ),
        (
            "from harbench import hookimpl\n@hookimpl\ndef register_models(registrar): ...",
            "PluginValidationError: ",
        ),
        (
            "from harbench import HarbenchError, hookimpl\n@hookimpl\n"
            "def register_models(register): raise HarbenchError('no licence')",
            "HarbenchError: no licence",
        ),
    ],
)
def test_broken_plugin_gives_its_reason_and_others_load(installed, source, reason):
    installed(another=ANALYSIS.format(name="count"), bad=source)
    registry = load_plugins()
    assert names(registry) == ["count"]
    [broken] = registry.broken
    assert reason in broken.reason
    assert "\n" not in broken.reason
    assert str(broken).startswith("plugin bad (dist-bad 1.2) cannot be loaded: ")


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        ("'resnet'", "register_analyses is given a str, not a harbench.Analysis"),
        ("Analysis", "register_analyses is given the class Analysis, not"),
        ("None", "register_analyses is given a NoneType, not"),
        ("Citation('x')", "register_analyses is given a Citation, not"),
        ("Analysis('../up', '', len)", "register_analyses is given the name '../up'; a name has"),
        ("Analysis('', '', len)", "the name ''"),
        ("Analysis(7, '', len)", "the name 7"),
    ],
)
def test_what_is_registered_must_be_a_noun_with_a_name(installed, thing, reason):
    source = f"from harbench import Citation\n{ANALYSIS.format(name='first')}"
    installed(bad=f"{source}    register({thing})")
    registry = load_plugins()
    assert reason in only_reason(registry)
    assert names(registry) == []


def test_half_registered_plugin_is_rolled_back(installed):
    installed(
        bad=ANALYSIS.format(name="half") + "    raise RuntimeError('disk on fire')",
        good=ANALYSIS.format(name="whole"),
    )
    registry = load_plugins()
    assert names(registry) == ["whole"]
    assert "half" not in registry.analyses
    assert only_reason(registry) == "RuntimeError: disk on fire"


def test_two_plugins_of_one_name_are_both_named(installed):
    installed(a=ANALYSIS.format(name="count"), b=ANALYSIS.format(name="count"))
    with pytest.raises(PluginError) as caught:
        load_plugins()
    assert str(caught.value) == (
        "analysis 'count' is offered by two plugins, a (dist-a 1.2) and b (dist-b 1.2) "
        "(expected one plugin for each name)"
    )


def test_one_plugin_with_one_name_twice_is_broken_not_fatal(installed):
    twice = ANALYSIS.format(name="count") + "    register(Analysis('count', '', len))"
    installed(a=twice, b=ANALYSIS.format(name="other"))
    registry = load_plugins()
    assert only_reason(registry) == "it registers two analyses named 'count'"
    assert names(registry) == ["other"]


def test_strict_raises_the_reason(installed):
    installed(bad="1 / 0", good=ANALYSIS.format(name="count"))
    with pytest.raises(PluginError) as caught:
        load_plugins(strict=True)
    assert str(caught.value) == (
        "plugin bad (dist-bad 1.2) cannot be loaded: ZeroDivisionError: division by zero"
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_entry_point_listed_twice_is_one_plugin(installed):
    points = installed(good=ANALYSIS.format(name="count"))
    points.append(points[0])
    registry = load_plugins()
    assert names(registry) == ["count"]
    assert len(registry.loaded) == 1


def test_files_given_and_files_in_the_folder(installed, tmp_path):
    installed()
    folder = tmp_path / "harbench_plugins"
    folder.mkdir()
    (folder / "mine.py").write_text(ANALYSIS.format(name="from-folder"))
    (folder / "broken.py").write_text("import no_such_module_xyz")
    (folder / "notes.txt").write_text("not a plugin")
    given = tmp_path / "other.py"
    given.write_text(ANALYSIS.format(name="from-option"))
    registry = load_plugins([given, Path("harbench_plugins/mine.py")])
    assert names(registry) == ["from-folder", "from-option"]
    assert only_reason(registry).startswith("ModuleNotFoundError")
    assert registry.analyses.origin("from-option").distribution == str(given)


def test_two_files_of_one_name_are_two_plugins(installed, tmp_path):
    installed()
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "mine.py"
        path.write_text(ANALYSIS.format(name=f"count-{name}"))
        paths.append(path)
    registry = load_plugins(paths)
    assert names(registry) == ["count-a", "count-b"]
    runs = [analysis.run.__module__ for analysis in registry.analyses]
    assert len(set(runs)) == 2
    assert all(module in sys.modules for module in runs)


def test_same_file_can_be_loaded_again(installed, tmp_path):
    installed()
    path = tmp_path / "mine.py"
    path.write_text(ANALYSIS.format(name="one"))
    assert names(load_plugins([path])) == ["one"]
    path.write_text(ANALYSIS.format(name="second"))
    assert names(load_plugins([path])) == ["second"]


def test_what_runs_is_what_stands_in_the_file(installed, tmp_path, monkeypatch):
    """Of the same length and time as before: compiled code of before would count as its own."""
    installed()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "mine.py"
    for name in ("one", "two"):
        path.write_text(ANALYSIS.format(name=name))
        os.utime(path, (1e9, 1e9))
        assert names(load_plugins([path])) == [name]
    assert not list(tmp_path.glob("__pycache__"))


@pytest.mark.parametrize("path", ["nothing.py", "."])
def test_file_that_is_none_is_an_error_even_when_not_strict(installed, path):
    installed()
    with pytest.raises(PluginError, match="there is no plugin file") as caught:
        load_plugins([Path(path)])
    assert caught.value.where == "--plugin"


def test_file_that_is_not_python(installed, tmp_path):
    installed()
    path = tmp_path / "plugin.txt"
    path.write_text(ANALYSIS.format(name="one"))
    assert "it is not a Python file" in only_reason(load_plugins([path]))


def test_failed_file_leaves_no_module_behind(installed, tmp_path):
    installed()
    path = tmp_path / "half_done.py"
    path.write_text("x = 1\n1 / 0")
    load_plugins([path])
    assert "harbench_file_half_done" not in sys.modules


def test_prints_of_a_plugin_go_to_stderr(installed, capsys):
    installed(chatty="print('welcome')\n" + ANALYSIS.format(name="count") + "    print('done')")
    assert names(load_plugins()) == ["count"]
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "welcome\ndone\n"


def test_unknown_name_suggests_the_nearest(installed):
    installed(a=ANALYSIS.format(name="confusion"))
    registry = load_plugins()
    assert registry.analyses.get("confusion").name == "confusion"
    with pytest.raises(ConfigError) as caught:
        registry.analyses.get("confusoin", where="benchmarks.yaml:3:5")
    assert str(caught.value).splitlines()[0] == (
        "benchmarks.yaml:3:5: no analysis is called 'confusoin'; did you mean 'confusion'? "
        "(expected one of confusion)"
    )
    with pytest.raises(ConfigError, match="none registered"):
        registry.models.get("x")


def test_importing_the_loader_imports_nothing_heavy():
    code = (
        "import sys, harbench.plugins\n"
        "print([m for m in ('torch', 'pandas', 'scipy', 'sklearn', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
