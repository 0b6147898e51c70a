"""docs/reference.md says what the code says."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from harbench import errors, hookspecs, nouns

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sections():
    """Heading -> text below it, of the committed page."""
    text = (DOCS / "reference.md").read_text("utf-8")
    below = re.findall(r"^### `(\w+)[^\n]*\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return dict(below)


def test_the_committed_page_is_what_the_docstrings_make(maker):
    committed = (DOCS / "reference.md").read_text("utf-8")
    assert committed == maker.page(), "run: python docs/make_reference.py"


def test_every_hook_is_on_the_page_with_its_arguments(sections):
    hooks = [thing for thing in vars(hookspecs).values() if hasattr(thing, "harbench_spec")]
    assert {"register_models", "register_datasets", "register_analyses"} <= {
        hook.__name__ for hook in hooks
    }
    text = (DOCS / "reference.md").read_text("utf-8")
    for hook in hooks:
        [heading] = re.findall(rf"^### `{hook.__name__}\((.*)\)`$", text, re.MULTILINE)
        for argument in inspect.signature(hook).parameters:
            assert re.search(rf"\b{argument}: ", heading)
        first = " ".join(inspect.getdoc(hook).split("\n\n")[0].split()).replace("``", "`")
        assert first in " ".join(sections[hook.__name__].split())


@pytest.mark.parametrize("name", nouns.__all__)
def test_every_noun_is_on_the_page_with_its_public_fields(name, sections, maker):
    thing = getattr(nouns, name)
    assert name in sections
    if inspect.isclass(thing):
        rows = re.findall(r"^\| `(\w+)` \|", sections[name], re.MULTILINE)
        assert rows == [field for field in maker.fields_of(thing) if not field.startswith("_")]


def test_every_error_is_on_the_page():
    text = (DOCS / "reference.md").read_text("utf-8")
    for name, thing in vars(errors).items():
        if inspect.isclass(thing) and issubclass(thing, errors.HarbenchError):
            assert f"| `{name}` |" in text


def test_the_parts_of_a_docstring_are_told_apart(maker):
    text = """Something.

More of it with ``code`` and :class:`~harbench.nouns.protocol.Protocol`.

Args:
    one: First line,
        second line.
    two, three: Both.

Raises:
    ValueError: sometimes.
"""
    before, fields, after = maker._sections(text)
    assert before.strip().endswith("Protocol`.")
    assert fields == {"one": "First line, second line.", "two": "Both.", "three": "Both."}
    assert maker._prose(after) == "Raises: ValueError: sometimes."
    assert maker._prose(before).endswith("`code` and `Protocol`.")
    assert maker._clean("Annotated[\n Step | None, Field(gt=0)]") == "Step | None"
    assert maker._clean("Callable[['Tensor'], 'Tensor']") == "Callable[[Tensor], Tensor]"
    assert maker._cell("a | b") == "a \\| b"
