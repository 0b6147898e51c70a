"""Running the command line: in this process for speed, in a child for what it imports."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

import harbench.plugins
from harbench.cli import context, main
from toys.waiting import LIMIT_S


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Runs a command line in this process, in an empty folder, and returns how it ended.

    No plugin is installed but those named in ``cli.install``.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COLUMNS", raising=False)
    points = []
    monkeypatch.setattr(harbench.plugins, "entry_points", lambda group: list(points))

    class Dist:
        name, version = "harbench", "9.9"

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ended(ended.value.code or 0, out, err)

    def install(name, module):
        point = EntryPoint(name, module, "harbench")
        vars(point)["dist"] = Dist()
        points.append(point)

    run.install = install
    yield run
    context.use(context.Settings())


@pytest.fixture
def child(installed_environment, tmp_path):
    """Runs a command line in a child process; returns the completed process."""

    def run(*arguments, code="from harbench.cli import main; main()", **more):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            cwd=tmp_path,
            env={**installed_environment, "HARBENCH_DATA": str(tmp_path / "data"), **more},
            check=False,
        )

    return run
