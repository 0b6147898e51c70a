"""Where data lie, and that no name leads out of there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.data.folders import cache_root, data_root, dataset_folder
from harbench.errors import ConfigError


def test_environment_decides(monkeypatch, tmp_path):
    monkeypatch.setenv("HARBENCH_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "c"))
    assert data_root() == tmp_path / "d"
    assert cache_root() == tmp_path / "c"
    assert dataset_folder("opportunity") == tmp_path / "d" / "opportunity"


def test_home_and_relative_paths_become_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HARBENCH_DATA", "~/sets")
    assert data_root() == tmp_path / "sets"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARBENCH_DATA", "sets")
    assert data_root() == tmp_path / "sets"


def test_defaults_are_the_users_own_folders(monkeypatch):
    monkeypatch.delenv("HARBENCH_DATA", raising=False)
    monkeypatch.setenv("HARBENCH_CACHE", " ")
    assert data_root().is_absolute()
    assert data_root().name == "harbench"
    assert "harbench" in cache_root().parts
    assert data_root() != cache_root()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\\b", "a b", "-x", "a\n", "ä", "C:"]
)
def test_names_that_could_escape_are_refused(name):
    with pytest.raises(ConfigError, match="cannot be the name of a dataset"):
        dataset_folder(name)


@given(st.text(max_size=20))
def test_whatever_is_accepted_is_a_direct_child(name):
    try:
        folder = dataset_folder(name)
    except ConfigError:
        return
    assert folder.parent == data_root()
    assert Path(folder).resolve().parent == data_root().resolve()
