"""harbench run in a real terminal: a pty of a size, and what is to be seen on its screen."""

import os
import re
import select
import struct
import sys
import time

import pytest

from toys.screen import Screen
from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN

pty = pytest.importorskip("pty", reason="terminals of POSIX")
CODE = "from harbench.cli import main; main()"
YAML = """
benchmarks:
  toy:
    title: Toys
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 60}  # a second or so: there are frames of it
    seeds: 2
    models: [small, broken]
"""


def in_terminal(folder, environment, columns, lines, *arguments, **more):
    """Runs a command line in a terminal of that size; its exit code, what it wrote, seconds."""
    import fcntl
    import termios

    environment = {**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}
    environment["HARBENCH_CACHE"] = str(folder / "cache")
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        if name not in more:
            environment.pop(name, None)
    began = time.monotonic()
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execve(sys.executable, [sys.executable, "-c", CODE, *map(str, arguments)], environment)
    heard = b""
    try:
        while time.monotonic() - began < 100:
            if not select.select([terminal], [], [], 1.0)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not piece:
                break
            heard += piece
    finally:
        os.close(terminal)
        _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), heard.decode(), time.monotonic() - began


@pytest.mark.slow
def test_a_run_at_80_columns_then_its_table_at_120(installed_environment, tmp_path):
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(YAML)
    command = ("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
    code, text, seconds = in_terminal(tmp_path, installed_environment, 80, 24, *command)
    assert code == 1
    # Frames: the tree with every state, no more than ten a second.
    frames = re.findall(r"\d of (?:\d costs measured|4 cells), ", text)
    assert 2 <= len(frames) <= 10 * seconds + 2
    assert "toy (toy, split fixed)" in text
    assert "small: measuring its cost" in text
    assert "seed 0: running" in text
    screen = Screen(80, 24)
    screen.feed(text.replace("\r\n", "\n"))
    assert screen.strange == []
    assert screen.cursor_shown
    left = [row.rstrip() for row in screen.rows if row.strip()]
    assert max(map(len, left)) <= 80
    # Of the tree nothing is left; what failed and the table are there, and which columns went.
    assert not [line for line in left if "──" in line or "░" in line]
    assert "4 of 4 cells ended, 2 failed, " in "\n".join(left)
    assert any(line.startswith("toy broken, seed 1: failed: the model returned") for line in left)
    assert "toy: Toys" in left
    assert "too narrow for: Window / step" in " ".join(left)
    assert "harbench table toy --format csv)" in " ".join(left)

    command = (*command, "--models", "small")
    code, text, _ = in_terminal(tmp_path, installed_environment, 120, 24, *command)
    assert (code, "cells were in results/ already (cached)" in text) == (0, True)
    assert "too narrow" not in text and "macro F1" in text
    assert "costs measured" not in text and "split fixed)" not in text  # nothing to do, no tree

    # A locale without Unicode, and no colours wanted.
    code, text, _ = in_terminal(
        tmp_path, installed_environment, 80, 24, *command, LC_ALL="C", NO_COLOR="1"
    )
    assert code == 0
    assert "+/-" in text and text.isascii()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)
