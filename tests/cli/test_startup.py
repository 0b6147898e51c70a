"""What the command line costs before it does anything, and how it ends when something is wrong."""

import os
import resource
import signal
import statistics
import subprocess
import sys

import pytest

from toys.workplace import hear_interrupts

WATCH = """
import sys
from harbench.cli import main
try:
    main()
finally:
    found = [m for m in {modules!r} if m in sys.modules]
    found += [m for m in sys.modules if m.startswith(("harbench_",))]
    print("IMPORTED", sorted(found), file=sys.stderr)
"""
HEAVY = ["torch", "pandas", "scipy", "sklearn", "matplotlib", "seglearn", "requests", "pooch"]


def imported(child, *arguments, also=()):
    ended = child(*arguments, code=WATCH.format(modules=[*HEAVY, *also]))
    line = ended.stderr.strip().splitlines()[-1]
    assert line.startswith("IMPORTED ")
    return ended, line.removeprefix("IMPORTED ")


HELP = (
    "--help", "--version", "run --help", "audit --help", "compare --help", "verify --help",
    "reproduce --help", "export-model --help", "export --help", "import --help", "show --help",
    "report --help", "figures --help", "saliency --help", "paper --help", "new --help",
    "check --help", "datasets fetch --help", "nonsense",
)  # fmt: skip
WATCH_HELP = """
import sys
from harbench.cli import main
for line in {lines!r}:
    try:
        main(line.split())
    except SystemExit:
        pass
    found = [m for m in {modules!r} if m in sys.modules]
    found += [m for m in sys.modules if m.startswith("harbench_")]
    print("IMPORTED", line, sorted(found), file=sys.stderr)
"""


def test_help_imports_nothing_heavy_and_no_plugin(child):
    # One after another in one process: what the first does not import, none may.
    ended = child(code=WATCH_HELP.format(lines=HELP, modules=[*HEAVY, "numpy", "rich", "pluggy"]))
    said = [line for line in ended.stderr.splitlines() if line.startswith("IMPORTED")]
    assert said == [f"IMPORTED {line} []" for line in HELP]


@pytest.mark.parametrize("command", ["plugins", "datasets", "models"])
def test_lists_load_plugins_but_nothing_heavy(child, command):
    ended, found = imported(child, command)
    assert ended.returncode == 0
    assert "harbench_datasets.spar" in found
    assert not set(HEAVY) & set(eval(found))


def test_config_error_imports_neither_torch_nor_a_plugin(child, tmp_path):
    (tmp_path / "benchmarks.yaml").write_text("benchmarks:\n  one: {datset: spar}\n")
    for file in ("absent.yaml", "benchmarks.yaml"):
        ended, found = imported(child, "run", file)
        assert ended.returncode == 2
        assert found == "[]"


def cpu_seconds(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_takes_less_than_0_4_seconds_of_cpu(installed_environment, option):
    command = [sys.executable, "-c", "from harbench.cli import main; main()", option]
    cpu_seconds(command, installed_environment)  # writes the byte code
    times = [cpu_seconds(command, installed_environment) for _ in range(3)]
    assert statistics.median(times) < 0.4


def test_module_is_the_command(child):
    ended = child(
        "--version", code="import runpy; runpy.run_module('harbench', run_name='__main__')"
    )
    import harbench

    assert ended.stdout == f"harbench {harbench.__version__}\n"


def test_help_lists_the_commands_in_order(cli):
    from harbench.cli.app import COMMANDS

    ended = cli("--help")
    assert ended.code == 0
    listed = [line.split()[0] for line in ended.out.split("Commands:\n")[1].splitlines()]
    assert listed == [name for name, _, _ in COMMANDS]
    assert all(len(line) <= 100 for line in ended.out.splitlines())


@pytest.mark.parametrize(
    "command", [
        "run", "table", "show", "report", "figures", "paper", "audit", "compare", "analyse",
        "saliency", "ablate", "verify",
        "reproduce", "export-model", "export", "import", "datasets", "models",
        "plugins", "new", "check",
    ],
)  # fmt: skip
def test_every_command_has_help(cli, command):
    ended = cli(command, "--help")
    assert ended.code == 0
    assert f"Usage: harbench {command}" in ended.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["datasets", "--nonsense"], "No such option"),
        (["datasets", "show"], "Missing argument"),
        (["datasets", "simulate", "x", "--scale", "0"], "0.0001"),
        (["models", "show", "x", "--channels", "many"], "Invalid value for '--channels'"),
    ],
)
def test_wrong_usage_ends_with_2(cli, arguments, text):
    ended = cli(*arguments)
    assert ended.code == 2
    assert text in ended.err
    assert ended.out == ""


@pytest.fixture
def broken_command(cli, tmp_path):
    """A dataset whose plugin raises what the test wants, when ``datasets fetch`` asks for it."""

    def run(statement, *options):
        plugin = tmp_path / "mine.py"
        plugin.write_text(
            "from harbench import Citation, Dataset, HarbenchError, hookimpl\n"
            f"def sources(folder):\n    {statement}\n"
            "@hookimpl\ndef register_datasets(register):\n"
            "    none = Citation('')\n"
            "    register(Dataset('mine', 'Mine', 50, (), (), {}, none, '', sources, list))\n"
        )
        return cli("--plugin", plugin, *options, "datasets", "fetch", "mine")

    return run


def test_mistake_of_the_user_is_one_sentence_and_2(broken_command):
    ended = broken_command("raise HarbenchError('no such thing', where='a.yaml:3', fix='do it')")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: a.yaml:3: no such thing\n  try: do it\n"


def test_bug_is_one_sentence_and_70(broken_command):
    ended = broken_command("raise KeyError('subject')")
    assert (ended.code, ended.out) == (70, "")
    assert ended.err == (
        "error: harbench met a bug: KeyError: 'subject'\n"
        "  run again with --debug for the traceback: harbench --debug ...\n"
    )


def test_bug_without_a_message(broken_command):
    assert "met a bug: ZeroDivisionError\n" in broken_command("raise ZeroDivisionError").err


def test_interrupt_is_130(broken_command):
    ended = broken_command("raise KeyboardInterrupt")
    assert (ended.code, ended.err.strip()) == (130, "interrupted")


@pytest.mark.parametrize("error", ["KeyError", "HarbenchError"])
def test_debug_raises(broken_command, error):
    from harbench import HarbenchError

    with pytest.raises({"KeyError": KeyError, "HarbenchError": HarbenchError}[error]):
        broken_command(f"raise {error}('x')", "--debug")


def test_debug_shows_the_traceback(child, tmp_path):
    ended = child("--debug", "--plugin", tmp_path / "absent.py", "models")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "there is no plugin file" in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_in_a_child_is_130(installed_environment, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text("import time\nprint('loading', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from harbench.cli import main; main()",
            "--plugin",
            plugin,
            "models",
        ],
        stderr=subprocess.PIPE,
        env={**installed_environment, "HARBENCH_PLUGIN_TIMEOUT": "0"},
        text=True,
        preexec_fn=hear_interrupts,
        cwd=tmp_path,
    )
    assert process.stderr.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "interrupted"


def test_closed_pipe_is_no_bug(installed_environment):
    code = (
        "import sys; from harbench.cli import context\n"
        "def many(): context.print_rows(['a'], [['x' * 1000]] * 300)\n"
        "import harbench.cli.models as m; m.print_rows = lambda *a: many()\n"
        "from harbench.cli import main; main(['models'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=installed_environment,
    )
    process.stdout.read(10)
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=30) == 1
    assert "bug" not in err
