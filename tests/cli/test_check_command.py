"""``harbench check``: what is asked for, what is printed, and the exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harbench.cli import check as check_module
from harbench.cli.context import Settings, use
from harbench.errors import ConfigError

PLUGINS = Path(__file__).parents[1] / "broken_plugins"
LOADING = PLUGINS / "loading"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def check():
    import typer

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(check_module.check)

    def run(*arguments, plugins=("analyses.py",)):
        use(Settings(tuple(PLUGINS / plugin for plugin in plugins)))
        return CliRunner().invoke(app, list(arguments))

    yield run
    use(Settings())


def test_a_report_of_one_shows_every_check(check):
    done = check("sound-count")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("analysis sound-count (analyses (")
    assert "passed in " in lines[0]
    assert lines[0].endswith("15 passed, 1 skipped")
    rows = [line.split()[:2] for line in lines[1:] if not line.startswith("   ")]
    assert rows[:3] == [
        ["passed", "loads"],
        ["passed", "import-changes-nothing"],
        ["passed", "import-is-light"],
    ]


def test_of_several_only_what_is_wrong_is_shown(check):
    done = check("sound-count", "empty-table")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[-1] == "1 of 2 passed"
    assert [line.split()[0] for line in lines[:3]] == ["analysis", "analysis", "failed"]
    assert "table 'cells' is empty" in lines[2]
    assert lines[3].strip() == "expected: at least one row and one column"
    assert lines[4].strip().startswith("what to do: ")


def test_json_says_the_same(check):
    done = check("empty-table", "--json")
    assert done.exit_code == 1
    content = json.loads(done.stdout)
    assert content["passed"] is False
    [report] = content["reports"]
    assert (report["kind"], report["name"], report["passed"]) == ("analysis", "empty-table", False)
    assert [c["name"] for c in report["checks"] if c["outcome"] == "failed"] == ["tables"]
    keys = {"name", "asserts", "outcome", "found", "expected", "fix", "seconds"}
    assert all(set(c) == keys for c in report["checks"])


def test_a_plugin_that_cannot_be_loaded_is_a_failure(check):
    done = check("raises", plugins=["loading/raises.py"])
    assert done.exit_code == 1
    assert "plugin raises (raises (" in done.stdout
    assert "a_package_that_is_not_installed" in done.stdout


def test_two_plugins_with_one_name_are_a_failure(check):
    twins = ["loading/same_name_first.py", "loading/same_name_second.py"]
    for arguments in (["twin"], ["--all"]):
        done = check(*arguments, plugins=twins)
        assert done.exit_code == 1
        assert "model 'twin' is offered by two plugins" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "nothing is said to be checked"),
        (["sound-count", "--all"], "names and --all are two questions"),
        (["sound-count", "--kind", "models"], "no kind is called 'models'; did you mean 'model'"),
        (["sound-count", "--kind", "model"], "no model is called 'sound-count'"),
        (["sound-coumt"], "is called 'sound-coumt'; did you mean 'sound-count'"),
    ],
)
def test_bad_usage(check, arguments, what):
    done = check(*arguments)
    assert isinstance(done.exception, ConfigError)
    assert what in done.exception.what
    assert done.exception.exit_code == 2
