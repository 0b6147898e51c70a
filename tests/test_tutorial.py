"""docs/tutorial.md, run as it is printed: an empty folder, a new virtual environment, a row."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def copy_of_the_project(folder):
    """All that the page's ``$HARBENCH`` must hold."""
    folder.mkdir()
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder)
    for name in ("harbench", "plugins"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def bytes_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_goes_through_all_steps_in_order():
    text = "".join(BLOCKS)
    steps = (
        "python3 -m venv", 'pip install -c "$HARBENCH/constraints.txt" "$HARBENCH"',
        "harbench new model", "cat > harbench_my_net.py", "-e '.[test]'", "harbench check",
        "harbench run",
    )  # fmt: skip
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.slow
def test_from_an_empty_folder_to_a_row_in_the_table(tmp_path):
    """Nothing that is installed here is seen by the new environment, nothing of ours is edited."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "HARBENCH_", "PYTEST_", "COV_", "COLUMNS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    # The page says python3: the one that runs these tests is meant, outside its environment.
    python = Path(getattr(sys, "_base_executable", sys.executable))
    environment |= {
        "PATH": f"{python.parent}{os.pathsep}{environment['PATH']}",
        "HARBENCH": str(copy_of_the_project(tmp_path / "harbench")),
        "HARBENCH_CACHE": str(tmp_path / "cache"),
        "HARBENCH_DATA": str(tmp_path / "data"),
        "PIP_QUIET": "1",
        # A false value turns --no-compile on: what is imported is compiled then.
        "PIP_NO_COMPILE": "no",
    }
    folder = tmp_path / "empty"
    folder.mkdir()
    before = bytes_of(tmp_path / "harbench")
    try:
        done = subprocess.run(
            ["bash", "-c", "set -euo pipefail\n" + "".join(BLOCKS)],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=600,  # as the page says
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr[-5000:]
        assert (folder / "harbench-my-net" / "results").is_dir()
        assert bytes_of(tmp_path / "harbench") == before
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)  # 1.4 GB
    assert re.search(r"^model my-net .*: passed in .*; \d+ passed, 1 warned$", done.stdout, re.M)
    # What is counted is the same on every machine; what is trained and timed is not.
    for row in ("resnet-like", "my-net"):
        [printed] = re.findall(rf"^ {row} .*$", PAGE, re.MULTILINE)
        [measured] = re.findall(rf"^ {row} .*$", done.stdout, re.MULTILINE)
        counted = re.findall(r"\d+,\d{3}", printed)
        assert len(counted) == 3
        assert re.findall(r"\d+,\d{3}", measured) == counted
