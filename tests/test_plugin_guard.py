"""Plugins that hang or write where they should not, and packages with broken metadata."""

import signal
import sys
import threading
import time
from importlib.metadata import EntryPoint

import pytest

from harbench.errors import ConfigError, PluginError
from harbench.installed import entry_points, home, in_order, version
from harbench.plugin_guard import _GRACE, _TICK, DEFAULT_SECONDS, patience
from harbench.plugins import load_plugins

GOOD = """
from harbench import Analysis, hookimpl

@hookimpl
def register_analyses(register):
    register(Analysis("good", "Counts cells.", lambda cells: {}))
"""
posix = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Loads one file of that source, and a good one after it, with a limit of 0.4 seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", "0.4")
    (tmp_path / "good.py").write_text(GOOD)

    def run(source, **more):
        (tmp_path / "bad.py").write_text(source)
        files = [tmp_path / "bad.py", tmp_path / "good.py"]
        return load_plugins(files, packages=False, **more)

    return run


HANGS = {
    "sleeps": "import time\ntime.sleep(60)",
    "computes": "while True: pass",
    "waits for a thread": "import threading\nthreading.Event().wait(60)",
    "waits for a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "waits for the network": "import socket\na, b = socket.socketpair()\na.recv(1)",
    "tries again": "import time\nwhile True:\n    try: time.sleep(60)\n    except Exception: pass",
    "hangs when it registers": "import time, harbench\n@harbench.hookimpl\n"
    "def register_models(register): time.sleep(60)",
}


@posix
@pytest.mark.parametrize("source", HANGS.values(), ids=list(HANGS))
def test_a_plugin_that_hangs_is_stopped_and_the_others_load(load, source):
    registry = load(source)
    [broken] = registry.broken
    assert broken.origin.plugin == "bad"
    assert broken.reason.startswith("it hangs at ")
    assert broken.reason.endswith(
        ": for 0.4 s it imported nothing further (HARBENCH_PLUGIN_TIMEOUT=60 waits for 60 s)"
    )
    assert [analysis.name for analysis in registry.analyses] == ["good"]
    assert "harbench_file_good" in sys.modules
    if "register" not in source:
        assert "harbench_file_bad" not in sys.modules


@posix
def test_the_line_where_it_hangs_is_said(load, tmp_path):
    [broken] = load("x = 1\nwhile x: pass\n").broken
    assert f"it hangs at {tmp_path}/bad.py:2: " in broken.reason


@posix
def test_a_package_that_hangs_leaves_no_half_imported_module(load, tmp_path, monkeypatch):
    package = tmp_path / "harbench_halfway"
    package.mkdir()
    (package / "__init__.py").write_text("from harbench_halfway import slow")
    (package / "slow.py").write_text("import time\ntime.sleep(60)")
    monkeypatch.syspath_prepend(str(tmp_path))
    [broken] = load("import harbench_halfway").broken
    assert "harbench_halfway/slow.py:2" in broken.reason
    assert not [name for name in sys.modules if name.startswith("harbench_halfway")]


@posix
def test_strict_raises_for_a_hang_too(load):
    with pytest.raises(PluginError, match=r"plugin bad \(.*bad\.py\) cannot be loaded: it hangs"):
        load("while True: pass", strict=True)


@posix
def test_importing_something_is_no_hang_however_long_it_takes(load, tmp_path, monkeypatch):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(8):
        (folder / f"guard_part_{number}.py").write_text("import time\ntime.sleep(0.3)")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", "1")
    imports = "".join(f"import guard_part_{number}\n" for number in range(8))
    began = time.monotonic()
    registry = load(imports + GOOD.replace('"good"', '"slow"'))
    assert time.monotonic() - began > 2 * 1
    assert [analysis.name for analysis in registry.analyses] == ["slow", "good"]
    assert registry.broken == []


