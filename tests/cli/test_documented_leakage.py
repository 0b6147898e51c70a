"""docs/leakage.md prints what harbench prints: its commands are run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "leakage.md"
TEXT = PAGE.read_text("utf-8")
CONSOLES = re.findall(r"<!-- console -->\n```text\n\$ harbench ([^\n]+)\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_has_consoles():
    assert [command.split()[0] for command, _ in CONSOLES] == ["audit", "run"]


@pytest.mark.parametrize(("command", "shown"), CONSOLES, ids=[name for name, _ in CONSOLES])
def test_a_console_shows_what_the_command_prints(command, shown, cli, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "100")
    cli.install("spar", "harbench_datasets.spar")
    cli.install("resnet-like", "harbench_models.resnet_like")
    for name, text in re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL):
        (tmp_path / name).write_text(text, "utf-8")
    ended = cli(*shlex.split(command))
    assert ended.code == (1 if command.startswith("audit") else 2)
    printed = ended.out + ended.err
    # A line of three dots stands for any lines; all others follow one another.
    at = 0
    for part in shown.split("...\n"):
        found = printed.find(part, at)
        assert found >= 0, f"not printed by harbench {command}:\n{part}\nbut:\n{printed}"
        at = found + len(part)


def test_splits_that_the_page_recommends_are_settings():
    from pydantic import TypeAdapter

    from harbench.nouns import Split

    written = re.findall(r"`(\{kind: [^`]+\})`", TEXT)
    assert len(written) >= 3
    import yaml

    for text in written:
        TypeAdapter(Split).validate_python(yaml.safe_load(text))
