"""``harbench datasets fetch`` and ``simulate``, as a user types them."""

import hashlib
import io
import os
import re
import zipfile

import pytest

from harbench.cli.fetch_progress import Lines, duration, fetch_progress
from toys.web_server import running

FILES = {f"Set/S{k}.dat": f"{k} {k}\n".encode() * 400 for k in range(3)}

PLUGIN = """
import os
from pathlib import Path
from harbench import Archive, Citation, DataError, DataMissingError, Dataset, Member, Source
from harbench import SourceFile, hookimpl

MEMBERS = tuple(Member(*row) for row in {members!r})

def sources(folder):
    absent = [m.name for m in MEMBERS if not (folder / m.name).is_file()]
    if absent:
        raise DataMissingError(f"{{absent[0]}} is not here", fix="harbench datasets fetch demo")
    return [Source(m.name, (SourceFile(folder / m.name, m.sha256),)) for m in MEMBERS]

def simulate(folder, scale, seed):
    for k in range(2):
        (folder / f"S{{k}}.dat").write_text(f"{{scale}} {{seed}} {{k}}")
        if seed == 13:
            raise DataError("thirteen")

def demo(name, **more):
    return Dataset(name, name, 50, (), (), {{}}, Citation(""), "", sources, list, **more)

@hookimpl
def register_datasets(register):
    register(demo("demo", archive=Archive({urls!r}, MEMBERS)))
    register(demo("demo-sim", simulates="demo", simulate=simulate))
"""


@pytest.fixture
def demo(cli, tmp_path):
    members = [(p, len(c), hashlib.sha256(c).hexdigest()) for p, c in FILES.items()]

    def run(*arguments, urls=()):
        path = tmp_path / "mine.py"
        path.write_text(PLUGIN.format(members=members, urls=tuple(urls)))
        return cli("--plugin", path, "datasets", *arguments)

    return run


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "demo.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in FILES.items():
            zipped.writestr(name, content)
    return path


def test_from_zip_then_ready(demo, archive, tmp_path):
    assert demo().out.splitlines()[1].split()[:2] == ["demo", "missing"]
    ended = demo("fetch", "demo", "--from", archive)
    folder = tmp_path / "data" / "demo"
    assert ended.code == 0
    assert ended.out == f"demo: 3 files verified in {folder} (3 fetched, 0 already there)\n"
    assert ended.err == "unpack and verify: 4.8 kB done\n"
    assert sorted(p.name for p in folder.glob("*.dat")) == ["S0.dat", "S1.dat", "S2.dat"]
    assert demo().out.splitlines()[1].split()[:2] == ["demo", "ready"]
    assert "(0 fetched, 3 already there)" in demo("fetch", "demo").out


def test_to_another_folder(demo, archive, tmp_path):
    ended = demo("fetch", "demo", "--from", archive, "--to", "elsewhere/demo")
    assert ended.code == 0
    folder = tmp_path / "elsewhere" / "demo"
    assert (folder / "S2.dat").read_bytes() == FILES["Set/S2.dat"]
    assert ended.out.endswith(f"a benchmark reads them there with the key  path: {folder}\n")
    assert not (tmp_path / "data").exists()


