"""Plugin packages of strangers, as installed: they break, hang, print, and add commands."""

import os
import re
import resource
import signal
import statistics
import subprocess
import sys

import pytest

posix = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
MAIN = "from harbench.cli import main; main()"
MODEL = """
import harbench

def build(n_channels, n_times, n_classes):
    raise NotImplementedError

@harbench.hookimpl
def register_models(register):
    recipe, citation = harbench.Recipe(), harbench.Citation("none")
    register(harbench.Model("{name}", "of a stranger", build, recipe, citation))
"""
COMMANDS = '''
import typer

def shout(word: str, loud: bool = False):
    """Say a word."""
    print(word.upper() if loud else word)

def fails(kind: str = "bug"):
    """Fail in the way that is asked for."""
    from harbench import HarbenchError

    if kind == "mistake":
        raise HarbenchError("no such word", fix="shout it")
    if kind == "exit":
        raise typer.Exit(7)
    raise KeyError(kind)

several = typer.Typer(help="Several things.")

@several.command()
def one():
    """The first."""
    print("one")

@several.command()
def two():
    """The second."""
    print("two")

constant = 3
'''


class Site:
    """A folder of installed packages."""

    def __init__(self, folder, environment):
        self.folder = folder
        paths = [str(folder), environment.get("PYTHONPATH", "")]
        self.environment = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def install(self, name, source, *, plugin=True, commands=None):
        """A package of one module; its plugin, and its commands (name -> what in the module)."""
        module = name.replace("-", "_")
        info = self.folder / f"{module}-1.5.dist-info"
        info.mkdir(parents=True)
        (self.folder / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        lines = [f"[harbench]\n{name} = {module}"] if plugin else []
        lines += ["[harbench.commands]"] if commands else []
        lines += [f"{key} = {module}:{what}" for key, what in (commands or {}).items()]
        (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path, installed_environment):
    return Site(tmp_path / "site", installed_environment)


@pytest.fixture
def run(child, site):
    """Runs a command line with the packages installed."""

    def run(*arguments, **more):
        return child(*arguments, PYTHONPATH=site.environment["PYTHONPATH"], **more)

    return run


@posix
def test_models_lists_the_others_and_names_the_culprits(run, site):
    before = run("models")
    site.install("stranger-good", MODEL.format(name="stranger"))
    site.install("stranger-raises", "raise RuntimeError('no licence key')")
    site.install("stranger-hangs", "import time\ntime.sleep(1000)")
    site.install("stranger-exits", "import sys\nsys.exit('wrong platform')")
    site.install("stranger-prints", "print('WELCOME')\n" + MODEL.format(name="chatty"))
    ended = run("models")
    assert ended.returncode == 0
    listed = [{line.split()[0] for line in done.stdout.splitlines()} for done in (before, ended)]
    assert listed[1] == {*listed[0], "stranger", "chatty"}
    assert sorted(re.sub(r" at \S+\.py:", " at FILE:", ended.stderr).splitlines()) == [
        "WELCOME",
        "warning: plugin stranger-exits (stranger-exits 1.5) cannot be loaded: it ends the program "
        "while loading (SystemExit: wrong platform)",
        "warning: plugin stranger-hangs (stranger-hangs 1.5) cannot be loaded: it hangs at FILE:2: "
        "for 3 s it imported nothing further (HARBENCH_PLUGIN_TIMEOUT=60 waits for 60 s)",
        "warning: plugin stranger-raises (stranger-raises 1.5) cannot be loaded: RuntimeError: no "
        "licence key",
    ]


@posix
def test_code_that_does_not_stop_is_named(child, tmp_path):
    """A deadlock in C never comes back to Python: all that can be done is to say who it is."""
    (tmp_path / "harbench_plugins").mkdir()
    (tmp_path / "harbench_plugins" / "deadlock.py").write_text(
        "import ctypes, os, threading\n"
        "threading.Timer(6, os._exit, [9]).start()\n"
        "libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(128)\n"
        "libc.pthread_mutex_lock(mutex)\nlibc.pthread_mutex_lock(mutex)\n"
    )
    ended = child("models", HARBENCH_PLUGIN_TIMEOUT="0.4")
    assert ended.returncode == 9
    assert ended.stderr == (
        "warning: plugin deadlock (harbench_plugins/deadlock.py) hangs while loading and does not "
        "stop when told to: end this program and uninstall the plugin\n"
    )


def test_a_closed_stdout_is_no_obstacle(child):
    code = (
        "import os, sys; os.close(1); from harbench.plugins import load_plugins; "
        "sys.stderr.write(str(len(load_plugins(packages=False).broken)))"
    )
    assert child(code=code).stderr == "0"


def cpu_seconds(environment, folder, *arguments, runs):
    """Processor time of a run, of some the middle one, and what it printed."""
    times, out = [], ""
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            env=environment, cwd=folder, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times), out


