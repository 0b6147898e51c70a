"""A plugin in one file, with a dataset whose answers are known and three small models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import harbench
from harbench.nouns import FixedSplit, LeaveOneOutSplit

RATE = 20.0
CLASSES = ("Null", "wave", "turn")


def write_toy_files(folder: Path, seed: int = 0, n_samples: int = 600) -> None:
    """Four subjects, two sessions each; wave is carried by channel 0, turn by channel 1."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for subject in range(1, 5):
        for session in "ab":
            labels = np.repeat(rng.integers(0, 3, n_samples // 40 + 1), 40)[:n_samples]
            signals = rng.normal(0, 1, (n_samples, 3)).astype(np.float32)
            signals[labels == 1, 0] += 3
            signals[labels == 2, 1] -= 3
            signals[rng.random((n_samples, 3)) < 0.02] = np.nan
            np.savez(
                folder / f"s{subject}{session}.npz", signals=signals, labels=labels.astype(np.int16)
            )


def sources(folder: Path) -> list[harbench.Source]:
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise harbench.DataMissingError(
            "the files of 'toy' are not here", where=str(folder), fix="harbench datasets fetch toy"
        )
    return [harbench.Source(file.stem, (harbench.SourceFile(file),)) for file in files]


def read(source: harbench.Source) -> list[harbench.Recording]:
    with np.load(source.files[0].path) as content:
        signals, labels = content["signals"], content["labels"]
    return [
        harbench.Recording(
            source.name,
            source.name[:2],
            source.name[2],
            signals,
            {"gestures": labels, "any": (labels > 0).astype(np.int16)},
        )
    ]


TOY = harbench.Dataset(
    name="toy",
    title="Toy gestures",
    rate_hz=RATE,
    channels=tuple(
        harbench.Channel(f"ACC {axis}", "ACC", "wrist", "accelerometer", axis, "g", i, (-6, 6))
        for i, axis in enumerate("xyz", 1)
    ),
    tasks=(harbench.Task("gestures", CLASSES, null=0), harbench.Task("any", ("no", "yes"))),
    splits={
        "fixed": FixedSplit(train=("s1*", "s2*"), validation=("s3*",), test=("s4*",)),
        "loso": LeaveOneOutSplit(),
    },
    citation=harbench.Citation("Nobody, 2026"),
    licence="CC0-1.0",
    sources=sources,
    read=read,
)


def small(n_channels: int, n_times: int, n_classes: int, *, hidden: int = 8):
    """A net of one hidden convolution."""
    from torch import nn

    return nn.Sequential(
        nn.Conv1d(n_channels, hidden, 3, padding=1),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(hidden, n_classes),
    )


def broken(n_channels: int, n_times: int, n_classes: int):
    """Returns a wrong shape."""
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes + 1))


def suicidal(n_channels: int, n_times: int, n_classes: int):
    """Its process dies while it is being trained."""
    import os
    import signal

    from torch import nn

    class Dies(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(n_channels * n_times, n_classes)

        def forward(self, x):
            if self.training:
                os.kill(os.getpid(), signal.SIGKILL)
            return self.out(x.flatten(1))

    return Dies()


RECIPE = harbench.Recipe(optimizer="adam", learning_rate=0.02, batch_size=32, epochs=6)


@harbench.hookimpl
def register_datasets(register) -> None:
    register(TOY)


@harbench.hookimpl
def register_models(register) -> None:
    cite = harbench.Citation("Nobody, 2026")
    published = (
        harbench.PublishedResult(
            row="Nobody",
            source="Nobody 2026, Table 1",
            dataset="toy",
            task="gestures",
            printed={"NF": "99.9", "parameters": "1M*", "FLOPs": "2M"},
            defects={"parameters": "counted twice"},
        ),
    )
    register(
        harbench.Model(
            "small", "one conv", small, RECIPE, cite, min_times=3, window=10, published=published
        )
    )
    register(harbench.Model("broken", "wrong shape", broken, RECIPE, cite))
    register(harbench.Model("suicidal", "dies", suicidal, RECIPE, cite))
