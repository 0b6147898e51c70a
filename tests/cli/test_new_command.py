"""``harbench new``: what it writes works as it stands, and it never writes over anything."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harbench.errors import ConfigError
from harbench.scaffold import KINDS, names_for, write_file, write_package

FILES = {
    ".github/workflows/test.yml",
    ".gitignore",
    "LICENSE",
    "README.md",
    "benchmarks.yaml",
    "harbench_my_net.py",
    "pyproject.toml",
    "tests/test_my_net.py",
}


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_package_is_written(cli, tmp_path, kind):
    ended = cli("new", kind, "My.Net", "--author", "Jo Doe")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("wrote harbench-my-net; next:\n  cd harbench-my-net\n  pip install")
    assert os.listdir(tmp_path) == ["harbench-my-net"]
    folder = tmp_path / "harbench-my-net"
    assert files_in(folder) == FILES
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "harbench-my-net"
    assert project["license"] == "MIT"
    assert project["entry-points"]["harbench"] == {"My.Net": "harbench_my_net"}
    licence = (folder / "LICENSE").read_text()
    assert licence.startswith("MIT License\n")
    assert re.search(r"^Copyright \(c\) 20\d\d Jo Doe$", licence, re.MULTILINE)
    # GitHub's own dollars survive, and nothing is left to fill in.
    assert "${{ matrix.python }}" in (folder / ".github/workflows/test.yml").read_text()
    for name in FILES:
        assert "${" not in (folder / name).read_text().replace("${{", ""), name


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_pleases_the_linters(tmp_path, kind):
    folder = write_package(names_for(kind, "my-net"), tmp_path)
    for command in (
        ["ruff", "check", "--isolated", "--line-length", "100", "."],
        ["ruff", "format", "--isolated", "--line-length", "100", "--check", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "name", "project", "module"),
    [
        ("my-net", "my-net", "harbench-my-net", "harbench_my_net"),
        ("MyNet2", "MyNet2", "harbench-mynet2", "harbench_mynet2"),
        ("harbench-my-net", "my-net", "harbench-my-net", "harbench_my_net"),
        ("Harbench_net", "net", "harbench-net", "harbench_net"),
        ("a._-b", "a._-b", "harbench-a-b", "harbench_a_b"),
        ("1d", "1d", "harbench-1d", "harbench_1d"),
        ("class", "class", "harbench-class", "harbench_class"),
    ],
)
def test_names(text, name, project, module):
    names = names_for("model", text)
    assert (names.name, names.project, names.module) == (name, project, module)
    assert names.module.isidentifier()


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("a b", "a-b"),
        ("../up", "up"),
        ("-x", "x"),
        ("x.", "x"),
        ("", "mine"),
        ("müsli", "m-sli"),
        ("x" * 61, "x" * 60),
        ("harbench-", "mine"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_a_command_that_works(text, better):
    with pytest.raises(ConfigError, match="cannot be the name of an analysis") as caught:
        names_for("analysis", text)
    assert caught.value.fix == f"harbench new analysis {better}"
    assert names_for("analysis", better).name == better


def test_nothing_is_written_over(cli, tmp_path):
    (tmp_path / "harbench-my-net").mkdir()
    (tmp_path / "harbench-my-net" / "kept").write_text("mine")
    ended = cli("new", "model", "my_net")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: harbench-my-net: there is something of that name already; nothing was written "
        "(expected a name or folder that is not taken)\n"
        "  try: harbench new model my_net --folder elsewhere\n"
    )
    assert files_in(tmp_path) == {"harbench-my-net/kept"}
    again = cli("new", "model", "my_net", "--folder", "else/where")
    assert again.code == 0
    assert files_in(tmp_path / "else/where/harbench-my-net") == FILES


def test_a_link_that_leads_nowhere_is_something_too(tmp_path):
    (tmp_path / "harbench-x").symlink_to(tmp_path / "absent")
    with pytest.raises(ConfigError, match="something of that name already"):
        write_package(names_for("model", "x"), tmp_path)
    assert os.listdir(tmp_path) == ["harbench-x"]


@pytest.mark.parametrize("write", [write_package, write_file])
def test_a_disk_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, write):
    written, write_text = [], Path.write_text

    def fail_at_the_third(path, text, **options):
        written.append(path)
        if len(written) == 3 or write is write_file:
            write_text(path, text[:10])
            raise OSError(28, "No space left on device")
        return write_text(path, text, **options)

    monkeypatch.setattr(Path, "write_text", fail_at_the_third)
    with pytest.raises(ConfigError, match=r"cannot be written \(No space left on device\)"):
        write(names_for("model", "x"), tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("author", ['Jo "Joe" Doe', "a\\b", "two\nlines"])
def test_an_author_that_would_break_the_files(tmp_path, author):
    with pytest.raises(ConfigError, match="cannot stand in a licence"):
        write_package(names_for("model", "x"), tmp_path, author)
    assert os.listdir(tmp_path) == []


def test_names_that_are_taken_are_refused(cli, tmp_path):
    cli.install("spar", "harbench_datasets.spar")
    ended = cli("new", "dataset", "spar")
    assert (ended.code, ended.err.splitlines()[0]) == (
        2,
        "error: NAME: dataset 'spar' is there already, offered by spar (harbench 9.9) (expected a "
        "name that harbench plugins does not list)",
    )
    assert "the Python module harbench_datasets is installed already" in (
        cli("new", "model", "datasets").err
    )
    assert cli("new", "model", "spar").code == 0
    assert os.listdir(tmp_path) == ["harbench-spar"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_for_a_quick_try(cli, tmp_path, kind):
    ended = cli("new", kind, "quick-1", "--file")
    assert (ended.code, ended.out) == (
        0, "wrote harbench_plugins/quick_1.py; next:\n  harbench check quick-1\n"
    )  # fmt: skip
    assert files_in(tmp_path) == {"harbench_plugins/quick_1.py"}
    listed = cli("plugins").out
    assert re.search(rf"^quick_1 +harbench_plugins/quick_1\.py +{kind} quick-1", listed, re.M)
    assert "is there already" in cli("new", kind, "quick-1", "--file").err
    # Another kind of plugin of that name would be the same file.
    other = next(another for another in KINDS if another != kind)
    assert "there is something of that name already" in cli("new", other, "quick-1", "--file").err
    elsewhere = cli("new", kind, "another", "--file", "--folder", "here")
    assert elsewhere.out == (
        "wrote here/another.py; next:\n  harbench --plugin here/another.py check another\n"
    )


def test_it_imports_no_torch(child):
    code = (
        "import sys\nfrom harbench.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([m for m in ('torch', 'pandas', 'scipy', 'sklearn') if m in sys.modules])"
    )
    assert child("new", "model", "fast", code=code).stdout.endswith("\n[]\n")


def test_usage(cli):
    assert "is not one of 'model', 'dataset', 'analysis'" in cli("new", "network", "x").err
    assert cli("new", "model").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_packages_own_tests_pass(tmp_path, installed_environment, kind):
    """As its CI runs them: the conformance suite, and what the template promises."""
    names = names_for(kind, "my-own")
    folder = write_package(names, tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = tmp_path / "site" / "harbench_my_own-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
        f"License-Expression: {project['license']}\n"
    )
    [(name, module)] = project["entry-points"]["harbench"].items()
    (info / "entry_points.txt").write_text(f"[harbench]\n{name} = {module}\n")
    paths = [str(tmp_path / "site"), str(folder), installed_environment.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={
            **installed_environment,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTEST_ADDOPTS": "",
            "HARBENCH_CACHE": str(tmp_path / "cache"),
            "HARBENCH_DATA": str(tmp_path / "data"),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d\d+ passed", done.stdout.splitlines()[-1]), done.stdout
