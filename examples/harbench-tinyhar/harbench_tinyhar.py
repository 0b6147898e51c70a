"""TinyHAR, a model plugin for harbench: Zhou et al. (ISWC 2022), Sect. 3.

Written from the paper's description. The authors' repository (github.com/teco-kit/ISWC22-HAR)
carries no licence, so none of it is copied; it settled what the text leaves open, and the counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Plateau

if TYPE_CHECKING:
    from torch import Tensor, nn

NAME = "tinyhar"
# Unpadded convolutions of 5 taps with strides 1, 2, 1, 2 leave two steps of 27 samples. With one
# step the attention over time has nothing to weigh, and batch norm of one window no variance.
SHORTEST = 27
STRIDES = (1, 2, 1, 2)


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    filters: int = 20,
    dropout: float = 0.1,
) -> nn.Module:
    """Convolutions a channel, attention across channels, a fusion, an LSTM, attention over time.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least 27.
        n_classes: Width of the logits [batch, n_classes].
        filters: Maps of every convolution, F in the paper; fusion and LSTM have 2 F.
        dropout: Share of the fusion's inputs that training sets to 0.

    Raises:
        ModelError: fewer than 27 samples, or an option out of its range.
    """
    if n_times < SHORTEST:
        raise harbench.ModelError(
            f"{NAME} cannot take windows of {n_times} samples",
            where=f"model '{NAME}'",
            expected=f"at least {SHORTEST} samples",
            fix=f"--set protocol.window={SHORTEST}",
        )
    if isinstance(filters, bool) or not isinstance(filters, int) or filters < 1:
        raise harbench.ModelError(
            f"option filters is {filters!r}",
            where=f"model '{NAME}'",
            expected="a whole number of at least 1",
        )
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise harbench.ModelError(
            f"option dropout is {dropout!r}",
            where=f"model '{NAME}'",
            expected="a number from 0 to below 1",
        )
    import torch
    from torch import nn

    class ChannelAttention(nn.Module):
        """Every channel adds a weighted mean of all channels' values, times a learnt number."""

        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Linear(filters, filters, bias=False)
            self.key = nn.Linear(filters, filters, bias=False)
            self.value = nn.Linear(filters, filters, bias=False)
            self.gamma = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            """From [batch, steps, n_channels, filters] to the same."""
            alike: Tensor = self.query(x) @ self.key(x).transpose(-1, -2)  # [..., from, to]
            others: Tensor = alike.softmax(-2).transpose(-1, -2) @ self.value(x)
            return x + self.gamma * others

    class TimeAttention(nn.Module):
        """The last state and, times a learnt number, a weighted mean of all states."""

        def __init__(self, width: int) -> None:
            super().__init__()
            self.score = nn.Sequential(
                nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False)
            )
            self.gamma = nn.Parameter(torch.zeros(()))

        def forward(self, states: Tensor) -> Tensor:
            """From [batch, steps, width] to [batch, width]."""
            context: Tensor = (self.score(states).softmax(1) * states).sum(1)
            return states[:, -1] + self.gamma * context

    class TinyHAR(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = [nn.Unflatten(1, (1, n_channels))]
            for layer, stride in enumerate(STRIDES):
                layers += [
                    nn.Conv2d(filters if layer else 1, filters, (1, 5), (1, stride)),
                    nn.ReLU(),
                    nn.BatchNorm2d(filters),
                ]
            self.convolutions = nn.Sequential(*layers)
            self.across_channels = ChannelAttention()
            self.dropout = nn.Dropout(dropout)
            self.fusion = nn.Linear(n_channels * filters, 2 * filters)
            self.lstm = nn.LSTM(2 * filters, 2 * filters, batch_first=True)
            self.over_time = TimeAttention(2 * filters)
            self.classifier = nn.Linear(2 * filters, n_classes)

        def forward(self, x: Tensor) -> Tensor:
            maps: Tensor = self.convolutions(x)  # [batch, filters, n_channels, steps]
            attended = self.across_channels(maps.permute(0, 3, 2, 1))
            fused = self.fusion(self.dropout(attended).flatten(2)).relu()  # [batch, steps, 2 F]
            states, _ = self.lstm(fused)
            logits: Tensor = self.classifier(self.over_time(states))
            return logits

    return TinyHAR()


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``tinyhar``."""
    register(
        harbench.Model(
            name=NAME,
            summary="convolutions a channel, attention across channels, an LSTM, attention in time",
            build=build,
            recipe=harbench.Recipe(
                optimizer="adam",
                learning_rate=1e-3,
                batch_size=256,
                epochs=150,
                schedule=Plateau(factor=0.1, patience=7),
                monitor="loss",
                patience=15,
            ),
            citation=harbench.Citation(
                text="Zhou, Y., Zhao, H., Huang, Y., Hefenbrock, M., Riedel, T., Beigl, M.: "
                "TinyHAR: A Lightweight Deep Learning Model Designed for Human Activity "
                "Recognition. In: International Symposium on Wearable Computers (ISWC 2022). "
                "ACM (2022)",
                doi="10.1145/3544794.3558467",
            ),
            min_times=SHORTEST,
            window=30,
            notes=(
                "The recipe is that of the authors' training notebook.",
                "Settings of that notebook where paper and code differ: strides of 1, 2, 1, 2 "
                "(the text: 2 in each layer), one-head attention across channels without "
                "feed-forward layers (the text: a transformer encoder block).",
                "Both attentions start switched off (gamma 0), so their matrices get no gradient "
                "in the very first step.",
            ),
        )
    )
