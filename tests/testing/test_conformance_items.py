"""``conformance`` in a stranger's test file: an item for each check, and a reason to read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[1] / "broken_plugins"

TEST_FILE = """
from harbench.testing import conformance

test_analysis = conformance("analysis", "{name}", files=[r"{file}"])
"""


def run(tmp_path, name):
    (tmp_path / "test_mine.py").write_text(
        TEST_FILE.format(name=name, file=PLUGINS / "analyses.py")
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1",
        "PYTEST_ADDOPTS": "",  # such as --cov, which would leave a file there
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_each_check_is_an_item(tmp_path):
    done = run(tmp_path, "no-table")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "PASSED test_mine.py::test_analysis[runs]" in done.stdout
    assert "FAILED test_mine.py::test_analysis[tables]" in done.stdout
    assert "tables failed: it has no table (expected at least one)" in done.stdout
    assert "what to do: " in done.stdout
    # The plugin's failure is no traceback through the suite.
    assert "Traceback" not in done.stdout
    assert "1 failed, 14 passed, 1 skipped" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == [
        "test_mine.py"
    ]
