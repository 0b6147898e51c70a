"""A 1-D MobileNet of the ResNet-like's size: harbench's own design, after Howard et al. (2017).

Yan, Younes and Forsyth name MobileNet on HAR as future work (MobiCASE 2021, Sect. 6) and publish
none. This one keeps their frame, with depthwise separable convolutions for residual blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Plateau
from harbench_models.checks import check_share, check_window

if TYPE_CHECKING:
    from torch import nn

NAME = "mobilenet-1d"
# Maps and stride of the separable convolutions: time halves where the maps double the last time.
BODY = ((32, 1), (64, 2), (64, 1), (64, 1), (64, 1))


def build(n_channels: int, n_times: int, n_classes: int, *, width: float = 1.0) -> nn.Module:
    """Five depthwise separable 1-D convolutions after an ordinary one.

    A convolution to 16 maps, then five times a convolution of 3 taps for each map alone and a
    1x1 convolution across the maps (Howard et al., Sect. 3.1), to 32, 64, 64, 64 and 64 maps, the
    second with stride 2; batch norm and ReLU after each convolution; the mean over time; a
    linear layer.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least 3.
        n_classes: Width of the logits [batch, n_classes].
        width: The width multiplier, by which all numbers of maps are multiplied (Sect. 3.3).

    Raises:
        ModelError: fewer than 3 samples, or ``width`` not above 0 and at most 1.
    """
    check_share(NAME, "width", width, one=True)
    # Two time steps are left after stride 2: batch norm of one window has no variance over one.
    check_window(NAME, n_times, 3)
    from torch import nn

    def activated(convolution: nn.Conv1d) -> list[nn.Module]:
        return [convolution, nn.BatchNorm1d(convolution.out_channels), nn.ReLU()]

    def scaled(maps: int) -> int:
        return max(1, round(width * maps))

    # No biases where batch norm follows, which has its own.
    maps = scaled(16)
    body = activated(nn.Conv1d(n_channels, maps, 3, padding=1, bias=False))
    for wanted, stride in BODY:
        body += activated(
            nn.Conv1d(maps, maps, 3, stride, padding=1, groups=maps, bias=False),
        )
        body += activated(nn.Conv1d(maps, scaled(wanted), 1, bias=False))
        maps = scaled(wanted)
    return nn.Sequential(
        *body,
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(maps, n_classes),
    )


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``mobilenet-1d``."""
    register(
        harbench.Model(
            name=NAME,
            summary="harbench's own 1-D MobileNet of the ResNet-like's size, 23k parameters",
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
                text="harbench's own design, after Howard, A.G., Zhu, M., Chen, B., Kalenichenko, "
                "D., Wang, W., Weyand, T., Andreetto, M., Adam, H.: MobileNets: Efficient "
                "Convolutional Neural Networks for Mobile Vision Applications. arXiv:1704.04861 "
                "(2017)",
                url="https://arxiv.org/abs/1704.04861",
            ),
            min_times=3,
            window=15,
            notes=(
                "No paper publishes this network: Yan et al. (MobiCASE 2021, the paper of "
                "`resnet-like`) name MobileNet as future work.",
                "First convolution, halving of time, mean over time and recipe are "
                "`resnet-like`'s; depthwise separable convolutions, their order of batch norm and "
                "ReLU, and halving by stride are MobileNet's.",
                "At 113 channels and 18 classes 23,250 parameters, at most 25,000 with batch "
                "norm's running statistics; the widths were chosen for that, not for their scores.",
            ),
        )
    )