@pytest.fixture
def fifty(site, tmp_path):
    """50 installed packages, each with a model and a command."""
    for number in range(50):
        site.install(
            f"stranger-{number:02d}",
            MODEL.format(name=f"stranger-{number}") + COMMANDS,
            commands={f"shout-{number}": "shout"},
        )
    return site


def test_help_takes_less_than_0_4_seconds_of_cpu_with_50_packages(fifty, tmp_path):
    seconds, out = cpu_seconds(fifty.environment, tmp_path, "--help", runs=3)
    assert seconds < 0.4
    assert re.search(r"^  shout-49 +from stranger-49 1\.5$", out, re.MULTILINE)


def test_loading_50_light_packages_costs_less_than_half_a_second(
    fifty, tmp_path, installed_environment
):
    alone, _ = cpu_seconds(installed_environment, tmp_path, "models", runs=3)
    seconds, out = cpu_seconds(fifty.environment, tmp_path, "models", runs=3)
    assert len(re.findall(r"^stranger-\d+ .* of a stranger$", out, re.MULTILINE)) == 50
    assert seconds - alone < 0.5


def test_help_lists_commands_of_packages_and_imports_none(run, site):
    site.install("noisy", "raise SystemExit('imported')", commands={"noise": "app"})
    ended = run("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    own, foreign = ended.stdout.split("Commands of plugins:\n")
    assert foreign == "  noise  from noisy 1.5\n"
    assert "  schema " in own


@pytest.fixture
def commands(site, cli, monkeypatch):
    """Runs a command line in this process, with a package ``louder`` of six commands."""
    given = {
        "shout": "shout", "fails": "fails", "several": "several", "constant": "constant",
        "absent": "nothing_of_that_name", "run": "shout",
    }  # fmt: skip
    site.install("louder", COMMANDS, plugin=False, commands=given)
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.delitem(sys.modules, "louder", raising=False)
    yield cli
    sys.modules.pop("louder", None)


class TestCommandsOfPackages:
    def test_a_function(self, commands):
        ended = commands("shout", "hear", "--loud")
        assert (ended.code, ended.out, ended.err) == (0, "HEAR\n", "")
        shown = commands("shout", "--help").out
        assert "Usage: harbench shout [OPTIONS]" in shown
        assert "Say a word." in shown

    def test_a_typer_app(self, commands):
        assert commands("several", "two").out == "two\n"
        assert "Usage: harbench several [OPTIONS] COMMAND" in commands("several", "--help").out
        assert commands("several", "three").code == 2

    def test_wrong_usage_is_2_and_nobodys_bug(self, commands):
        ended = commands("shout", "--nonsense", "x")
        assert ended.code == 2
        assert "No such option: --nonsense" in ended.err

    def test_a_mistake_of_the_user_is_shown_as_harbenchs_own(self, commands):
        ended = commands("fails", "--kind", "mistake")
        assert (ended.code, ended.err) == (
            2, "error: no such word\n  try: shout it\n"
        )  # fmt: skip

    def test_it_chooses_its_exit_code(self, commands):
        assert commands("fails", "--kind", "exit").code == 7

    def test_a_bug_names_the_package(self, commands):
        ended = commands("fails")
        assert (ended.code, ended.err) == (
            70,
            "error: command 'fails' of louder 1.5 broke: KeyError: 'bug'\n"
            "  try: harbench --debug fails ...\n",
        )
        with pytest.raises(KeyError, match="bug"):
            commands("--debug", "fails")

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("constant", "TypeError: it is a int, neither a function nor a typer.Typer"),
            ("absent", "AttributeError: module 'louder' has no attribute 'nothing_of_that_name'"),
        ],
    )
    def test_one_that_cannot_be_loaded(self, commands, name, reason):
        ended = commands(name)
        assert (ended.code, ended.err) == (
            2,
            f"error: command '{name}' of louder 1.5 cannot be loaded: {reason}\n"
            "  try: harbench plugins\n",
        )

    def test_harbenchs_own_command_wins_and_plugins_says_so(self, commands):
        assert "Train every model" in commands("run", "--help").out
        listed = commands("plugins").out
        assert re.search(r"^shout +louder +1\.5 +command shout$", listed, re.MULTILINE)
        assert listed.endswith(
            "\nwarning: command 'run' is offered by louder 1.5; harbench's own command of that "
            "name is the one that runs\n"
        )

    def test_two_packages_with_one_command(self, commands, site):
        site.install("quieter", COMMANDS, plugin=False, commands={"shout": "shout"})
        ended = commands("shout", "x")
        assert (ended.code, ended.err) == (
            2,
            "error: command 'shout' is offered by louder 1.5 and quieter 1.5 (expected one package "
            "for each command)\n  try: pip uninstall one of them\n",
        )
        assert "'shout' is offered by louder 1.5 and quieter 1.5; none of them runs" in (
            commands("plugins").out
        )
        assert commands("several", "one").out == "one\n"

    def test_plugins_shows_one(self, commands):
        shown = commands("plugins", "show", "shout").out
        assert shown == "command  shout\npackage  louder 1.5\n"


