"""The plugins that docs/plugins.md prints are installed and used as it says."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "plugins.md"


@pytest.fixture(scope="module")
def examples():
    """File name -> text, of every block that the page marks as an example."""
    text = DOCS.read_text("utf-8")
    blocks = re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", text, re.DOTALL)
    return dict(blocks)


def install(project, site):
    """Put the package into ``site``: as a wheel where hatchling is here, else by hand."""
    site.mkdir()
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(site)],
        cwd=project,
        capture_output=True,
        check=False,
    )
    if built.returncode == 0:
        [wheel] = site.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(site)
        return
    settings = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = site / "harbench_tiny-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {settings['name']}\nVersion: {settings['version']}\n"
    )
    [(name, module)] = settings["entry-points"]["harbench"].items()
    (info / "entry_points.txt").write_text(f"[harbench]\n{name} = {module}\n")
    (site / f"{module}.py").write_bytes((project / f"{module}.py").read_bytes())


def test_model_package(child, examples, tmp_path, installed_environment):
    project = tmp_path / "tiny"
    project.mkdir()
    for name in ("pyproject.toml", "harbench_tiny.py"):
        (project / name).write_text(examples[f"tiny/{name}"])
    install(project, tmp_path / "site")
    paths = [str(tmp_path / "site"), installed_environment.get("PYTHONPATH", "")]
    listed = child("plugins", PYTHONPATH=":".join(filter(None, paths)))
    assert re.search(r"^tiny +harbench-tiny +0\.1\.0 +model tiny$", listed.stdout, re.MULTILINE)


def test_model_file_is_built(cli, examples, tmp_path):
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins" / "tiny.py").write_text(examples["tiny/harbench_tiny.py"])
    command = ["models", "show", "tiny", "--channels", 6, "--times", 50, "--classes", 7]
    ended = cli(*command)
    assert (ended.code, ended.err) == (0, "")
    # 6 * 5 * 32 + 32 and 32 * 7 + 7
    assert re.search(r"^parameters +1,223 ", ended.out, re.MULTILINE)
    assert f"harbench {' '.join(map(str, command))}" in DOCS.read_text("utf-8")


def test_model_is_as_short_as_promised(examples):
    code = [line for line in examples["tiny/harbench_tiny.py"].splitlines() if line.strip()]
    assert len(code) <= 25


def test_dataset_file(cli, examples, tmp_path):
    plugin = tmp_path / "csvset.py"
    plugin.write_text(examples["csvset.py"])
    assert "missing: no s*.csv in" in cli("--plugin", plugin, "datasets", "show", "csvset").out
    folder = tmp_path / "data" / "csvset"
    folder.mkdir(parents=True)
    for subject in (1, 2):
        (folder / f"s{subject:02d}.csv").write_text("x,y,z,label\n0.5,1,2,0\n3,4,nan,2\n")
    assert "ready: 2 files" in cli("--plugin", plugin, "datasets", "show", "csvset").out

    from harbench.plugins import load_plugins

    dataset = load_plugins([plugin]).datasets.get("csvset")
    recordings = [r for source in dataset.sources(folder) for r in dataset.read(source)]
    assert [r.subject for r in recordings] == ["s01", "s02"]
    expected = np.array([[0.5, 1, 2], [3, 4, np.nan]], dtype=np.float32)
    assert np.array_equal(recordings[0].signals, expected, equal_nan=True)
    assert recordings[0].labels["activity"].tolist() == [0, 2]


def test_every_hook_is_documented():
    from harbench import hookspecs

    text = DOCS.read_text("utf-8")
    hooks = [name for name in vars(hookspecs) if name.startswith("register_")]
    assert len(hooks) == 3
    assert all(f"`{hook}(register)`" in text for hook in hooks)
