"""Attend and Discriminate: Abedin et al. (IMWUT 2021), Sect. 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench.nouns import Step
from harbench_models.checks import check_choice, check_share, check_whole
from harbench_models.deepconv import INITS, as_sequence, convolutions, initialise, steps_left

if TYPE_CHECKING:
    from torch import Tensor, nn

NAME = "attend-discriminate"


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    filters: int = 64,
    kernel: int = 5,
    conv_layers: int = 4,
    gru_units: int = 128,
    gru_layers: int = 2,
    dropout: float = 0.5,
    dropout_gru: float = 0.25,
    dropout_classifier: float = 0.5,
    init: str = "orthogonal",
) -> nn.Module:
    """Convolutions along time, attention across channels, a GRU, attention over time.

    At every step the maps X [filters, n_channels] attend across channels: B = softmax over rows
    of (Wq X)' (Wk X), and X + gamma (Wv X) B goes on, with gamma 0 at the start (Sect. 3.1). The
    linear layer reads the mean of the GRU's states, weighted by the softmax of a learnt score.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least ``conv_layers * (kernel - 1) + 2``: with one state
            there is nothing to weigh.
        n_classes: Width of the logits [batch, n_classes].
        filters: Maps of every convolution.
        kernel: Taps of every convolution, without padding.
        conv_layers: Number of convolutions.
        gru_units: Cells of every GRU layer.
        gru_layers: Number of GRU layers.
        dropout: Share of the GRU's inputs that training sets to 0.
        dropout_gru: The same between the GRU's layers.
        dropout_classifier: The same for the linear layer.
        init: ``orthogonal`` (the paper's, but for PAMAP2) or ``xavier-normal``; biases 0. The
            attention across channels starts from Kaiming's normal weights.

    Raises:
        ModelError: a window too short, or an option out of its range.
    """
    check_whole(
        NAME,
        filters=filters,
        kernel=kernel,
        conv_layers=conv_layers,
        gru_units=gru_units,
        gru_layers=gru_layers,
    )
    check_share(NAME, "dropout", dropout)
    check_share(NAME, "dropout_gru", dropout_gru)
    check_share(NAME, "dropout_classifier", dropout_classifier)
    check_choice(NAME, "init", init, INITS)
    steps_left(NAME, n_times, kernel, conv_layers, at_least=2)
    import torch
    from torch import nn

    class ChannelAttention(nn.Module):
        """Self-attention across the channels of one time step, as in SAGAN."""

        def __init__(self) -> None:
            super().__init__()
            self.query = nn.Conv1d(filters, filters, 1, bias=False)
            self.key = nn.Conv1d(filters, filters, 1, bias=False)
            self.value = nn.Conv1d(filters, filters, 1, bias=False)
            self.gamma = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            """From [windows, filters, n_channels] to the same."""
            alike: Tensor = self.query(x).transpose(1, 2) @ self.key(x)  # [windows, from, to]
            others: Tensor = self.value(x) @ alike.softmax(1)
            return x + self.gamma * others

    class AttendDiscriminate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolutions = nn.Sequential(
                *convolutions(n_channels, filters, kernel, conv_layers)
            )
            self.across_channels = ChannelAttention()
            self.dropout = nn.Dropout(dropout)
            self.gru = nn.GRU(
                filters * n_channels,
                gru_units,
                gru_layers,
                batch_first=True,
                # Between the layers only; torch warns of it where there is one layer.
                dropout=dropout_gru if gru_layers > 1 else 0.0,
            )
            self.score = nn.Linear(gru_units, 1)
            self.dropout_classifier = nn.Dropout(dropout_classifier)
            self.classifier = nn.Linear(gru_units, n_classes)

        def forward(self, x: Tensor) -> Tensor:
            maps: Tensor = self.convolutions(x)  # [batch, filters, n_channels, steps]
            steps = maps.movedim(3, 1)  # [batch, steps, filters, n_channels]
            attended = self.across_channels(steps.flatten(0, 1)).view_as(steps).movedim(1, 3)
            states, _ = self.gru(self.dropout(as_sequence(attended)))
            weights = self.score(states).softmax(1)  # [batch, steps, 1]
            logits: Tensor = self.classifier(self.dropout_classifier((weights * states).sum(1)))
            return logits

    net = AttendDiscriminate()
    initialise(net, init, gates_apart=False)
    attention = net.across_channels
    for layer in (attention.query, attention.key, attention.value):
        nn.init.kaiming_normal_(layer.weight)
    return net


SECOND_HAND = harbench.PublishedResult(
    row="Attend and Discriminate",
    source="Ahmad and Leung 2023 (PerCom, ALAE-TAE-CutMix+), Table 2, as quoted in secondary texts",
    dataset="opportunity",
    task="gestures",
    printed={"macro F1": "74.6"},
    defects={
        "macro F1": "Second hand, the best of several runs, trained with mixup and a centre loss, "
        "and another protocol than Table 1's: 79 channels, S4 among the training subjects, every "
        "test sample scored.",
    },
    protocol="79 channels, 18 classes with NULL, windows of 24 samples, step 12 for training and "
    "1 for test; S1 run 2 for validation, S2-S3 runs 4-5 for test, all the rest for training",
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``attend-discriminate``."""
    register(
        harbench.Model(
            name=NAME,
            summary="DeepConv with attention across channels, a GRU and attention over time",
            build=build,
            recipe=harbench.Recipe(
                optimizer="adam",
                learning_rate=1e-3,
                batch_size=256,
                epochs=300,
                schedule=Step(every=10, factor=0.9),
                monitor="macro_f1",
            ),
            citation=harbench.Citation(
                text="Abedin, A., Ehsanpour, M., Shi, Q., Rezatofighi, H., Ranasinghe, D.C.: "
                "Attend and Discriminate: Beyond the State-of-the-Art for Human Activity "
                "Recognition Using Wearable Sensors. Proc. ACM Interact. Mob. Wearable Ubiquitous "
                "Technol. 5(1), 1 (2021)",
                doi="10.1145/3448083",
            ),
            min_times=18,
            window=24,
            published=(SECOND_HAND,),
            notes=(
                "The network alone: the recipe has neither the paper's centre loss (weight 0.0003 "
                "on OPPORTUNITY) nor its mixup (alpha 0.8), which the printed number has.",
                "The recipe and the dropout shares are those of the authors' code for OPPORTUNITY.",
                "Attention across channels starts switched off (gamma 0), so its three matrices "
                "get no gradient in the very first step.",
                "The authors' centres of the classes are no part of the network: 2,167,252 "
                "parameters at 79 channels are without them.",
            ),
        )
    )
