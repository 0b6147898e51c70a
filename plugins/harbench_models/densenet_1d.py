"""A 1-D DenseNet of the ResNet-like's size: harbench's own design, after Huang et al. (CVPR 2017).

Yan, Younes and Forsyth name DenseNet on HAR as future work (MobiCASE 2021, Sect. 6) and publish
none. This one keeps their frame, so that the two differ in how layers are joined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Plateau
from harbench_models.checks import check_share, check_whole, check_window

if TYPE_CHECKING:
    from torch import Tensor, nn

NAME = "densenet-1d"


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    growth: int = 10,
    layers: int = 5,
    compression: float = 0.5,
) -> nn.Module:
    """Two dense blocks of 1-D convolutions with a transition between them.

    A convolution to 16 maps, a dense block, a transition (batch norm, ReLU, a 1x1 convolution to
    ``compression`` of the maps, mean pooling by 2), a dense block, batch norm, ReLU, the mean
    over time, and a linear layer. In a block every layer (batch norm, ReLU, a convolution of 3
    taps) reads the maps of all layers before it (Huang et al., Equation 2).

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least 4.
        n_classes: Width of the logits [batch, n_classes].
        growth: Maps that a layer adds; k in the DenseNet paper, which takes 12 and more.
        layers: Layers of each block. Twice 5 are as many convolutions as the ResNet-like has.
        compression: Share of the maps that the transition keeps; theta in the DenseNet paper.

    Raises:
        ModelError: fewer than 4 samples, or an option out of its range.
    """
    check_whole(NAME, growth=growth, layers=layers)
    check_share(NAME, "compression", compression, one=True)
    # The second block needs two time steps: batch norm of one window has no variance over one.
    check_window(NAME, n_times, 4)
    import torch
    from torch import nn

    class DenseLayer(nn.Module):
        """Adds ``growth`` maps to those that it reads."""

        def __init__(self, maps: int) -> None:
            super().__init__()
            self.new = nn.Sequential(
                nn.BatchNorm1d(maps), nn.ReLU(), nn.Conv1d(maps, growth, 3, padding=1)
            )

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, self.new(x)], 1)

    def block(maps: int) -> list[nn.Module]:
        return [DenseLayer(maps + layer * growth) for layer in range(layers)]

    first = 16 + layers * growth
    kept = max(1, int(compression * first))
    last = kept + layers * growth
    return nn.Sequential(
        nn.Conv1d(n_channels, 16, 3, padding=1),
        *block(16),
        nn.BatchNorm1d(first),
        nn.ReLU(),
        nn.Conv1d(first, kept, 1),
        nn.AvgPool1d(2),
        *block(kept),
        nn.BatchNorm1d(last),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(last, n_classes),
    )


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``densenet-1d``."""
    register(
        harbench.Model(
            name=NAME,
            summary="harbench's own 1-D DenseNet of the ResNet-like's size, 24k parameters",
            build=build,
            recipe=harbench.Recipe(
                optimizer="sgd",
                momentum=0.9,
                learning_rate=1e-3,
                batch_size=256,
                epochs=100,
                schedule=Plateau(factor=0.1),
            ),
            citation=harbench.Citation(
                text="harbench's own design, after Huang, G., Liu, Z., van der Maaten, L., "
                "Weinberger, K.Q.: Densely Connected Convolutional Networks. In: CVPR 2017, "
                "pp. 2261-2269 (2017)",
                doi="10.1109/CVPR.2017.243",
            ),
            min_times=4,
            window=15,
            notes=(
                "No paper publishes this network: Yan et al. (MobiCASE 2021, the paper of "
                "`resnet-like`) name DenseNet as future work.",
                "First convolution, halving of time, pre-activation, mean over time, ten "
                "convolutions of 3 taps and recipe are `resnet-like`'s; joining by concatenation, "
                "compression and mean pooling are DenseNet's. No layer has a bottleneck.",
                "At 113 channels and 18 classes 23,801 parameters, at most 25,000 with batch "
                "norm's running statistics; growth 10 was chosen for that, not for its scores.",
            ),
        )
    )
