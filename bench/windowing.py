"""Windows: cutting them, gathering batches of them, and the memory that all of them take."""

from __future__ import annotations

import importlib
import os
import sys

from bench.opportunity import cached_stream, simulated
from bench.reading import WHAR, some_for_whar
from bench.rows import OURS, Done, Place, Row, Side, Work
from harbench.nouns import Protocol

_LENGTH = 24


def _protocol() -> Protocol:
    return Protocol(task="gestures", split="challenge", window=_LENGTH, step=1)


def _cut(place: Place) -> Work:
    from harbench.data.splits import folds_of

    stream, dataset = cached_stream(place), simulated()
    task, protocol = dataset.task("gestures"), _protocol()

    def work() -> Done:
        (fold,) = folds_of(stream, dataset, task, protocol, _LENGTH, _LENGTH // 2)
        return Done(len(fold.train) + len(fold.test))

    return work


def _gather(place: Place) -> Work:
    import torch

    from harbench.data.prepared import prepare
    from harbench.data.splits import folds_of
    from harbench.training.batches import WindowBatches

    torch.set_num_threads(1)
    stream, dataset = cached_stream(place), simulated()
    task, protocol = dataset.task("gestures"), _protocol()

    def work() -> Done:
        (fold,) = folds_of(stream, dataset, task, protocol, _LENGTH, _LENGTH // 2)
        data = prepare(
            stream, dataset, fold, channels=range(len(dataset.channels)), length=_LENGTH,
            n_classes=len(task.classes), fill="forward", normalise="z-score",
        )  # fmt: skip
        batches = WindowBatches(data, torch.device("cpu"))
        amount = sum(
            len(x) for part in (data.train, data.test) for x, _ in batches.in_order(part, 256)
        )
        return Done(amount)

    return work


def _whar(place: Place) -> Work:
    sys.path.insert(0, os.environ[WHAR])
    parser = importlib.import_module("whar_datasets.config.cfg_opportunity")
    windowing = importlib.import_module("whar_datasets.processing.utils.windowing")
    _, _, sessions = parser.parse_opportunity(str(some_for_whar(place)), "Locomotion")

    def work() -> Done:
        amount = 0
        for number, frame in sessions.items():
            _, windows = windowing.generate_windowing(number, frame, _LENGTH / 30, 0.5, 30)
            amount += len(windows or ())
        return Done(amount)

    return work


def _in_place(place: Place) -> Work:
    import torch

    from harbench.data.prepared import prepare
    from harbench.data.splits import folds_of
    from harbench.training.batches import WindowBatches

    torch.set_num_threads(1)
    dataset = simulated()
    cached_stream(place)
    task, protocol = dataset.task("gestures"), _protocol()

    def work() -> Done:
        stream = cached_stream(place)
        (fold,) = folds_of(stream, dataset, task, protocol, _LENGTH, 1)
        data = prepare(
            stream, dataset, fold, channels=range(len(dataset.channels)), length=_LENGTH,
            n_classes=len(task.classes), fill="forward", normalise="z-score",
        )  # fmt: skip
        batches = WindowBatches(data, torch.device("cpu"))
        shuffled = batches.shuffled(data.train, 256, torch.Generator().manual_seed(0))
        return Done(sum(len(x) for x, _ in shuffled))

    return work


def _copied(place: Place) -> Work:
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    from harbench.data.splits import folds_of

    dataset = simulated()
    cached_stream(place)
    task, protocol = dataset.task("gestures"), _protocol()

    def work() -> Done:
        stream = cached_stream(place)
        (fold,) = folds_of(stream, dataset, task, protocol, _LENGTH, 1)
        signals = np.nan_to_num(np.array(stream.signals))
        windows = sliding_window_view(signals, _LENGTH, axis=0)[fold.train.starts]
        return Done(len(windows))

    return work


def _too_large(place: Place) -> str:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = 6.5e9 * place.scale
    return f"{needed / 1e9:.1f} GB are not free" if free < needed else ""


ROWS = (
    Row(
        "windows", "windows ready for a batch (24 samples, half overlapping): cut and labelled",
        "windows", "cpu",
        (
            Side(OURS, _cut),
            Side("whar-datasets", _whar, ("shortuuid", "tqdm", "dotenv", "pywt"), WHAR, goal=500),
        ),
    ),
    Row(
        "windows-gathered", "the same, with gaps filled, normalised and every batch gathered",
        "windows", "cpu",
        (
            Side(OURS, _gather),
            Side("whar-datasets", _whar, ("shortuuid", "tqdm", "dotenv", "pywt"), WHAR),
        ),
    ),
    Row(
        "memory", "window 24, step 1, over the challenge's training set: an epoch of batches",
        "windows", "peak",
        (Side(OURS, _in_place), Side("materialised array", _copied, why_not=_too_large)),
        at_most=1.2e9,
        shrinks=True,
    ),
)  # fmt: skip
