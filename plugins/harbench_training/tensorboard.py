"""Curves and scores for TensorBoard, written while a run goes on.

It does nothing unless the environment variable HARBENCH_TENSORBOARD names a folder: who has
TensorBoard installed for something else is not to find event files of ours.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

import harbench

VARIABLE = "HARBENCH_TENSORBOARD"
_SCORES = ("nf", "macro_f1", "accuracy", "balanced_accuracy")


class Writer(Protocol):
    """What is used of torch.utils.tensorboard.SummaryWriter."""

    def add_scalar(self, tag: str, value: float, step: int, /) -> None:
        """Add a point to a curve."""
        ...

    def add_text(self, tag: str, text: str, /) -> None:
        """Add a text, as Markdown."""
        ...

    def close(self) -> None:
        """Flush, and close the file."""
        ...


_writers: dict[str, Writer] = {}


def folder() -> Path | None:
    """Where the event files go; None where none are asked for."""
    text = os.environ.get(VARIABLE, "").strip()
    return Path(text) if text else None


@harbench.hookimpl
def after_epoch(epoch: harbench.EpochEnd) -> None:
    """Add a point to each curve of the cell."""
    writer = _writer(epoch.cell)
    if writer is None:
        return
    writer.add_scalar("train/loss", epoch.train_loss, epoch.epoch)
    writer.add_scalar("learning rate", epoch.learning_rate, epoch.epoch)
    for name, value in epoch.validation.items():
        writer.add_scalar(f"validation/{name}", value, epoch.epoch)


@harbench.hookimpl
def after_cell(cell: harbench.CellEnd) -> None:
    """Add the test scores beside the settings, and close the cell's file."""
    writer = _writer(cell.cell)
    if writer is None:
        return
    if cell.failure:
        writer.add_text("failure", cell.failure)
    else:
        for name in _SCORES:
            writer.add_scalar(f"test/{name}", cell.scores[name], 0)
    recipe = json.dumps(cell.cell.recipe, indent=1)
    writer.add_text("recipe", f"```json\n{recipe}\n```")
    writer.close()
    _writers.pop(cell.cell.key, None)


@harbench.hookimpl
def after_run(run: harbench.RunEnd) -> None:
    """Close what is open: cells that were stopped in the middle."""
    while _writers:
        _writers.popitem()[1].close()


def _writer(cell: harbench.CellFacts) -> Writer | None:
    home = folder()
    if home is None:
        return None
    if cell.key not in _writers:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise harbench.HarbenchError(
                f"{VARIABLE} is set and TensorBoard is not installed ({error})",
                fix="pip install 'harbench[tensorboard]'",
            ) from error
        # One folder for each training, also of a row that was changed and run again.
        name = f"{cell.title}/{cell.key[:8]}"
        _writers[cell.key] = SummaryWriter(str(home / name))
    return _writers[cell.key]
