"""The shallow DeepConvLSTM of Bock et al. (ISWC 2021): one LSTM layer instead of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench_models.checks import check_choice, check_share, check_whole
from harbench_models.deepconv import INITS, as_sequence, convolutions, initialise, steps_left

if TYPE_CHECKING:
    from torch import Tensor, nn

NAME = "deepconvlstm-shallow"


def build(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    filters: int = 64,
    kernel: int = 5,
    conv_layers: int = 4,
    lstm_units: int = 128,
    lstm_layers: int = 1,
    dropout: float = 0.5,
    init: str = "xavier-normal",
) -> nn.Module:
    """Four convolutions along time, one LSTM layer, a linear layer on the last step.

    Unlike ``deepconvlstm`` it has dropout before the linear layer alone.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least ``conv_layers * (kernel - 1) + 1``.
        n_classes: Width of the logits [batch, n_classes].
        filters: Maps of every convolution.
        kernel: Taps of every convolution, without padding: 5 on OPPORTUNITY, 11 and 21 elsewhere.
        conv_layers: Number of convolutions.
        lstm_units: Cells of every LSTM layer: 128, 256, 512 or 1024 in the paper.
        lstm_layers: Number of LSTM layers; 2 is what the paper compares with.
        dropout: Share of the linear layer's inputs that training sets to 0.
        init: ``xavier-normal`` (the paper's) or ``orthogonal``; biases 0.

    Raises:
        ModelError: a window too short for the convolutions, or an option out of its range.
    """
    check_whole(
        NAME,
        filters=filters,
        kernel=kernel,
        conv_layers=conv_layers,
        lstm_units=lstm_units,
        lstm_layers=lstm_layers,
    )
    check_share(NAME, "dropout", dropout)
    check_choice(NAME, "init", init, INITS)
    steps_left(NAME, n_times, kernel, conv_layers)
    from torch import nn

    class ShallowDeepConvLSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolutions = nn.Sequential(
                *convolutions(n_channels, filters, kernel, conv_layers)
            )
            self.lstm = nn.LSTM(filters * n_channels, lstm_units, lstm_layers, batch_first=True)
            self.dropout = nn.Dropout(dropout)
            self.classifier = nn.Linear(lstm_units, n_classes)

        def forward(self, x: Tensor) -> Tensor:
            maps: Tensor = self.convolutions(x)  # [batch, filters, n_channels, steps]
            states, _ = self.lstm(as_sequence(maps))
            logits: Tensor = self.classifier(self.dropout(states[:, -1]))
            return logits

    net = ShallowDeepConvLSTM()
    initialise(net, init, gates_apart=False)
    return net


LOGS = harbench.PublishedResult(
    row="DeepConvLSTM, one LSTM layer of 128",
    source="the authors' logs (github.com/mariusbock/dl-for-har, Opportunity/1x128), mean and "
    "standard deviation of five seeds",
    dataset="opportunity",
    task="gestures",
    printed={"macro F1": "51.0 ± 2.2"},
    defects={
        "macro F1": "In the authors' code the LSTM runs along the batch and not along time "
        "(batch_first is not set), so a test window is classified with the windows that precede it "
        "in the recording. Two layers of 128 have 45.5 ± 1.3 there.",
    },
    protocol="113 channels, 18 classes with NULL, windows of 24 samples, step 12; trained on S1 "
    "and S2-S3 ADL1, ADL2, Drill (497,014 samples), scored on S2-S3 ADL4-ADL5 after the last of 30 "
    "epochs",
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``deepconvlstm-shallow``."""
    register(
        harbench.Model(
            name=NAME,
            summary="DeepConvLSTM with one LSTM layer: four convolutions along time, 128 cells",
            build=build,
            recipe=harbench.Recipe(
                optimizer="adam",
                learning_rate=1e-4,
                weight_decay=1e-6,
                batch_size=100,
                epochs=30,
                keep="last",
            ),
            citation=harbench.Citation(
                text="Bock, M., Hölzemann, A., Moeller, M., Van Laerhoven, K.: Improving Deep "
                "Learning for HAR with Shallow LSTMs. In: International Symposium on Wearable "
                "Computers (ISWC 2021), pp. 7-12. ACM (2021)",
                doi="10.1145/3460421.3480419",
            ),
            min_times=17,
            window=24,
            published=(LOGS,),
            notes=(
                "The LSTM runs along time, as the paper says. In the authors' code it runs along "
                "the batch, whose windows follow one another, so the logits of a window depend on "
                "the other windows of the batch. Parameters and MACs are the same.",
                "The recipe is that of the authors' logs on OPPORTUNITY; on their other four data "
                "sets they weigh the classes: `class_weights: balanced`.",
                "The authors' kernels have 5 taps on OPPORTUNITY, 11 or 21 on data with more "
                "samples a second.",
                "`lstm_layers: 2` is the network that the paper compares with; it differs from "
                "`deepconvlstm` by dropout before the linear layer alone and by its recipe.",
                "Four convolutions of 5 taps need at least 17 samples.",
            ),
        )
    )
