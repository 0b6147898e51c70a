"""Writing a new plugin: all of it appears, or nothing."""

from __future__ import annotations

import datetime
import os
import shutil
from pathlib import Path
from string import Template

from harbench.errors import ConfigError
from harbench.scaffold.naming import Kind, PluginNames

TEMPLATES = Path(__file__).with_name("templates")
# Template -> where it goes in the package.
COMMON = {
    "common/pyproject.toml": "pyproject.toml",
    "common/README.md": "README.md",
    "common/LICENSE": "LICENSE",
    "common/gitignore": ".gitignore",
    "common/workflow.yml": ".github/workflows/test.yml",
    "{kind}/module.py": "{module}.py",
    "{kind}/test.py": "tests/test_{slug}.py",
    "{kind}/benchmarks.yaml": "benchmarks.yaml",
}
ABOUT: dict[Kind, dict[str, str]] = {
    "model": {
        "summary": "A model plugin for harbench: a small one-dimensional convolutional network.",
        "about": "A model for harbench: two convolutions along time, the mean over time, and a "
        "linear layer. A\nstart that works; make it yours in `${module}.py`.",
        "what": "the builder, and the model's registration with recipe and citation",
        "dependencies": '"harbench>=0.1", "torch>=2.4"',
        "check": "${name}",
        "run": "harbench run benchmarks.yaml",
        "ran": "trains it beside a published network on the recordings that come with harbench, "
        "and prints one\ntable.",
    },
    "dataset": {
        "summary": "A dataset plugin for harbench: recordings of one accelerometer, a CSV file "
        "a subject.",
        "about": "A dataset for harbench: recordings of one accelerometer, a CSV file a subject. "
        "`${name}` reads your\nfiles; `${name}-sim` is toy recordings in the same format, with "
        "invented signals, and tables mark them\nas simulated.",
        "what": "the reader, the simulator, and the registration with channels, classes, licence",
        "dependencies": '"harbench>=0.1", "numpy>=1.26"',
        "check": "${name} ${name}-sim",
        "run": "harbench datasets simulate ${name}\nharbench run benchmarks.yaml",
        "ran": "writes the toy recordings and trains a published network on them. For your own "
        "files,\n`harbench datasets show ${name}` names the folder that they go to, and "
        "benchmarks.yaml says\n`dataset: ${name}`.",
    },
    "analysis": {
        "summary": "An analysis plugin for harbench: the class that each model recognises worst.",
        "about": "An analysis for harbench: the class that each model recognises worst.",
        "what": "the analysis, and its registration",
        "dependencies": '"harbench>=0.1", "pandas>=2.1"',
        "check": "${name}",
        "run": "harbench run benchmarks.yaml",
        "ran": "trains a published network on the recordings that come with harbench and runs the "
        "analysis on it.\n`harbench analyse ${name} first-look` runs it again on what is trained.",
    },
}


def write_package(names: PluginNames, parent: Path, author: str = "") -> Path:
    """Write the package into ``parent/harbench-NAME`` and return that folder.

    Args:
        names: Of the plugin.
        parent: Folder that holds it; made where it does not exist.
        author: Of licence and citation; empty is "The harbench-NAME authors".

    Raises:
        ConfigError: the folder exists, cannot be written, or ``author`` cannot stand in a file.
    """
    folder = parent / names.project
    values = _values(names, author)
    _refuse_existing(folder, f"harbench new {names.kind} {names.name} --folder elsewhere")
    work = parent / f".{names.project}-{os.getpid()}"
    try:
        for template, target in COMMON.items():
            path = work / target.format(module=names.module, slug=names.slug)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(template.format(kind=names.kind), values), encoding="utf-8")
        work.rename(folder)
    except OSError as error:
        raise _cannot_be_written(folder, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def write_file(names: PluginNames, parent: Path, author: str = "") -> Path:
    """Write the package's module alone, as ``parent/NAME.py``, and return the file.

    Raises:
        ConfigError: as :func:`write_package`.
    """
    path = parent / f"{names.slug}.py"
    text = _filled(f"{names.kind}/module.py", _values(names, author))
    _refuse_existing(path, f"harbench new {names.kind} {names.name}2 --file")
    work = parent / f".{names.slug}-{os.getpid()}.tmp"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        work.write_text(text, encoding="utf-8")
        work.rename(path)
    except OSError as error:
        raise _cannot_be_written(path, error) from None
    finally:
        work.unlink(missing_ok=True)
    return path


def _refuse_existing(path: Path, fix: str) -> None:
    if os.path.lexists(path):
        raise ConfigError(
            "there is something of that name already; nothing was written",
            where=str(path),
            expected="a name or folder that is not taken",
            fix=fix,
        )


def _cannot_be_written(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"it cannot be written ({error.strerror or error})",
        where=str(path),
        expected="a folder that you may write to",
    )


def _values(names: PluginNames, author: str) -> dict[str, str]:
    author = author.strip() or f"The {names.project} authors"
    if not author.isprintable() or set('"\\') & set(author):
        raise ConfigError(
            f"{author!r} cannot stand in a licence",
            where="--author",
            expected='a name on one line, without " and \\',
        )
    values = {
        "name": names.name,
        "slug": names.slug,
        "module": names.module,
        "project": names.project,
        "author": author,
        "year": str(datetime.datetime.now(tz=datetime.UTC).year),
    }
    about = {key: Template(text).substitute(values) for key, text in ABOUT[names.kind].items()}
    return {**about, **values}


def _filled(template: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / f"{template}.tmpl").read_text("utf-8")
    return Template(text).substitute(values)
