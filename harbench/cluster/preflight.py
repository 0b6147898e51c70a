"""What a worker must have in common with the client, so that a cell gives the same bits there.

Run as a program it says what this machine is, in a process of its own: plugins are loaded afresh,
as the cells will load them, and what they do meanwhile is no harm to the worker.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harbench.data.folders import cache_root
from harbench.execute.environment import environment
from harbench.plugin_guard import nothing_on_stdout
from harbench.plugins import Registry, load_plugins

LEAST_DISK = 500 << 20
"""Bytes that must be free where a worker keeps its cache."""

_TRAINING = ("dataset", "model", "loss", "augmentation", "score")
"""What a cell may need; plugins of other things work on the client alone."""


@dataclass(frozen=True)
class PluginFacts:
    """An installed plugin: the package that brings it, and the sha256 of its sources."""

    package: str
    sha256: str


@dataclass(frozen=True)
class Facts:
    """What a machine is.

    Args:
        versions: Package -> version; Python's as major.minor.
        harbench: sha256 of harbench's sources.
        plugins: Name -> plugin, of those that offer something that cells need.
        broken: Name -> why a plugin cannot be loaded.
        disk: Bytes free where the cache lies.
        cache: Where that is.
        memory: Bytes of the machine.
        gpus: What CUDA_VISIBLE_DEVICES calls each that may be used; empty on a cpu.
    """

    versions: Mapping[str, str]
    harbench: str
    plugins: Mapping[str, PluginFacts]
    broken: Mapping[str, str] = field(default_factory=dict)
    disk: int = 0
    cache: str = ""
    memory: int = 0
    gpus: tuple[str, ...] = ()

    @property
    def sources(self) -> str:
        """sha256 over all that a process loads."""
        packages = [[name, *asdict(plugin).values()] for name, plugin in self.plugins.items()]
        return hashlib.sha256(
            json.dumps([self.harbench, sorted(packages), dict(self.versions)]).encode()
        ).hexdigest()

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Facts:
        """What :func:`main` printed."""
        plugins = {name: PluginFacts(**plugin) for name, plugin in content["plugins"].items()}
        return cls(**{**content, "plugins": plugins, "gpus": tuple(content["gpus"])})


@dataclass(frozen=True)
class Difference:
    """Why a worker cannot be used, and a command that mends it (on the worker), where there is."""

    text: str
    fix: str | None = None


def facts_of(registry: Registry, device: str = "cpu") -> Facts:
    """What this machine is.

    Args:
        registry: Its plugins, loaded.
        device: That cells are to be trained on; GPUs are counted only where it may be one.
    """
    versions = dict(environment()["versions"])
    versions["python"] = ".".join(versions["python"].split(".")[:2])
    plugins = {
        origin.plugin: PluginFacts(origin.package, package_sha256(_top(origin.module)))
        for origin in registry.loaded
        if origin.module and set(registry.names_of(origin)) & set(_TRAINING)
    }
    broken = {found.origin.plugin: found.reason for found in registry.broken}
    root = cache_root()
    return Facts(
        versions,
        package_sha256("harbench"),
        plugins,
        broken,
        _free(root),
        str(root),
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        () if device == "cpu" else _gpus(),
    )


def differences(
    ours: Facts, theirs: Facts, files: Iterable[str] = (), *, wants_gpu: bool = False
) -> list[Difference]:
    """What forbids that a worker trains cells of this client; empty where nothing does.

    Args:
        ours: Of the client.
        theirs: Of the worker.
        files: Names of the single-file plugins that were sent to it.
        wants_gpu: Whether cells are trained on one.
    """
    found: list[Difference] = []
    for name, version in ours.versions.items():
        there = theirs.versions.get(name)
        if there is None or _plain(there) != _plain(version):
            fix = None if name == "python" else f"pip install '{name}=={_plain(version)}'"
            found.append(Difference(f"{name} {there or 'is missing'} there, {version} here", fix))
    if theirs.versions.get("harbench") == ours.versions.get("harbench") and (
        theirs.harbench != ours.harbench
    ):
        found.append(
            Difference(
                "harbench has the same version there and other sources "
                f"({theirs.harbench[:12]}... there, {ours.harbench[:12]}... here)",
                f"pip install --force-reinstall 'harbench=={ours.versions.get('harbench')}'",
            )
        )
    for name, plugin in ours.plugins.items():
        found += _of_plugin(name, plugin, theirs)
    for name in files:
        if name in theirs.broken:
            found.append(Difference(f"plugin {name} cannot be loaded: {theirs.broken[name]}"))
    if theirs.disk < LEAST_DISK:
        found.append(
            Difference(
                f"{theirs.disk / 1e6:.0f} MB are free in {theirs.cache} "
                f"(expected {LEAST_DISK / 1e6:.0f} MB)",
                "HARBENCH_CACHE=/a/folder/with/room dask worker ...",
            )
        )
    if wants_gpu and not theirs.gpus:
        found.append(Difference("it has no GPU that torch can use", "nvidia-smi"))
    return found


def _of_plugin(name: str, plugin: PluginFacts, theirs: Facts) -> list[Difference]:
    parts = plugin.package.rsplit(" ", 1)
    install = f"pip install '{'=='.join(parts)}'"
    if name in theirs.broken:
        return [Difference(f"plugin {name} cannot be loaded: {theirs.broken[name]}", install)]
    there = theirs.plugins.get(name)
    if there is None:
        return [Difference(f"plugin {name} ({plugin.package}) is missing", install)]
    if there.package != plugin.package:
        return [
            Difference(f"plugin {name} is {there.package} there, {plugin.package} here", install)
        ]
    if there.sha256 != plugin.sha256:
        return [
            Difference(
                f"plugin {name} ({plugin.package}) has the same version there and other sources "
                f"({there.sha256[:12]}... there, {plugin.sha256[:12]}... here)",
                install.replace("pip install", "pip install --force-reinstall"),
            )
        ]
    return []


def _plain(version: str) -> str:
    # 2.4.0+cpu and 2.4.0+cu121 are builds of one version.
    return version.split("+")[0]


def _top(module: str) -> str:
    return re.split(r"[.:\s\[]", module, maxsplit=1)[0]


@cache
def package_sha256(package: str) -> str:
    """Over the Python files of a package (or the one of a module): names and contents."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return ""
    if spec.submodule_search_locations is None:
        return hashlib.sha256(Path(str(spec.origin)).read_bytes()).hexdigest()
    total = hashlib.sha256()
    for folder in sorted(map(Path, spec.submodule_search_locations)):
        for path in sorted(folder.rglob("*.py")):
            total.update(path.relative_to(folder).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _free(folder: Path) -> int:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _gpus() -> tuple[str, ...]:
    import torch

    number = torch.cuda.device_count()
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return tuple(named[:number]) if len(named) >= number else tuple(map(str, range(number)))


def main(words: Sequence[str]) -> None:
    """Print what this machine is, as JSON.

    Args:
        words: As JSON the plugin files and the device.
    """
    files, device = json.loads(words[0])
    with nothing_on_stdout():
        facts = facts_of(load_plugins([Path(file) for file in files]), device)
    print(json.dumps(asdict(facts)))


if __name__ == "__main__":
    main(sys.argv[1:])
