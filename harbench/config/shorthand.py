"""The short forms that a file may use, written out: lists of names, empty sections."""

from __future__ import annotations

from harbench.config.nodes import Node, Problems

# An empty section is what is left when all its lines are commented out.
SECTIONS = ("protocol", "recipe", "options")
# Lists of names, or of names with settings -> the key that the name becomes, and what it names.
NAMED = {"models": ("row", "model"), "analyses": ("entry", "analysis")}
_PLURAL = {"row": "rows", "entry": "entries"}


def written_out(node: Node, problems: Problems) -> Node:
    """A benchmark (or the defaults) with empty sections as mappings, models and analyses by name.

    What is written out already is left as it is.
    """
    children = _sections(node.children)
    for key in NAMED:
        if key in children:
            children[key] = _by_name(key, children[key], problems)
    return node.with_value(children)


def _sections(children: dict[str, Node]) -> dict[str, Node]:
    return {
        key: child.with_value({}) if key in SECTIONS and child.value is None else child
        for key, child in children.items()
    }


def _by_name(key: str, node: Node, problems: Problems) -> Node:
    word, thing = NAMED[key]
    found: dict[str, Node] = {}
    optional = key != "models"
    if isinstance(node.value, dict):
        pairs = list(node.value.items())
    elif isinstance(node.value, list):
        pairs = [pair for item in node.value for pair in _item(key, item, problems)]
    elif node.value is None and optional:
        pairs = []
    else:
        expected = f"a list of {thing} names, or a mapping of {_PLURAL[word]}"
        problems.add(node.at, f"{key} is {node}", expected)
        pairs = []
    for name, settings in pairs:
        if name in found:
            problems.add(
                settings.key_at,
                f"{word} '{name}' is given twice, first at {found[name].key_at}",
                f"a name of its own for each {word} (my-{word}: {{{thing}: NAME}})",
            )
            continue
        if settings.value is not None and not isinstance(settings.value, dict):
            problems.add(settings.at, f"{key}.{name} is {settings}", "a mapping, or nothing")
        found[name] = settings.with_value(_sections(settings.children))
    if not found and not optional:
        if node.value in ({}, []):
            problems.add(node.at, f"{key} is {node}", "at least one model")
        # Said already: a stand-in, so that nothing more is said of it.
        found["any"] = Node({}, node.at, node.at)
    return node.with_value(dict(found))


def _item(key: str, item: Node, problems: Problems) -> list[tuple[str, Node]]:
    if isinstance(item.value, str):
        return [(item.value, item.with_value(None))]
    if len(item.children) == 1:
        return list(item.children.items())
    word, thing = NAMED[key]
    what = "a mapping of several keys" if len(item.children) > 1 else str(item)
    article = "an" if thing[0] in "aeiou" else "a"
    problems.add(
        item.at,
        f"an item of {key} is {what}",
        f"{article} {thing}'s name, or one {word} with its settings indented below it",
    )
    return []
