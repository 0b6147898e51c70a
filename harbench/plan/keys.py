"""Content keys: equal key, equal result; change anything that matters and the key is another."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import harbench
from harbench.data.splits import Fold
from harbench.errors import PluginError

# What stands between a dataset's samples and a trained network. The rooms behind it (results,
# report, cli) can change without a single cell being trained again.
_DECIDES = (
    "data/gaps.py",
    "data/normalise.py",
    "data/prepared.py",
    "data/splits.py",
    "data/windows.py",
    "nouns/lengths.py",
    "nouns/training.py",
    "training",
)


def key_of(content: Any) -> str:
    """sha256 of a JSON-like content, independent of the order of its mappings."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def seeded_keys(content: Mapping[str, Any], seeds: Iterable[int]) -> Iterator[str]:
    """``key_of({**content, "seed": seed})`` for each seed. What the cells of a fold share is
    written out and hashed once.

    Args:
        content: JSON-like, without a seed.
        seeds: Of the cells.
    """
    before, after = (
        ",".join(
            f"{_canonical(name)}:{_canonical(content[name])}"
            for name in sorted(content)
            if (name < "seed") is first
        )
        for first in (True, False)
    )
    shared = hashlib.sha256(f'{{{before}{"," if before else ""}"seed":'.encode())
    end = f"{',' if after else ''}{after}}}"
    for seed in seeds:
        digest = shared.copy()
        digest.update(f"{_canonical(seed)}{end}".encode())
        yield digest.hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def fold_digest(fold: Fold) -> str:
    """sha256 of the starts and classes of all windows of a fold."""
    digest = hashlib.sha256()
    for part in (fold.train, fold.validation, fold.test):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part.starts.tobytes())
        digest.update(part.labels.tobytes())
    return digest.hexdigest()


@cache
def harbench_digest(rooms: tuple[str, ...] = _DECIDES) -> str:
    """Name of the parts of harbench that determine a result.

    Code is compared, not text: comments, docstrings and layout may change.
    """
    root = Path(harbench.__file__).parent
    files = sorted(
        file
        for room in rooms
        for file in ([root / room] if room.endswith(".py") else (root / room).glob("*.py"))
    )
    listing = [[str(file.relative_to(root)), _code(file)] for file in files]
    return key_of(listing)


def _code(file: Path) -> str:
    return hashlib.sha256(repr(_essence(ast.parse(file.read_bytes()))).encode()).hexdigest()


def _essence(node: Any) -> Any:
    # ast.dump differs between Python versions (empty fields, new ones); this leaves those out.
    if isinstance(node, ast.AST):
        fields = [
            (name, _essence(value))
            for name, value in ast.iter_fields(node)
            if value not in (None, []) and name not in ("type_comment", "kind")
        ]
        return (type(node).__name__, fields)
    if isinstance(node, list):
        return [_essence(item) for item in node if not _is_docstring(item)]
    return node


def _is_docstring(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def source_digest(function: Callable[..., Any]) -> str:
    """sha256 of the source of a builder: its module's file and the modules of the same package
    that it imports, and so on. One changed byte in any of them gives another digest.

    Raises:
        PluginError: the source cannot be found (a builder typed at a prompt).
    """
    return _read(*_first_file(function))[0]


def library_versions(function: Callable[..., Any]) -> dict[str, str]:
    """Distribution -> version of the libraries that a builder's source imports, directly or by
    the modules of its own package: of an estimator they are the algorithm.

    Raises:
        PluginError: the source cannot be found (a builder typed at a prompt).
    """
    named = _read(*_first_file(function))[1]
    distributions = _distributions()
    found = {name for package in named for name in distributions.get(package, ())}
    return {name: version(name) for name in sorted(found)}


# It reads the file lists of all that is installed: a tenth of a second and more.
_distributions = cache(packages_distributions)


def _first_file(function: Callable[..., Any]) -> tuple[Path, str]:
    """File and name of the module that a builder is written in."""
    function = inspect.unwrap(getattr(function, "func", function))
    try:
        first = Path(inspect.getsourcefile(function) or "")
    except TypeError as error:
        raise PluginError(f"builder {function!r} has no source file") from error
    if not first.is_file():
        raise PluginError(f"the source of builder {function!r} is not on disk")
    return first, function.__module__


@cache
def _read(first: Path, module: str) -> tuple[str, frozenset[str]]:
    """Digest of a module and those of its package that it imports; the other packages' names."""
    seen: dict[Path, bytes] = {}
    others: set[str] = set()
    waiting = [(first, module)]
    while waiting:
        file, name = waiting.pop()
        if file in seen:
            continue
        seen[file] = file.read_bytes()
        package = name.split(".")[0]
        for imported in _imports(ast.parse(seen[file]), name):
            other = imported.split(".")[0]
            if other != package:
                others.add(other)
            elif found := _file_of(imported):
                waiting.append((found, imported))
    digest = hashlib.sha256()
    # Ordered by content, so that where the package is installed does not matter.
    for content in sorted(hashlib.sha256(source).digest() for source in seen.values()):
        digest.update(content)
    # harbench has a digest of its own.
    return digest.hexdigest(), frozenset(others - sys.stdlib_module_names - {"harbench"})


def _imports(tree: ast.AST, module: str) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield base
            # `from package import module` names a module, not an attribute.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _file_of(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)
