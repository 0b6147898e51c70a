"""The CNN of Yang et al. (IJCAI 2015): convolutions along time, one row of maps a channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Step
from harbench_models.checks import check_choice, check_window

if TYPE_CHECKING:
    from torch import Tensor, nn


def build(n_channels: int, n_times: int, n_classes: int, *, pooling: str = "figure") -> nn.Module:
    """Three convolutions along time, then one over all channels that unifies them (Fig. 1).

    The paper fixes windows of 30 samples, where one time step is left before the unification
    layer. For longer windows the unification layer spans all time steps that are left, so its
    size grows with the window.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least 30.
        n_classes: Width of the logits [batch, n_classes].
        pooling: ``figure``: pool 2 by 2, then 3 by 3 (Fig. 1); ``code``: pool 4 with stride 2,
            twice (the authors' ``fcnn.m``). Both have the same parameters.

    Raises:
        ModelError: fewer than 30 samples, or another ``pooling``.
    """
    check_choice("yang2015", "pooling", pooling, ("figure", "code"))
    check_window("yang2015", n_times, 30)
    from torch import nn
    from torch.nn import functional

    # Pool width and stride, after the first and the second convolution.
    pools = ((2, 2), (3, 3)) if pooling == "figure" else ((4, 2), (4, 2))
    left = n_times
    for width, stride in pools:
        left = (left - 4 - width) // stride + 1
    left -= 2

    class NormAcrossMaps(nn.Module):
        """Local response normalisation over five neighbouring maps."""

        def forward(self, x: Tensor) -> Tensor:
            # On three axes: on four, torch pools in 3-D, whose gradient CUDA cannot repeat to the
            # bit. MatConvNet does not divide alpha by the width, torch does: 2e-5 there is 1e-4.
            return functional.local_response_norm(
                x.flatten(2), 5, alpha=1e-4, beta=0.75, k=1.0
            ).view_as(x)

    def pool(width: int, stride: int) -> nn.Module:
        return nn.MaxPool2d((1, width), stride=(1, stride))

    net = nn.Sequential(
        nn.Unflatten(1, (1, n_channels)),
        nn.Conv2d(1, 50, (1, 5)),
        nn.ReLU(),
        pool(*pools[0]),
        NormAcrossMaps(),
        nn.Conv2d(50, 40, (1, 5)),
        nn.ReLU(),
        pool(*pools[1]),
        NormAcrossMaps(),
        nn.Conv2d(40, 20, (1, 3)),
        nn.ReLU(),
        NormAcrossMaps(),
        nn.Conv2d(20, 400, (n_channels, left)),
        nn.ReLU(),
        NormAcrossMaps(),
        nn.Conv2d(400, n_classes, 1),
        nn.Flatten(),
    )
    for module in net:
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net


TABLE_1 = harbench.PublishedResult(
    row="Yang et al. 2015",
    source="Yan et al. 2022, Table 1",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "85.1", "parameters": "0.912M*", "FLOPs": "1.85M*"},
    defects={
        "NF": "In none of Yang et al.'s own tables; it is the 0.851 that Ordóñez and Roggen 2016 "
        "quote for this network (from memory, not checked against a copy).",
        "parameters": "The network has 924,378. 912,238 = 300 + 240 + 80 + 904,400 + 7,218 comes "
        "out if the second and third convolution had one input map instead of 50 and 40.",
        "FLOPs": "The network of Fig. 1 takes 12,086,900 MACs, 6.5 times the print. 1,848,680 = "
        "734,500 + 203,400 + 6,780 + 904,000 has the same mistake and leaves out the last layer.",
    },
    protocol="113 channels, windows of 30 samples, step 3, majority label, scored per sample by "
    "a vote of the windows that cover it",
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``yang2015``."""
    register(
        harbench.Model(
            name="yang2015",
            summary="three convolutions along time and a unification layer over all channels",
            build=build,
            recipe=harbench.Recipe(
                optimizer="sgd",
                momentum=0.9,
                weight_decay=5e-4,
                learning_rate=0.01,
                batch_size=12,
                epochs=8,
                schedule=Step(every=3, factor=0.1, smallest=1e-3),
            ),
            citation=harbench.Citation(
                text="Yang, J.B., Nguyen, M.N., San, P.P., Li, X.L., Krishnaswamy, S.: Deep "
                "Convolutional Neural Networks on Multichannel Time Series for Human Activity "
                "Recognition. In: IJCAI 2015, pp. 3995-4001 (2015)",
                url="https://www.ijcai.org/Proceedings/15/Papers/561.pdf",
            ),
            min_times=30,
            window=30,
            published=(TABLE_1,),
            notes=(
                "Exact at windows of 30 samples; for longer ones the unification layer spans "
                "all time steps that are left.",
                "`pooling: code` is what the authors' code does; the default is Fig. 1.",
                "The recipe is that of the authors' code: three epochs at 0.01, then 0.001.",
                "The authors subtract the training mean of each input; use a protocol with "
                "normalisation.",
                "ReLU throughout, as in the authors' code.",
            ),
        )
    )
