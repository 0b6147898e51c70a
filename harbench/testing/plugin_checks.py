"""Checks of the plugin itself: how it is imported, and what its package says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from harbench.errors import PluginError
from harbench.plan.keys import key_of, source_digest
from harbench.plugins import Origin
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError, said_of
from harbench.testing.subject import ENVIRONMENT, Subject

PLUGIN: CheckList[Subject[Any]] = CheckList()

IMPORT_LIMIT_S = 60
HEAVY = ("torch", "sklearn", "pandas", "scipy", "matplotlib", "tensorflow", "jax")

# Run in a fresh process, where nothing was imported yet. The heavy packages that the plugin brings
# in are told first; whether it changes settings of torch is only asked of a plugin that imports it.
_PROBE = """
import contextlib, importlib, importlib.util, io, json, os, sys
from pathlib import Path
answer, module, file, heavy, with_torch = json.loads(sys.argv[1])
if with_torch:
    import torch
from harbench.testing.global_state import generator_states, settings_changed, torch_settings
from harbench.plugin_files import spec_of
import harbench.nouns.analysis, harbench.nouns.dataset, harbench.nouns.model
there = set(sys.modules)
settings, states = torch_settings(), generator_states()
folder, variables = Path.cwd(), dict(os.environ)
said = io.StringIO()
with contextlib.redirect_stdout(said):
    if file:
        spec = spec_of("harbench_file_probe", file)
        plugin = importlib.util.module_from_spec(spec)
        sys.modules["harbench_file_probe"] = plugin
        spec.loader.exec_module(plugin)
    else:
        name, _, attribute = module.partition(":")
        plugin = importlib.import_module(name)
        for part in filter(None, attribute.split(".")):
            plugin = getattr(plugin, part)
    for kind in ("datasets", "models", "analyses"):
        getattr(plugin, f"register_{kind}", lambda register: None)(register=lambda thing: None)
now = generator_states()
changed = [name for name, state in states.items() if now[name] != state]
changed += settings_changed(settings)
if Path.cwd() != folder:
    changed.append(f"the working folder ({folder} -> {Path.cwd()})")
