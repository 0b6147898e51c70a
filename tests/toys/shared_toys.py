"""A site with an installed plugin package, ``shared-toys``, of any version and content."""

from pathlib import Path

_SOURCE = '''
"""A plugin of a package: one model. {remark}"""

import harbench


def shared(n_channels, n_times, n_classes):
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))


RECIPE = harbench.Recipe(optimizer="adam", learning_rate=0.02, batch_size=32, epochs=6)


@harbench.hookimpl
def register_models(register):
    cite = harbench.Citation("Nobody, 2026")
    register(harbench.Model("shared", "of a package", shared, RECIPE, cite, window=10))
'''


def shared_toys(folder: Path, version: str, remark: str = "") -> Path:
    """Write the site; the folder, for a search path."""
    info = folder / f"shared_toys-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: shared-toys\nVersion: {version}\n"
    )
    (info / "entry_points.txt").write_text("[harbench]\nshared = shared_toys_plugin\n")
    (folder / "shared_toys_plugin.py").write_text(_SOURCE.format(remark=remark))
    return folder
