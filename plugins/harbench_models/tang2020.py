"""Stand-ins for the CNN and the Lego CNN of Tang et al. (IEEE Sensors Journal 2021).

The networks behind the paper's OPPORTUNITY numbers are not public. These follow the group's
public OPPORTUNITY network (repository tengqi159/human-activity-recognition) and its public Lego
layer (``module.py`` of yinntag/Layer-wise-training-...-for-HAR).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Step
from harbench_models.checks import check_share, check_whole, check_window

if TYPE_CHECKING:
    from torch import Tensor, nn

MAPS = (128, 256, 384)


def build_cnn(n_channels: int, n_times: int, n_classes: int) -> nn.Module:
    """Three 3x3 convolutions with stride 2 over the channels, and a linear layer.

    The time steps of a window are the input maps, the channels the height of the image, whose
    width is 1: input [batch, n_times, n_channels, 1].

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window.
        n_classes: Width of the logits [batch, n_classes].

    Raises:
        ModelError: a window without samples.
    """
    check_window("tang2020-cnn", n_times, 1)
    return _network(n_channels, n_times, n_classes, _convolution)


def build_lego(
    n_channels: int, n_times: int, n_classes: int, *, groups: int = 4, ratio: float = 0.25
) -> nn.Module:
    """The same network with Lego layers for the second and third convolution.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window.
        n_classes: Width of the logits [batch, n_classes].
        groups: Fragments o that the input maps are split into; it divides 128.
        ratio: Lego filters m for each output map: n = m * output maps.

    Raises:
        ModelError: a window without samples, or an option that the layers cannot have.
    """
    name = "tang2020-lego"
    check_window(name, n_times, 1)
    check_whole(name, groups=groups)
    check_share(name, "ratio", ratio, one=True)
    if MAPS[0] % groups:
        raise harbench.ModelError(
            f"option groups is {groups}, which does not divide {MAPS[0]} maps",
            where=f"model '{name}'",
            expected="1, 2, 4, 8, 16, 32, 64 or 128",
        )
    import torch
    from torch import nn
    from torch.nn import functional

    class LegoConv2d(nn.Module):
        """Small filters, shared by all groups of input maps, and a choice of one for each output.

        Names of the parameters are the authors'. ``lego`` [n, before / o, 3, 3];
        ``aux_coefficients`` and ``aux_combination`` [o, after, n].
        """

        def __init__(self, before: int, after: int) -> None:
            super().__init__()
            n_lego = max(1, int(ratio * after))
            shape = (groups, after, n_lego, 1, 1)
            # Kaiming's fan needs the authors' five axes, the forward pass only three.
            self.lego = nn.Parameter(torch.empty(n_lego, before // groups, 3, 3))
            coefficients, combination = torch.empty(shape), torch.empty(shape)
            nn.init.kaiming_normal_(self.lego)
            nn.init.kaiming_normal_(coefficients)
            nn.init.kaiming_normal_(combination)
            self.aux_coefficients = nn.Parameter(coefficients.flatten(2))
            self.aux_combination = nn.Parameter(combination.flatten(2))

        def forward(self, x: Tensor) -> Tensor:
            chosen = self.aux_combination.argmax(dim=2, keepdim=True)
            one_hot = torch.zeros_like(self.aux_combination).scatter(2, chosen, 1.0)
            # Straight-through: the value is the one-hot choice to the bit, the gradient goes to
            # aux_combination as it is (the authors' copy_grad).
            choice = one_hot + (self.aux_combination - self.aux_combination.detach())
            merge = self.aux_coefficients * choice
            total = x.new_zeros(())
            for group, fragment in enumerate(x.chunk(groups, dim=1)):
                bricks = functional.conv2d(fragment, self.lego, stride=(2, 1), padding=1)
                total = total + functional.conv2d(bricks, merge[group, :, :, None, None])
            return total

    return _network(n_channels, n_times, n_classes, LegoConv2d)


def _convolution(before: int, after: int) -> nn.Module:
    from torch import nn

    return nn.Conv2d(before, after, 3, stride=(2, 1), padding=1)


def _network(
    n_channels: int,
    n_times: int,
    n_classes: int,
    layer: Callable[[int, int], nn.Module],
) -> nn.Module:
    # ``layer`` makes the second and the third convolution: the first stays ordinary in both nets.
    from torch import nn

    class TimeAsMaps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.transpose(1, 2).unsqueeze(3)  # [batch, n_times, n_channels, 1]

    height = n_channels
    layers: list[nn.Module] = [TimeAsMaps()]
    convolutions = (_convolution(n_times, MAPS[0]), layer(*MAPS[:2]), layer(*MAPS[1:]))
    for convolution, maps in zip(convolutions, MAPS, strict=True):
        layers += [convolution, nn.BatchNorm2d(maps), nn.ReLU()]
        height = (height - 1) // 2 + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(MAPS[-1] * height, n_classes))


CITATION = harbench.Citation(
    text="Tang, Y., Teng, Q., Zhang, L., Min, F., He, J.: Layer-Wise Training Convolutional "
    "Neural Networks With Smaller Filters for Human Activity Recognition Using Wearable Sensors. "
    "IEEE Sensors Journal 21(1), 581-592 (2021); arXiv:2005.03948 (2020)",
    doi="10.1109/JSEN.2020.3015521",
    url="https://arxiv.org/abs/2005.03948",
)
STAND_IN = (
    "The network behind the printed OPPORTUNITY numbers is not public. This is the OPPORTUNITY "
    "network of the same group's public code"
)
NF_DEFECT = (
    "Not reproducible: the group's public OPPORTUNITY arrays have 107 channels and 17 classes in "
    "windows of 64 samples, so the score is probably of another task than the other rows."
)
PROTOCOL = "not stated in what is public; the group's arrays: 107 channels, windows of 64, step 8"
NOTES = (
    "Windows of 64 samples (2.1 s at 30 Hz) are those of the group's OPPORTUNITY arrays.",
    "The group evaluates the test part every epoch and uses no validation part; harbench keeps "
    "the best epoch by validation NF.",
)
BASELINE_ROW = harbench.PublishedResult(
    row="Tang et al. 2020 baseline",
    source="Yan et al. 2022, Table 1",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "86.1", "parameters": "3.2M", "FLOPs": "41.9M"},
    defects={
        "NF": NF_DEFECT,
        "parameters": "Not reproducible: the group's public OPPORTUNITY network has 1,347,089 at "
        "107 channels and 17 classes (1,359,378 at 113 and 18), less than half of the print.",
        "FLOPs": "Not reproducible: the group's public OPPORTUNITY network takes 24,421,632 MACs "
        "at 107 channels and 17 classes (26,129,664 at 113 and 18).",
    },
    protocol=PROTOCOL,
)
LEGO_ROW = harbench.PublishedResult(
    row="Tang et al. 2020 simplified",
    source="Yan et al. 2022, Table 1",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "84.5", "parameters": "0.42M", "FLOPs": "13.78M"},
    defects={
        "NF": NF_DEFECT,
        "parameters": "Not reproducible. The authors' count leaves out everything named aux: by "
        "it this stand-in has 252,818 at 113 channels and 18 classes, and 678,802 with it.",
        "FLOPs": "Not reproducible; only m = 0.25 follows: of A + B = 41.9 and A + m*B = 13.78, "
        "m = 0.5 needs B = 56 > 41.9. As coded, with dense merges, this stand-in takes "
        "13,874,432 MACs.",
    },
    protocol=PROTOCOL,
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``tang2020-cnn`` and ``tang2020-lego``."""
    register(
        harbench.Model(
            name="tang2020-cnn",
            summary="three 3x3 convolutions over channels, time steps as maps (stand-in)",
            build=build_cnn,
            recipe=harbench.Recipe(
                optimizer="adam", learning_rate=1e-3, batch_size=200, epochs=300
            ),
            citation=CITATION,
            min_times=1,
            window=64,
            published=(BASELINE_ROW,),
            stand_in=f"{STAND_IN}.",
            notes=NOTES,
        )
    )
    register(
        harbench.Model(
            name="tang2020-lego",
            summary="the same with Lego filters: 4 groups, a quarter of the filters (stand-in)",
            build=build_lego,
            recipe=harbench.Recipe(
                optimizer="adam",
                learning_rate=4e-4,
                batch_size=200,
                epochs=500,
                schedule=Step(every=100, factor=0.1),
            ),
            citation=CITATION,
            min_times=1,
            window=64,
            published=(LEGO_ROW,),
            stand_in=f"{STAND_IN}, with its public Lego layer for two convolutions.",
            notes=(
                *NOTES,
                "Rate and length of training are those of the group's UCI-HAR script, the batch "
                "that of its OPPORTUNITY network.",
                "The authors add to the gradient a term that balances how often each Lego filter "
                "is used; harbench trains without it, and by one loss, not layer by layer.",
                "Parameters count everything that is trained, the authors' aux tensors included.",
            ),
        )
    )
