"""Training a network, against the plainest loop and the usual trainers, over the same windows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from bench.rows import OURS, Done, Place, Row, Side, Work

if TYPE_CHECKING:
    from torch import Tensor, nn

    from harbench.data.prepared import PreparedFold

_CHANNELS, _CLASSES, _BATCH = 113, 18, 256
# Windows of one epoch: a few seconds of a thread.
_SIZES = {"resnet-like": (15, 40_960), "deepconvlstm": (24, 1_024)}


def _fold(length: int, n_windows: int) -> PreparedFold:
    import numpy as np

    from harbench.data.normalise import Normaliser
    from harbench.data.prepared import PreparedFold
    from harbench.data.windows import Windows

    rng = np.random.default_rng(0)
    signals = rng.normal(size=(n_windows + length, _CHANNELS)).astype(np.float32)
    windows = Windows(np.arange(n_windows), rng.integers(0, _CLASSES, n_windows))
    none = Windows(np.empty(0, np.int64), np.empty(0, np.int64))
    some = windows[np.arange(64)]
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

        def work() -> Done:
            network.train()
            for chosen in torch.randperm(len(x)).split(_BATCH):
                optimiser.zero_grad()
                loss = functional.cross_entropy(network(x[chosen]), y[chosen])
                loss.backward()
                optimiser.step()
                loss.item()
            return Done(len(x))

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
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=place.scratch,
        )  # fmt: skip
        loader = DataLoader(TensorDataset(x, y), _BATCH, shuffle=True)

        def work() -> Done:
            trainer.fit(Module(), loader)
            return Done(len(x))

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

        def work() -> Done:
            net.fit(x, y)
            return Done(len(x))

        return work

    return prepare


def _row(name: str, title: str, *, plain: float, trainers: float | None) -> Row:
    return Row(
        f"train-{name}", title, "windows", "cpu",
        (
            Side(OURS, _harbench(name)),
            Side("plain torch loop", _plain(name), ("torch",), goal=plain),
            Side("lightning", _lightning(name), ("lightning",), goal=trainers),
            Side("skorch", _skorch(name), ("skorch",), goal=trainers),
        ),
    )  # fmt: skip


ROWS = (
    _row(
        "resnet-like", "train resnet-like, batch 256, one CPU thread: an epoch", plain=1.6,
        trainers=1.8,
    ),
    _row(
        "deepconvlstm", "train deepconvlstm, batch 256, one CPU thread, float32: an epoch",
        plain=1.0, trainers=None,
    ),
)  # fmt: skip
