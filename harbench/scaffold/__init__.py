"""New plugins: a whole package, or one file, that works as it stands.

The templates lie beside this module, in ``templates/``, as files whose ``${name}`` and the like
are filled in.
"""

from harbench.scaffold.naming import KINDS, Kind, PluginNames, names_for
from harbench.scaffold.writing import write_file, write_package

__all__ = ["KINDS", "Kind", "PluginNames", "names_for", "write_file", "write_package"]
