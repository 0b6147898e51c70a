"""Training a network, against the plainest loop and the usual trainers, over the same windows.

Every side trains on a few windows before the clock runs: torch imports a second's worth of modules
when its first optimiser is made, once a process.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from contextlib import chdir, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from bench.reading import WHAR
from bench.rows import OURS, Done, Place, Row, Side, Work

if TYPE_CHECKING:
    from torch import Tensor, nn

    from harbench.data.prepared import PreparedFold

_CHANNELS, _CLASSES, _BATCH = 113, 18, 256
# Windows of one epoch: a few seconds of a thread.
_SIZES = {"resnet-like": (15, 40_960), "deepconvlstm": (24, 1_024)}
_FEW = 64
_STRC, _ARENA, _ARENAS_MODELS = "BENCH_STRC", "BENCH_WHAR_ARENA", "BENCH_WHAR_MODELS"


def _fold(length: int, n_windows: int) -> PreparedFold:
    import numpy as np

    from harbench.data.normalise import Normaliser
    from harbench.data.prepared import PreparedFold
    from harbench.data.windows import Windows

    rng = np.random.default_rng(0)
    signals = rng.normal(size=(n_windows + length, _CHANNELS)).astype(np.float32)
    windows = Windows(np.arange(n_windows), rng.integers(0, _CLASSES, n_windows))
    none = Windows(np.empty(0, np.int64), np.empty(0, np.int64))
    some = windows[np.arange(_FEW)]
    zero, one = np.zeros(_CHANNELS, np.float32), np.ones(_CHANNELS, np.float32)
    return PreparedFold(signals, length, windows, none, some, _CLASSES, Normaliser(zero, one, zero))


def _network(name: str) -> nn.Module:
    import torch

    from harbench.plugins import load_plugins

    torch.manual_seed(0)
    torch.set_num_threads(1)
    network: nn.Module = load_plugins().models.get(name).build(_CHANNELS, _SIZES[name][0], _CLASSES)
    return network


def _ready(name: str) -> tuple[Tensor, Tensor]:
    """The same windows as tensors [n_windows, n_channels, n_times], copied out beforehand."""
    import torch

    data = _fold(*_SIZES[name])
    every = torch.from_numpy(data.signals).unfold(0, data.length, 1)
    x = every[torch.from_numpy(data.train.starts)].contiguous()
    return x, torch.from_numpy(data.train.labels)


def _harbench(name: str) -> Any:
    def prepare(place: Place) -> Work:
        import torch

        from harbench.nouns import Recipe
        from harbench.plugins import load_plugins
        from harbench.training.cell import train_cell

        torch.set_num_threads(1)
        data, model = _fold(*_SIZES[name]), load_plugins().models.get(name)
        recipe = Recipe(
            optimizer="adam", learning_rate=1e-3, batch_size=_BATCH, epochs=1, keep="last"
        )
        train_cell(model, replace(data, train=data.test), recipe, model.options, 0)

        def work() -> Done:
            train_cell(model, data, recipe, model.options, 0)
            return Done(len(data.train))

        return work

    return prepare


def _plain(name: str) -> Any:
    def prepare(place: Place) -> Work:
        import torch
        from torch.nn import functional

        network, (x, y) = _network(name), _ready(name)
        optimiser = torch.optim.Adam(network.parameters(), 1e-3)

        def epoch(n_windows: int) -> Done:
            network.train()
            for chosen in torch.randperm(n_windows).split(_BATCH):
                optimiser.zero_grad()
                loss = functional.cross_entropy(network(x[chosen]), y[chosen])
                loss.backward()
                optimiser.step()
                loss.item()
            return Done(n_windows)

        epoch(_FEW)

        def work() -> Done:
            return epoch(len(x))

        return work

    return prepare


def _lightning(name: str) -> Any:
    def prepare(place: Place) -> Work:
        import lightning
        import torch
        from torch.nn import functional
        from torch.utils.data import DataLoader, TensorDataset

        network, (x, y) = _network(name), _ready(name)

        class Module(lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.network = network

            def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
                return functional.cross_entropy(self.network(batch[0]), batch[1])

            def configure_optimizers(self) -> torch.optim.Optimizer:
                return torch.optim.Adam(self.parameters(), 1e-3)

        warnings.simplefilter("ignore")

        def epoch(n_windows: int) -> Done:
            trainer = lightning.Trainer(
                max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False,
                default_root_dir=place.scratch,
            )  # fmt: skip
            windows = TensorDataset(x[:n_windows], y[:n_windows])
            trainer.fit(Module(), DataLoader(windows, _BATCH, shuffle=True))
            return Done(n_windows)

        epoch(_FEW)

        def work() -> Done:
            return epoch(len(x))

        return work

    return prepare


def _skorch(name: str) -> Any:
    def prepare(place: Place) -> Work:
        import torch
        from skorch import NeuralNetClassifier

        network, (x, y) = _network(name), _ready(name)
        net = NeuralNetClassifier(
            network, criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=1e-3,
            max_epochs=1, batch_size=_BATCH, train_split=None, verbose=0,
            iterator_train__shuffle=True,
        )  # fmt: skip
        net.fit(x[:_FEW], y[:_FEW])

        def work() -> Done:
            net.fit(x, y)
            return Done(len(x))

        return work

    return prepare


def _strc(place: Place) -> Work:
    """STRC's network and its ``train_one_epoch``, over its own data set and loader.

    Its code names CUDA; here ``.cuda()`` does nothing. Its drawings want seaborn, and are not
    drawn. The network has no dropout in front of its last layer, unlike harbench's. Its
    ``model_train`` predicts all training windows after each epoch: that is left out.
    """
    import numpy as np
    import torch
    from torch.utils.data import DataLoader, Subset

    torch.set_num_threads(1)
    sys.path.insert(0, os.environ[_STRC])
    sys.modules.setdefault("seaborn", ModuleType("seaborn"))
    torch.Tensor.cuda = lambda self: self  # type: ignore[method-assign,assignment]
    peer = importlib.import_module("DeepConvLSTM_py3")
    x, y = _ready("deepconvlstm")
    data = np.ascontiguousarray(x.transpose(1, 2).numpy())
    np.savez(place.scratch / "train_data.npz", data=data, target=y.numpy())
    with chdir(place.scratch), redirect_stdout(sys.stderr):  # it makes folders for its figures
        windows = peer.SensorDataset("bench", data.shape[1], 1, 1, place.scratch, "train")
        network = peer.DeepConvLSTM(_CHANNELS, _CLASSES, "bench")
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)

    def epoch(n_windows: int) -> Done:
        loader = DataLoader(Subset(windows, range(n_windows)), _BATCH, True)
        peer.train_one_epoch(network, loader, torch.nn.CrossEntropyLoss(), optimiser, {})
        return Done(n_windows)

    epoch(_FEW)

    def work() -> Done:
        return epoch(len(windows))

    return work


def _arena(name: str, place: Place) -> Work:
    """WHAR Arena's trainer, over whar-datasets' loader with all windows in memory.

    Its loss is weighted by class, its optimiser AdamW with a cosine schedule; it validates and
    tests, each on the 64 windows that harbench predicts here.
    """
    import pandas as pd
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, os.environ[WHAR])
    for variable in (_ARENA, _ARENAS_MODELS):
        sys.path.insert(0, str(Path(os.environ[variable]) / "src"))
    peer, datasets = map(importlib.import_module, ("whar_arena.training", "whar_datasets"))
    network, (x, y) = _network(name), _ready(name)
    # A session for each class: that is where its windows have their class from.
    sessions = pd.DataFrame({"session_id": range(_CLASSES), "activity_id": range(_CLASSES)})
    sessions["subject_id"] = 0
    activities = pd.DataFrame({"activity_id": range(_CLASSES)})
    activities["activity_name"] = activities["activity_id"].astype(str)
    ids = [str(number) for number in range(len(y))]
    windows = pd.DataFrame({"session_id": y.numpy(), "window_id": ids})
    samples = {at: [window] for at, window in zip(ids, x.transpose(1, 2).numpy(), strict=True)}
    loader = datasets.Loader(activities, sessions, windows, place.scratch, samples)
    settings = SimpleNamespace(
        seed=0, num_of_activities=_CLASSES, num_of_channels=_CHANNELS, learning_rate=1e-3
    )
    some = list(range(_FEW))

    def epoch(n_windows: int) -> Done:
        split = datasets.Split("bench", list(range(n_windows)), some, some)
        loaders = datasets.TorchAdapter(settings, loader, split).get_dataloaders(_BATCH)
        with redirect_stdout(sys.stderr):
            peer._fit_torch_split(
                cfg=settings, model=network, dataloaders=loaders, loader=loader, split=split,
                split_id="bench", max_epochs=1, patience=1, weight_decay=0.0,
            )  # fmt: skip
        return Done(n_windows)

    epoch(_FEW)

    def work() -> Done:
        return epoch(len(y))

    return work


def _arena_lacks(place: Place) -> str:
    for variable in (WHAR, _ARENAS_MODELS):
        if not os.environ.get(variable):
            return f"{variable} names no checkout, and it needs that too"
    return ""


def _row(name: str, title: str, *peers: Side, plain: float, trainers: float | None) -> Row:
    return Row(
        f"train-{name}", title, "windows", "cpu",
        (
            Side(OURS, _harbench(name)),
            Side("plain torch loop", _plain(name), ("torch",), goal=plain),
            Side("lightning", _lightning(name), ("lightning",), goal=trainers),
            Side("skorch", _skorch(name), ("skorch",), goal=trainers),
            *peers,
        ),
    )  # fmt: skip


_WHAR_NEEDS = ("pandas", "sklearn", "shortuuid", "tqdm", "dotenv", "pywt")

ROWS = (
    _row(
        "resnet-like", "train resnet-like, batch 256, one CPU thread: an epoch",
        Side(
            "WHAR Arena", partial(_arena, "resnet-like"), _WHAR_NEEDS, _ARENA, goal=3.0,
            why_not=_arena_lacks,
        ),
        plain=1.6, trainers=1.8,
    ),
    _row(
        "deepconvlstm", "train deepconvlstm, batch 256, one CPU thread, float32: an epoch",
        Side("STRC DeepConvLSTM_py3", _strc, ("sklearn", "matplotlib"), _STRC, goal=1.0),
        plain=1.0, trainers=None,
    ),
)  # fmt: skip
