"""How a plugin that is a single file becomes a module, in whichever process needs it."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType


class _AsItStands(SourceFileLoader):
    """Compiled code of before is not looked at, and none is kept.

    Python takes a file that was changed within a second, and kept its length, for the same. Content
    keys tell the two apart, and a cell must be of the code that its key names.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def spec_of(name: str, path: Path | str) -> ModuleSpec | None:
    """What imports a file as a module of that name, as it stands; None if it is not Python's."""
    if Path(path).suffix != ".py":
        return None
    return spec_from_file_location(name, path, loader=_AsItStands(name, str(path)))