@posix
def test_a_command_that_hangs_when_imported(run, site):
    source = "import time\ntime.sleep(60)"
    site.install("slow", source, plugin=False, commands={"slow": "run"})
    ended = run("slow", HARBENCH_PLUGIN_TIMEOUT="0.4")
    assert ended.returncode == 2
    assert re.match(
        r"error: command 'slow' of slow 1\.5 cannot be loaded: it hangs at .*slow\.py:2: for 0\.4",
        ended.stderr,
    )


FILE = """
import harbench

def greet(name: str):
    \"\"\"Greet somebody.\"\"\"
    print("hello", name)

@harbench.hookimpl
def register_commands(register):
    register(harbench.Command("{name}", "a greeting", greet))
"""


def test_a_command_of_a_file(cli, tmp_path):
    path = tmp_path / "greeting.py"
    path.write_text(FILE.format(name="greet"))
    ended = cli("--plugin", path, "greet", "you")
    assert (ended.code, ended.out, ended.err) == (0, "hello you\n", "")
    assert "No such command 'greet'" in cli("greet", "you").err
    (tmp_path / "harbench_plugins").mkdir()
    path.rename(tmp_path / "harbench_plugins" / "greeting.py")
    assert cli("greet", "you").out == "hello you\n"
    assert "Usage: harbench greet [OPTIONS]" in cli("greet", "--help").out
    assert re.search(r"^greeting +harbench_plugins/greeting.py +command greet$",
                     cli("plugins").out, re.MULTILINE)  # fmt: skip
    assert "command  greet: a greeting" in cli("plugins", "show", "greeting").out
    assert "Files in ./harbench_plugins may add commands" in cli("--help").out


def test_a_command_of_a_file_cannot_replace_one_of_harbench(cli, tmp_path):
    path = tmp_path / "greeting.py"
    path.write_text(FILE.format(name="models"))
    assert cli("--plugin", path, "models").out.startswith("model ")
    assert "harbench's own command of that name is the one that runs" in (
        cli("--plugin", path, "plugins").out
    )


def test_a_broken_file_is_said_where_its_command_is_looked_for(cli, tmp_path):
    path = tmp_path / "greeting.py"
    path.write_text("1 / 0")
    ended = cli("--plugin", path, "greet")
    assert ended.code == 2
    assert f"warning: plugin greeting ({path}) cannot be loaded: ZeroDivisionError" in ended.err
    assert "No such command 'greet'" in ended.err
    strict = cli("--strict-plugins", "--plugin", path, "greet")
    assert (strict.code, strict.err.startswith("error: plugin greeting")) == (2, True)


def test_a_package_that_uses_the_hook_of_files_is_told_how_it_is_done(cli, tmp_path, monkeypatch):
    (tmp_path / "stranger_hook.py").write_text(FILE.format(name="greet"))
    monkeypatch.syspath_prepend(str(tmp_path))
    cli.install("stranger", "stranger_hook")
    assert "a package's command is an entry point of the group harbench.commands" in (
        cli("plugins").out
    )
