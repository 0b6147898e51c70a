"""The short forms that a file may use, written out: lists of models, empty sections."""

from __future__ import annotations

from harbench.config.nodes import Node, Problems

# An empty section is what is left when all its lines are commented out.
SECTIONS = ("protocol", "recipe", "options")


def written_out(node: Node, problems: Problems) -> Node:
    """A benchmark (or the defaults) with empty sections as mappings and ``models`` by row.

    What is written out already is left as it is.
    """
    children = _sections(node.children)
    if "models" in children:
        children["models"] = _models(children["models"], problems)
    return node.with_value(children)


def _sections(children: dict[str, Node]) -> dict[str, Node]:
    return {
        key: child.with_value({}) if key in SECTIONS and child.value is None else child
        for key, child in children.items()
    }


def _models(node: Node, problems: Problems) -> Node:
    rows: dict[str, Node] = {}
    if isinstance(node.value, dict):
        pairs = list(node.value.items())
    elif isinstance(node.value, list):
        pairs = [pair for item in node.value for pair in _item(item, problems)]
    else:
        problems.add(node.at, f"models is {node}", "a list of model names, or a mapping of rows")
        pairs = []
    for row, settings in pairs:
        if row in rows:
            problems.add(
                settings.key_at,
                f"row '{row}' is given twice, first at {rows[row].key_at}",
                "a name of its own for each row (my-row: {model: NAME})",
            )
            continue
        if settings.value is not None and not isinstance(settings.value, dict):
            problems.add(settings.at, f"models.{row} is {settings}", "a mapping, or nothing")
        rows[row] = settings.with_value(_sections(settings.children))
    if not rows and node.value in ({}, []):
        problems.add(node.at, f"models is {node}", "at least one model")
    if not rows:  # said already: a stand-in, so that nothing more is said of it
        rows["any"] = Node({}, node.at, node.at)
    return node.with_value(dict(rows))


def _item(item: Node, problems: Problems) -> list[tuple[str, Node]]:
    if isinstance(item.value, str):
        return [(item.value, item.with_value(None))]
    if len(item.children) == 1:
        return list(item.children.items())
    what = "a mapping of several keys" if len(item.children) > 1 else str(item)
    problems.add(
        item.at,
        f"an item of models is {what}",
        "a model's name, or one row with its settings indented below it",
    )
    return []
