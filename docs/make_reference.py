"""Writes docs/reference.md from the docstrings of the hooks and the nouns.

    python docs/make_reference.py

A test compares the page with what this makes, so that it says what the code says.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harbench import errors, hookspecs, nouns

PAGE = Path(__file__).with_name("reference.md")

BEGINNING = """# Reference: hooks and contracts

<!-- Made by docs/make_reference.py from the docstrings; change those. -->

What a plugin may call and must keep to. [plugins.md](plugins.md) shows it with examples. A plugin
module marks functions with `@harbench.hookimpl`; their names and arguments are those of the hooks
below. Everything named here comes from `harbench.nouns`; the commonest are in `harbench` too.

What holds for all of it:

- Registration describes and imports nothing heavy. Builders and readers import torch, scikit-learn
  or pandas themselves, when they are called.
- A name has {rule}.
  Two plugins with one name of a kind are an error that names both.
- All nouns are frozen. Arrays are NumPy's; [..] after a type is its shape.
- Keyword arguments with defaults, of a builder or an analysis, are its options in benchmarks.yaml.
- What a user can mend is raised as a `HarbenchError`: it is printed without a traceback, and the
  exit code is 2.
"""

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Models": ("Model", "Estimator", "Counts", "PublishedResult", "Citation"),
    "Recipes": ("Recipe", "Method", "Plateau", "Step", "Cosine"),
    "Losses and augmentations": ("Loss", "Augmentation", "TrainingBatch"),
    "Datasets": (
        "Dataset", "Channel", "Task", "Recording", "Source", "SourceFile", "Archive", "Member",
    ),
    "Protocols": (
        "Protocol", "Split", "FixedSplit", "LeaveOneOutSplit", "GroupSplit", "BlockSplit",
        "RandomWindowSplit",
    ),
    "Analyses": ("Analysis", "AnalysisResult", "TrainedCell", "LoadedCell", "Variant", "Trainer"),
    "Scores": ("Score", "Predicted"),
    "Observers": ("CellFacts", "EpochEnd", "CellEnd", "RunEnd"),
    "Commands": ("Command",),
}  # fmt: skip


def page() -> str:
    """The whole page."""
    parts = [BEGINNING.format(rule=nouns_rule())]
    parts.append("## Hooks\n\nWhat they return is ignored.")
    parts += [_hook(hook) for hook in hooks()]
    placed = {name for names in SECTIONS.values() for name in names}
    sections = {**SECTIONS, "More": tuple(n for n in nouns.__all__ if n not in placed)}
    for title, names in sections.items():
        there = [name for name in names if name in nouns.__all__]
        if there:
            parts.append(f"## {title}")
            parts += [_noun(name) for name in there]
    parts.append(_errors())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def nouns_rule() -> str:
    """What a name may hold."""
    from harbench.nouns.names import NAME_RULE

    return NAME_RULE


def hooks() -> list[Any]:
    """The functions that pluggy takes for hooks, in the order of the file."""
    return [thing for thing in vars(hookspecs).values() if hasattr(thing, "harbench_spec")]


def _hook(hook: Any) -> str:
    arguments = ", ".join(
        f"{name}: {_clean(str(parameter.annotation))}"
        for name, parameter in inspect.signature(hook).parameters.items()
    )
    return f"### `{hook.__name__}({arguments})`\n\n{_prose(inspect.getdoc(hook) or '')}"


def _noun(name: str) -> str:
    thing = getattr(nouns, name)
    if not inspect.isclass(thing):
        return f"### `{name}`\n\n{_alias(name)}"
    before, documented, after = _sections(inspect.getdoc(thing) or "")
    lines = [f"### `{name}`", "", _prose(before)]
    fields = list(_fields(thing, documented))
    if fields:
        lines += ["", "| field | type | default | meaning |", "|---|---|---|---|"]
        lines += [f"| `{n}` | {_code(t)} | {_code(d)} | {m} |" for n, t, d, m in fields]
    members = list(_members(thing, {field[0] for field in fields}))
    if members:
        lines += ["", *(f"- `{signature}`: {said}" for signature, said in members)]
    if after:
        lines += ["", _prose(after)]
    return "\n".join(lines)


def _alias(name: str) -> str:
    source = Path(inspect.getfile(nouns)).with_name(f"{nouns._HOME[name]}.py")
    body = ast.parse(source.read_text("utf-8")).body
    for at, node in enumerate(body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            said = ""
            following = body[at + 1] if at + 1 < len(body) else None
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                said = _prose(inspect.cleandoc(str(following.value.value)))
            return f"`{_clean(ast.unparse(node.value))}`" + (f"\n\n{said}" if said else "")
    raise LookupError(f"{source} does not define {name}")


def fields_of(thing: type) -> list[str]:
    """Names of the public fields of a noun."""
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    if getattr(thing, "_is_protocol", False):
        return list(inspect.get_annotations(thing))
    return list(getattr(thing, "model_fields", {}))


def _fields(thing: type, documented: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    annotations = inspect.get_annotations(thing)
    for name in fields_of(thing):
        default, said = "", documented.get(name, "")
        if dataclasses.is_dataclass(thing):
            default = _default(thing.__dataclass_fields__[name])
        elif not getattr(thing, "_is_protocol", False):
            field = thing.model_fields[name]  # type: ignore[attr-defined]
            default = (
                "" if field.is_required() else repr(field.get_default(call_default_factory=True))
            )
            said = said or (field.description or "")
        yield name, _clean(str(annotations[name])), default, _cell(said)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    return "" if field.default_factory is dataclasses.MISSING else repr(field.default_factory())


def _members(thing: type, fields: set[str]) -> Iterator[tuple[str, str]]:
    for name, member in vars(thing).items():
        if name.startswith("_") or name in fields or name == "model_config":
            continue
        function = member.fget if isinstance(member, property) else member
        if not inspect.isfunction(function) or not function.__doc__:
            continue
        said = _cell(_prose(inspect.getdoc(function) or "").replace("\n", " "))
        if isinstance(member, property):
            yield name, said
        else:
            parameters = [p for p in inspect.signature(function).parameters if p != "self"]
            yield f"{name}({', '.join(parameters)})", said


def _sections(text: str) -> tuple[str, dict[str, str], str]:
    """What stands before ``Args:``, the arguments, and what comes after them."""
    before, *found = re.split(r"^(?:Args|Attributes):\n", text, maxsplit=1, flags=re.MULTILINE)
    return (before, *_arguments(found[0])) if found else (before, {}, "")


def _arguments(rest: str) -> tuple[dict[str, str], str]:
    lines = rest.splitlines()
    end = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    said: dict[str, str] = {}
    names: list[str] = []
    for line in textwrap.dedent("\n".join(lines[:end])).splitlines():
        started = re.match(r"((?:\w+)(?:, \w+)*): (.*)", line)
        if started and not line.startswith(" "):
            names = started[1].split(", ")
            for name in names:
                said[name] = started[2]
        else:
            for name in names:
                said[name] += " " + line.strip()
    return said, "\n".join(lines[end:])


def _prose(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text.strip())
    text = text.replace("``", "`")
    # "Raises:" and "Returns:" with an indented list under them.
    parts = []
    for block in re.split(r"\n\n+", text):
        if re.match(r"(Raises|Returns):\n", block):
            head, _, body = block.partition("\n")
            body = " ".join(line.strip() for line in body.splitlines())
            parts.append(f"{head} {body}")
        else:
            parts.append(block)
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    text = re.sub(r"\s+", " ", _prose(text)).strip()
    # A bar inside code would end the cell of the table.
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else ""


def _clean(annotation: str) -> str:
    """An annotation without quotes and without what pydantic checks beside the type."""
    text = re.sub(r"\s+", " ", annotation)
    if "Literal" not in text:
        text = text.replace("'", "").replace('"', "")
    if text.startswith("Annotated["):
        depth, text = 0, text[len("Annotated[") :].strip()
        for at, letter in enumerate(text):
            depth += (letter in "[(") - (letter in "])")
            if letter == "," and depth == 0:
                return text[:at]
    return text


def _errors() -> str:
    lines = [
        "## Errors",
        "",
        "From `harbench.errors`. Each takes `(what, *, where=None, expected=None, fix=None)`: one",
        "sentence, the file and line or key that it is about, what would have been right, and a",
        "command that mends it.",
        "",
        "| error | what it says |",
        "|---|---|",
    ]
    for name, thing in vars(errors).items():
        if inspect.isclass(thing) and issubclass(thing, errors.HarbenchError):
            first = (inspect.getdoc(thing) or "").split("\n\n")[0]
            lines.append(f"| `{name}` | {_cell(first)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(page().splitlines())} lines\n")