changed += [
    f"the environment variable {name}"
    for name in sorted({*variables, *os.environ})
    if variables.get(name) != os.environ.get(name)
]
Path(answer).write_text(json.dumps({
    "heavy": [name for name in heavy if name in sys.modules and name not in there],
    "changed": changed,
    "printed": said.getvalue()[:200],
}))
"""


def _import_alone(origin: Origin, *, with_torch: bool = False) -> dict[str, Any]:
    """Import a plugin in a fresh process and let it register; what that brought about."""
    return _probe(origin.module, "" if origin.module else origin.distribution, with_torch)


@cache
def _probe(module: str, file: str, with_torch: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="harbench-check-") as folder:
        answer = Path(folder) / "answer.json"
        question = json.dumps([str(answer), module, file, HEAVY, with_torch])
        paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
        try:
            done = subprocess.run(
                [sys.executable, "-c", _PROBE, question],
                env={**ENVIRONMENT, "PYTHONPATH": paths},
                capture_output=True,
                text=True,
                timeout=IMPORT_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FailedError(
                f"importing it takes more than {IMPORT_LIMIT_S} s",
                expected="an import that only defines things",
                fix="move work and downloads into the builder or reader",
            ) from None
        if not answer.exists():
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise FailedError(
                f"imported alone, in a fresh process, it fails: {last}",
                expected="a module that needs no other to be imported first",
                fix=f"python -c 'import {module or Path(file).stem}' shows where",
            )
        found: dict[str, Any] = json.loads(answer.read_text())
        return found


@PLUGIN.check(
    "import-changes-nothing",
    "importing the plugin leaves random generators, torch's settings, folder and environment alone",
)
def import_changes_nothing(subject: Subject[Any]) -> None:
    """Whoever installs a plugin must get the same numbers of all the others."""
    origin = _origin(subject)
    found = _import_alone(origin)
    changed = list(found["changed"])
    if "torch" in found["heavy"]:
        changed += _import_alone(origin, with_torch=True)["changed"]
    if changed:
        raise FailedError(
            f"importing it changes {', '.join(dict.fromkeys(changed))}",
            expected="an import that only defines things",
            fix="move the line out of the module, or delete it; harbench seeds everything itself",
        )


@PLUGIN.check("import-is-light", "importing the plugin prints nothing and imports no heavy package")
def import_is_light(subject: Subject[Any]) -> None:
    """Each command imports every installed plugin: one that imports torch costs seconds."""
    found = _import_alone(_origin(subject))
    if found["heavy"]:
        raise CautionError(
            f"importing it imports {', '.join(found['heavy'])}",
            expected="heavy packages imported inside the function that needs them",
            fix=f"move 'import {found['heavy'][0]}' into the builder",
        )
    if found["printed"]:
        raise CautionError(
            f"importing it prints {found['printed'].strip()!r}",
            expected="silence",
            fix="delete the print, or use logging",
        )


@PLUGIN.check("licence", "the package that brings the plugin states its licence")
def licence(subject: Subject[Any]) -> str:
    """Who may use it is the first thing that a lab asks of a package."""
    origin = _origin(subject)
    if not origin.module:
        raise NotCheckedError("a plugin in one file belongs to no package")
    try:
        about = metadata(origin.distribution)
    except PackageNotFoundError:
        raise NotCheckedError(f"{origin.distribution} has no metadata") from None
    # Not about["License"]: where importlib_metadata is imported too, a missing key raises.
    stated = [*about.get_all("License-Expression", []), *about.get_all("License", [])]
    stated += [c for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    for text in stated:
        if text and text.strip().upper() != "UNKNOWN":
            return str(text).splitlines()[0]
    raise CautionError(
        f"package {origin.distribution} states no licence",
        expected="a licence that says who may use it",
        fix='add license = "MIT" (or yours) to [project] in pyproject.toml',
    )


def check_source(function: Callable[..., Any]) -> str:
    """The function's source can be found: a change of it must train cells again.

    Raises:
        FailedError: it cannot.
    """
    try:
        return f"sha256 {source_digest(function)[:16]}..."
    except (PluginError, OSError, SyntaxError) as error:
        raise FailedError(
            f"the source of '{getattr(function, '__name__', function)}' cannot be read "
            f"({said_of(error)})",
            expected="a function in a .py file: results are kept by the content of that file",
            fix="define it with def in the plugin's module",
        ) from error


def check_options(options: dict[str, Any], of: str) -> str:
    """The options' defaults can stand in YAML and in a content key.

    Raises:
        FailedError: one cannot.
    """
    for name, value in options.items():
        try:
            same = json.loads(json.dumps(value, allow_nan=False)) == _without_tuples(value)
            key_of(value)
        except (TypeError, ValueError):
            same = False
        if not same:
            raise FailedError(
                f"option '{name}' of the {of} has the default {value!r}, which YAML cannot say",
                expected="a number, a string, true, false, null, or lists and mappings of them",
                fix="take a string and look the object up inside the function",
            )
    return ", ".join(f"{name}: {value!r}" for name, value in options.items()) or "no options"


def _without_tuples(value: Any) -> Any:
    return list(map(_without_tuples, value)) if isinstance(value, tuple | list) else value


def check_one_line(what: str, text: str) -> None:
    """A text that stands in a list.

    Raises:
        FailedError: it is empty or has several lines.
    """
    if not text.strip():
        raise FailedError(f"{what} is empty", expected="one line", fix=f"give it a {what}")
    if len(text.splitlines()) > 1 or len(text) > 200:
        raise FailedError(
            f"{what} has {len(text.splitlines())} lines and {len(text)} characters",
            expected="one line of at most 200 characters",
            fix="move the rest into notes",
        )


def check_citation(citation: Any) -> None:
    """A citation that a reader can follow.

    Raises:
        FailedError: it has no text, or a DOI that is an address.
        CautionError: it has neither DOI nor address.
    """
    from harbench.nouns import Citation

    if not isinstance(citation, Citation) or not citation.text.strip():
        raise FailedError(
            "it has no citation",
            expected="harbench.Citation(text, doi=..., url=...)",
            fix="cite the paper, or your own repository where there is none",
        )
    if citation.doi.startswith(("http", "doi:")):
        raise FailedError(
            f"the DOI is written {citation.doi!r}",
            expected="the bare DOI: 10.1007/978-3-030-99203-3_9",
            fix="put the address into url=, or cut it off",
        )
    if not citation.doi and not citation.url:
        raise CautionError(
            "the citation has neither a DOI nor an address",
            expected="a way to find the paper",
            fix="give the Citation a doi= or url=",
        )


def _origin(subject: Subject[Any]) -> Origin:
    if subject.origin is None:
        raise NotCheckedError("it was handed in and is not registered by a plugin")
    return subject.origin
