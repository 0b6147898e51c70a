"""The ResNet-like CNN of Yan, Younes and Forsyth (MobiCASE 2021), Sect. 3 and Fig. 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Plateau
from harbench_models.checks import check_choice, check_window

if TYPE_CHECKING:
    from torch import Tensor, nn


def build(n_channels: int, n_times: int, n_classes: int, *, pool: str = "floor") -> nn.Module:
    """Pre-activation residual blocks of 1-D convolutions (Sect. 3.2).

    A convolution to 16 maps, three blocks of 16, pooling, a 1x1 convolution to 32 maps, two
    blocks of 32, pooling, the mean over time, and a linear layer.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window.
        n_classes: Width of the logits [batch, n_classes].
        pool: Whether max pooling of an odd length rounds down (``floor``, torch's way) or up
            (``ceil``, the "same" padding of Keras). The paper does not say.

    Raises:
        ModelError: fewer than 4 samples (``floor``) or 3 (``ceil``), or another ``pool``.
    """
    check_choice("resnet-like", "pool", pool, ("floor", "ceil"))
    # The second block needs two time steps: batch norm of one window has no variance over one.
    check_window("resnet-like", n_times, 4 if pool == "floor" else 3)
    from torch import nn

    class ResidualBlock(nn.Module):
        """Equation 1: y = F(x) + x, with batch norm in front (Fig. 1b)."""

        def __init__(self, maps: int) -> None:
            super().__init__()
            self.residual = nn.Sequential(
                nn.BatchNorm1d(maps),
                nn.ReLU(),
                nn.Conv1d(maps, maps, 3, padding=1),
                nn.BatchNorm1d(maps),
                nn.ReLU(),
                nn.Conv1d(maps, maps, 3, padding=1),
            )

        def forward(self, x: Tensor) -> Tensor:
            change: Tensor = self.residual(x)
            return x + change

    return nn.Sequential(
        nn.Conv1d(n_channels, 16, 3, padding=1),
        *(ResidualBlock(16) for _ in range(3)),
        nn.MaxPool1d(2, ceil_mode=pool == "ceil"),
        nn.Conv1d(16, 32, 1),
        *(ResidualBlock(32) for _ in range(2)),
        nn.MaxPool1d(2, ceil_mode=pool == "ceil"),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(32, n_classes),
    )


TABLE_1 = harbench.PublishedResult(
    row="Our ResNet-like structure",
    source="Yan et al. 2022, Table 1",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "89.2", "parameters": "0.024M", "FLOPs": "0.25M"},
    defects={
        "NF": "Table 4 of the same paper prints 91.6 for the same network on all 113 channels; "
        "the text does not explain the difference.",
        "parameters": "24,146 are trainable; with batch norm's 448 running means and variances "
        "it is 24,594, the total of Table 4. Both come to the print, one rounded, one cut off.",
        "FLOPs": "These are MACs, and half the FLOPs: 253,456 where pooling rounds up; where it "
        "rounds down it is 240,656, which would print as 0.24M.",
    },
    protocol="113 channels, 18 classes with NULL, windows of 15 samples (500 ms); S1 and S2-S3 "
    "ADL1, ADL2, Drill for training, ADL3 for validation, S2-S3 ADL4-ADL5 for test; step, label "
    "rule, gap filling and normalisation not stated",
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``resnet-like``."""
    register(
        harbench.Model(
            name="resnet-like",
            summary="five pre-activation residual blocks of 1-D convolutions, 24k parameters",
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
                text="Yan, Z., Younes, R., Forsyth, J.: ResNet-Like CNN Architecture and "
                "Saliency Map for Human Activity Recognition. In: Mobile Computing, "
                "Applications, and Services (MobiCASE 2021). Springer (2022)",
                doi="10.1007/978-3-030-99203-3_9",
            ),
            min_times=4,
            window=15,
            published=(TABLE_1,),
            notes=(
                "The paper states no number of epochs; 100 is harbench's choice.",
                "The paper states no patience of the plateau; 5 epochs are harbench's choice.",
                "The paper does not say how pooling rounds 15 samples: `pool: ceil` gives the "
                "253,456 MACs behind its 0.25M, the default 240,656.",
                "The text says relu-bn-conv, the caption of Fig. 1 puts batch norm first; "
                "harbench builds bn-relu-conv. All counts are the same.",
                "Table 4's 19650 parameters for 20 channels are the count for 10 channels: "
                "20 channels give 20,130.",
                "Table 2's row is labelled Yang et al. 2015, but 89.2 is this network's NF.",
            ),
        )
    )
