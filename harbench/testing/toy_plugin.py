"""A small dataset and a small network, for what needs a trained cell.

It is a plugin in one file, which worker processes load beside the plugin that is checked. Its names
are no plugin's: no entry point offers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harbench import (
    Channel,
    Citation,
    DataMissingError,
    Dataset,
    Model,
    Recipe,
    Recording,
    Source,
    SourceFile,
    Task,
    hookimpl,
)
from harbench.nouns import FixedSplit, LeaveOneOutSplit

if TYPE_CHECKING:
    from torch import nn

DATASET = "harbench-check-data"
NETWORK = "harbench-check-network"
FILE = Path(__file__)
CLASSES = ("Null", "wave", "turn")


def write(folder: Path, run: int, runs: int = 12, seed: int = 0) -> None:
    """Four subjects' recordings: "wave" raises the first channel, "turn" lowers the second.

    Args:
        folder: Is made.
        run: Samples of one class before the next comes.
        runs: In each recording.
        seed: Of the noise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for subject in range(1, 5):
        classes = rng.permutation(np.arange(runs) % len(CLASSES))
        labels = np.repeat(classes, run).astype(np.int16)
        signals = rng.normal(0, 1, (len(labels), 3)).astype(np.float32)
        signals[labels == 1, 0] += 3
        signals[labels == 2, 1] -= 3
        np.savez(folder / f"s{subject}.npz", signals=signals, labels=labels)


def sources(folder: Path) -> Sequence[Source]:
    """One a subject.

    Raises:
        DataMissingError: nothing was written into the folder.
    """
    files = sorted(folder.glob("s*.npz"))
    if not files:
        raise DataMissingError(
            f"no file of {DATASET} is in {folder}", fix="harbench check --first-party"
        )
    return [Source(file.stem, (SourceFile(file),)) for file in files]


def read(source: Source) -> Iterable[Recording]:
    """The one recording of a file."""
    with np.load(source.files[0].path) as content:
        signals, labels = content["signals"], content["labels"]
    return [Recording(source.name, source.name, "a", signals, {"gestures": labels})]


def build(n_channels: int, n_times: int, n_classes: int) -> nn.Module:
    """One convolution, batch norm, and the mean over time."""
    from torch import nn

    return nn.Sequential(
        nn.Conv1d(n_channels, 8, 1),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(8, n_classes),
    )


_PLACES = ("right wrist", "right wrist", "back")

TOY_DATASET = Dataset(
    name=DATASET,
    title="Made by harbench check",
    rate_hz=20.0,
    channels=tuple(
        Channel(f"ACC {i}", f"ACC {place}", place, "accelerometer", axis, "g", i, (-6, 6))
        for i, (place, axis) in enumerate(zip(_PLACES, "xyx", strict=True), 1)
    ),
    tasks=(Task("gestures", CLASSES, null=0),),
    splits={
        "subjects": FixedSplit(train=("s1", "s2"), validation=("s3",), test=("s4",)),
        "loso": LeaveOneOutSplit(),
    },
    citation=Citation("harbench"),
    licence="MIT",
    sources=sources,
    read=read,
)


@hookimpl
def register_datasets(register: Callable[[Dataset], None]) -> None:
    """Offer the dataset."""
    register(TOY_DATASET)


@hookimpl
def register_models(register: Callable[[Model], None]) -> None:
    """Offer the network."""
    recipe = Recipe(learning_rate=0.05, batch_size=32, epochs=4)
    register(Model(NETWORK, "one convolution", build, recipe, Citation("harbench")))
