"""Which stored cell a command line means: a key, its first characters, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harbench.results import Store

# Of a key, in lists: 48 bits tell a million cells apart.
SHOWN = 12
_LISTED = 5


def chosen_cell(word: str, store: Store) -> tuple[Store, str]:
    """The store and key that are meant.

    Args:
        word: Key of a cell, its first characters, its folder, or a file in that.
        store: Where a key is looked for, in imported bundles as well; a folder may lie elsewhere.

    Raises:
        ResultsError: no cell, or several, begin like that.
    """
    from harbench.config.nodes import printable
    from harbench.errors import ResultsError
    from harbench.results import Store
    from harbench.results.imports import imports

    folder = Path(word)
    folder = folder.parent if folder.name == "record.json" else folder
    if word.strip() and _holds_record(folder):
        whole = folder.resolve()
        return Store(whole.parents[2]), whole.name
    begins = word.strip().lower()
    found: dict[str, Store] = {}
    # One's own last: a cell that an import holds as well is one's own.
    for one in [*(imported.store for imported in imports(store)), store]:
        names = (path.parent.name for path in one.folder.glob("cells/*/*/record.json"))
        found |= {name: one for name in names if name.startswith(begins)}
    keys = sorted(found)
    if begins and len(keys) == 1:
        return found[keys[0]], keys[0]
    some = ", ".join(key[:SHOWN] for key in keys[:_LISTED])
    more = ", ..." if len(keys) > _LISTED else ""
    raise ResultsError(
        f"{len(keys) or 'no'} cells begin with '{printable(word[:80])}'"
        + (f": {some}{more}" if keys else ""),
        where=str(store.folder),
        expected="the key of one cell, its first characters, or its folder",
        fix="harbench show" + (f" --out {store.folder}" if str(store.folder) != "results" else ""),
    )


def _holds_record(folder: Path) -> bool:
    try:
        return (folder / "record.json").is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False
