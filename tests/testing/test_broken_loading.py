"""Plugins that cannot be loaded, or do what they should not while they are."""

import os
from functools import partial
from pathlib import Path

import pytest
from test_broken_models import assert_found

from harbench.errors import ConfigError
from harbench.plugins import load_plugins
from harbench.testing import check_analysis, check_model
from harbench.testing.checking import find
from harbench.testing.global_state import settings_kept

LOADING = Path(__file__).parents[1] / "broken_plugins" / "loading"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "No module named 'a_package_that_is_not_installed'"),
        ("ends_the_program", "SystemExit: 3"),
        ("offers_nothing", "it has no function marked @harbench.hookimpl"),
        ("registers_a_class", "register_models is given the class Model"),
    ],
)
def test_a_plugin_that_cannot_be_loaded(name, reason):
    found = check_model(name, files=[LOADING / f"{name}.py"])
    [result] = found.results
    assert (found.kind, found.name, found.passed) == ("plugin", name, False)
    assert (result.name, result.outcome) == ("loads", "failed")
    assert reason in result.found
    assert result.fix


def test_two_plugins_with_one_name():
    files = [LOADING / "same_name_first.py", LOADING / "same_name_second.py"]
    [result] = check_model("twin", files=files).results
    assert (result.name, result.outcome) == ("one-name", "failed")
    assert "model 'twin' is offered by two plugins, same_name_first (" in result.found
    assert "same_name_second (" in result.found
    [item] = find("twin", "model", partial(load_plugins, files[:1]))
    assert item.broken is None


def test_nothing_is_called_so():
    with pytest.raises(ConfigError, match="no model is called 'twinn'; did you mean 'twin'"):
        check_model("twinn", files=[LOADING / "same_name_first.py"])


def of_import(name, kind="model"):
    """The two checks of importing; whatever loading it here changes is put back."""
    import torch  # noqa: F401 - so that its settings are put back too

    paths = (LOADING / f"{name.replace('-', '_')}.py",)
    with settings_kept():
        [item] = find(name, kind, partial(load_plugins, paths), paths)
        subject = item.subject()
        return [check(subject) for check in item.checks() if check.name.startswith("import")]


@pytest.mark.usefixtures("environment_kept")
def test_importing_changes_generators_and_the_environment():
    assert_found(
        of_import("seeds-at-import"),
        {
            "import-changes-nothing": "importing it changes random, numpy.random, the environment "
            "variable BROKEN_PLUGIN"
        },
        "all",
    )


@pytest.fixture
def environment_kept():
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
def test_importing_imports_torch_and_sets_it():
    assert_found(
        of_import("imports-torch"),
        {
            "import-changes-nothing": r"torch.set_default_dtype\(torch.float32 -> torch.float64\)",
            "~import-is-light": "importing it imports torch",
        },
        "all",
    )


def test_importing_prints():
    assert_found(
        of_import("prints", "analysis"),
        {"~import-is-light": "importing it prints 'thank you for using prints'"},
        "all",
    )


def test_what_is_handed_in_needs_no_plugin():
    from harbench import Analysis, AnalysisResult

    found = check_analysis(Analysis("mine", "counts", lambda cells: AnalysisResult({})))
    assert found.plugin == "handed in, not registered"
    assert [r.name for r in found.with_outcome("failed")] == ["tables"]