@posix
def test_somebody_elses_alarm_rings_and_stays(load):
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    ours = signal.getsignal(signal.SIGALRM)
    try:
        signal.setitimer(signal.ITIMER_REAL, 3600, 10)
        source = "import signal, time\nsignal.raise_signal(signal.SIGALRM)\ntime.sleep(60)"
        [broken] = load(source).broken
        assert "it hangs" in broken.reason
        assert rung == [signal.SIGALRM]
        assert signal.getsignal(signal.SIGALRM) is ours
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert (left > 10, interval) == (True, 10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@posix
def test_the_watching_thread_is_gone_afterwards(load):
    load("x = 1")
    assert not [t for t in threading.enumerate() if t.name == "harbench-plugin-watch"]


def test_outside_the_main_thread_there_is_no_limit(load):
    found = []
    thread = threading.Thread(target=lambda: found.append(load("import time\ntime.sleep(0.8)")))
    thread.start()
    thread.join()
    [broken] = found[0].broken
    assert broken.reason == "it has no function marked @harbench.hookimpl"


def test_zero_is_no_limit(load, monkeypatch):
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", "0")
    [broken] = load("import time\ntime.sleep(0.8)").broken
    assert broken.reason == "it has no function marked @harbench.hookimpl"


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_limit_that_is_no_time(load, monkeypatch, text):
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", text)
    with pytest.raises(ConfigError) as caught:
        load("")
    assert str(caught.value) == (
        f"environment variable HARBENCH_PLUGIN_TIMEOUT: '{text}' is no time that a plugin may "
        "take to load (expected a number of seconds, 0 for no limit)\n"
        "  try: unset HARBENCH_PLUGIN_TIMEOUT"
    )


def test_a_plugin_costs_five_seconds_at_most():
    """So it is promised, even of one that does not stop when it is told to."""
    assert DEFAULT_SECONDS + _GRACE * _TICK <= 5


@pytest.mark.parametrize(("text", "seconds"), [("", DEFAULT_SECONDS), (" 60 ", 60), ("0", 0)])
def test_limits(monkeypatch, text, seconds):
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", text)
    assert patience() == seconds


def test_what_is_written_past_python_goes_to_stderr_too(load, capfd, monkeypatch):
    monkeypatch.setenv("HARBENCH_PLUGIN_TIMEOUT", "0")
    load(
        "import os, subprocess, sys\n"
        "print('python')\n"
        "sys.__stdout__.write('original\\n')\n"
        "os.write(1, b'descriptor\\n')\n"
        "subprocess.run(['echo', 'child'])\n"
    )
    print("table")
    out, err = capfd.readouterr()
    assert out == "table\n"
    assert {"python", "descriptor", "child"} <= set(err.splitlines())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("class Own(BaseException): pass\nraise Own('stop')", "Own: stop"),
        (
            "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute",
            "Mute",
        ),
        ("raise ValueError('\\x1b[31mred')", "ValueError: ?[31mred"),
        ("raise ValueError('x' * 10_000)", f"ValueError: {'x' * 400} ..."),
    ],
)
def test_whatever_is_raised_has_a_reason_of_one_line(load, source, reason):
    registry = load(source)
    assert [broken.reason for broken in registry.broken] == [reason]
    assert [analysis.name for analysis in registry.analyses] == ["good"]


def test_an_interrupt_while_loading_is_an_interrupt(load):
    with pytest.raises(KeyboardInterrupt):
        load("raise KeyboardInterrupt")


def package(folder, name, points, metadata=True):
    info = folder / f"{name.replace('-', '_')}-1.5.dist-info"
    info.mkdir(parents=True)
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_bytes(points)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site"


def test_a_package_without_metadata_hides_no_other(site):
    package(site, "guard-left", b"[guard]\nleft = guard_left\n", metadata=False)
    package(site, "guard-whole", b"[guard]\nwhole = guard_whole\n")
    points = in_order(entry_points("guard"))
    assert [(point.name, home(point), version(point)) for point in points] == [
        ("whole", "guard-whole", "1.5"),
        ("left", "guard_left-1.5", ""),
    ]


@pytest.mark.parametrize("text", [b"[guard]\nno equals sign\n", b"[guard]\n\xff\xfe = guard_bad\n"])
def test_malformed_entry_points_are_one_broken_plugin(site, text):
    package(site, "guard-bad", text)
    package(site, "guard-foreign", b"[console_scripts]\nnor here\n")
    package(site, "guard-whole", b"[guard]\nwhole = json\n")
    bad, whole = in_order(entry_points("guard"))
    assert (home(bad), home(whole)) == ("guard-bad", "guard-whole")
    assert whole.load().__name__ == "json"
    with pytest.raises(Exception, match=r"entry_points.txt of the package is malformed"):
        bad.load()


def test_entry_points_without_a_package():
    point = EntryPoint("alone", "json", "guard")
    assert (home(point), version(point)) == ("", "")
