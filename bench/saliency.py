"""Gradients of the classes' logits over a test split."""

from __future__ import annotations

from bench.rows import OURS, Done, Place, Prepare, Row, Side, Work

_CHANNELS, _LENGTH, _CLASSES, _WINDOWS = 113, 15, 18, 9_216


def _setting():  # type: ignore[no-untyped-def]
    import numpy as np
    import torch

    from harbench.plugins import load_plugins

    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    network = load_plugins().models.get("resnet-like").build(_CHANNELS, _LENGTH, _CLASSES).eval()
    x = rng.normal(size=(_WINDOWS, _CHANNELS, _LENGTH)).astype(np.float32)
    return network, x, np.sort(rng.integers(0, _CLASSES, _WINDOWS))


def _harbench(place: Place) -> Work:
    import numpy as np
    import torch

    from harbench.training.lowering import CHANNELS_LAST, lowering_of
    from harbench_analyses.attribution import Running, attributions

    network, x, y = _setting()
    few = torch.from_numpy(x[:16]), torch.from_numpy(y[:16])
    # The layout as its training would have found it, which writes it into the cell's record.
    running = Running(1024, lowering_of(network, *few) == CHANNELS_LAST)
    attributions(network, x[:2], 0)

    def work() -> Done:
        for index in np.unique(y):
            found = attributions(network, x[y == index], int(index), running=running)
            found.sum(axis=2).mean(axis=0)
        return Done(len(x))

    return work


def _captum(batch: int) -> Prepare:
    def prepare(place: Place) -> Work:
        import torch
        from captum.attr import Saliency
        from torch.utils.data import DataLoader, TensorDataset

        network, x, y = _setting()
        loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch)
        saliency = Saliency(network)

        def work() -> Done:
            total = torch.zeros(_CLASSES, _CHANNELS)
            for windows, classes in loader:
                found = saliency.attribute(windows.requires_grad_(), target=classes, abs=False)
                total.index_add_(0, classes, found.sum(dim=2))
            return Done(len(x))

        return work

    return prepare


ROWS = (
    Row(
        "saliency", "saliency of all classes, each over its windows of a test split", "windows",
        "cpu",
        (
            Side(OURS, _harbench),
            Side("captum", _captum(64), ("captum",), goal=1.5),
            # The fastest batch for it, told without a goal: one who knows would take it.
            Side("captum, batches of 512", _captum(512), ("captum",)),
        ),
    ),
)  # fmt: skip