def test_from_the_web(demo, archive, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with running() as site:
        url = site.serve("/demo.zip", archive.read_bytes())
        ended = demo("fetch", "demo", urls=[site.address + "/gone.zip", url])
    assert ended.code == 0
    assert f"{site.address}/gone.zip: the server answered 404 Not Found" in ended.err
    size = archive.stat().st_size
    assert f"download: {size / 1000:.1f} kB done" in ended.err


def test_no_address_is_one_error_with_the_way_out(demo):
    ended = demo("fetch", "demo", urls=["nonsense"])
    assert ended.code == 2
    assert ended.err.startswith("error: demo cannot be downloaded: nonsense: not an address")
    assert ended.err.endswith("  try: harbench datasets fetch demo --from DIR_OR_ZIP\n")


def test_wrong_source_is_one_error(demo, tmp_path):
    ended = demo("fetch", "demo", "--from", tmp_path / "absent")
    assert ended.code == 2
    assert "--from: there is no" in ended.err


def test_dataset_that_comes_with_a_package_needs_no_fetch(cli):
    cli.install("spar", "harbench_datasets.spar")
    ended = cli("datasets", "fetch", "spar")
    assert (ended.code, ended.out) == (0, "spar: nothing to fetch, its files are here\n")


def test_dataset_without_archive_says_how_to_get_it(demo):
    ended = demo("fetch", "demo-sim")
    assert ended.code == 2
    assert "S0.dat is not here" in ended.err


@pytest.mark.parametrize("name", ["demo", "demo-sim"])
def test_simulation_has_a_folder_of_its_own(demo, tmp_path, name):
    ended = demo("simulate", name, "--scale", 0.5, "--seed", 4)
    folder = tmp_path / "data" / "demo-sim"
    assert ended.out == f"{name}: 2 simulated files in {folder} (scale 0.5, seed 4)\n"
    assert (folder / "S1.dat").read_text() == "0.5 4 1"
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["demo-sim"]


def test_simulation_never_overwrites_unasked(demo, tmp_path):
    out = tmp_path / "sim"
    out.mkdir()
    (out / "S1.dat").write_text("precious")
    ended = demo("simulate", "demo", "--out", out)
    assert ended.code == 2
    assert f"{out}: the folder is not empty" in ended.err
    assert (out / "S1.dat").read_text() == "precious"
    assert demo("simulate", "demo", "--out", out, "--overwrite").code == 0
    assert (out / "S1.dat").read_text() == "0.1 0 1"


def test_simulation_goes_into_an_empty_folder(demo, tmp_path):
    out = tmp_path / "sim"
    out.mkdir()
    assert demo("simulate", "demo", "--out", out).code == 0
    assert sorted(p.name for p in out.iterdir()) == ["S0.dat", "S1.dat"]


def test_overwrite_replaces_a_simulation_and_never_recordings(cli, tmp_path):
    cli.install("opportunity", "harbench_datasets.opportunity")
    out = tmp_path / "sim"
    simulate = ("datasets", "simulate", "opportunity", "--scale", "0.0001", "--out", out)
    assert cli(*simulate).code == 0
    first = (out / "S1-ADL1.dat").read_bytes()
    assert cli(*simulate, "--seed", "1").code == 2
    assert cli(*simulate, "--seed", "1", "--overwrite").code == 0
    assert (out / "S1-ADL1.dat").read_bytes() != first
    real = tmp_path / "real"
    real.mkdir()
    (real / "S1-ADL1.dat").write_text("precious")
    ended = cli(*simulate[:-1], real, "--overwrite")
    assert ended.code == 2
    assert "recordings of the real OPPORTUNITY" in ended.err
    assert (real / "S1-ADL1.dat").read_text() == "precious"


def test_simulation_that_fails_leaves_nothing(demo, tmp_path):
    out = tmp_path / "sim"
    ended = demo("simulate", "demo", "--out", out, "--seed", 13)
    assert ended.code == 2
    assert "thirteen" in ended.err
    assert not out.exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_dataset_that_cannot_be_simulated(cli):
    cli.install("spar", "harbench_datasets.spar")
    ended = cli("datasets", "simulate", "spar")
    assert ended.code == 2
    assert "the dataset 'spar' cannot be simulated" in ended.err


def test_lines_tell_the_time_left():
    lines, now = [], [0.0]
    report = Lines(lines.append, lambda: now[0])
    # 100 MB are there already; 1 MB a second comes in.
    for second in range(201):
        now[0] = float(second)
        report.bytes_done("download", (100 + second) * 10**6, 300 * 10**6, kept=100 * 10**6)
    assert lines[0] == "download: 37 % (110.0 MB of 300.0 MB), 3 min 10 s left"
    assert lines[-1] == "download: 300.0 MB done"
    assert len(lines) == 20  # one in ten seconds
    report.bytes_done("unpack", 5, None)
    report.say("hello")
    assert lines[-1] == "hello"


def test_lines_without_a_known_length():
    lines, now = [], [0.0]
    report = Lines(lines.append, lambda: now[0])
    for second in (0, 5, 11):
        now[0] = second
        report.bytes_done("download", second * 10**6, None)
    assert lines == ["download: 11.0 MB"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with fetch_progress() as reporter:
        reporter.say("a remark")
        reporter.bytes_done("download", 150, 300, kept=100)
        reporter.bytes_done("download", 300, 300, kept=100)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "a remark" in shown
    assert re.search(r"download .*300/300 bytes", shown)


def test_plain_stderr_gets_lines(capsys):
    with fetch_progress() as reporter:
        assert isinstance(reporter, Lines)
        reporter.bytes_done("download", 300, 300)
    assert capsys.readouterr().err == "download: 300 bytes done\n"
    assert os.environ.get("FORCE_COLOR") is None
