"""DeepConvLSTM and its baseline CNN: Ordóñez and Roggen (Sensors 2016), Sect. 3 and Table 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import harbench
from harbench_models.checks import check_choice, check_share, check_whole
from harbench_models.deepconv import INITS, as_sequence, convolutions, initialise, steps_left

if TYPE_CHECKING:
    from torch import Tensor, nn


def build_cnn(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    filters: int = 64,
    kernel: int = 5,
    conv_layers: int = 4,
    dense: int = 128,
    dropout: float = 0.5,
    init: str = "orthogonal",
) -> nn.Module:
    """The baseline: four convolutions along time, two dense layers, a linear layer.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least ``conv_layers * (kernel - 1) + 1``.
        n_classes: Width of the logits [batch, n_classes].
        filters: Maps of every convolution.
        kernel: Taps of every convolution, without padding.
        conv_layers: Number of convolutions.
        dense: Units of both dense layers.
        dropout: Share of the inputs of every dense layer that training sets to 0.
        init: ``orthogonal`` (the paper's) or ``xavier-normal``; biases 0.

    Raises:
        ModelError: a window too short for the convolutions, or an option out of its range.
    """
    name = "ordonez2016-cnn"
    check_whole(name, filters=filters, kernel=kernel, conv_layers=conv_layers, dense=dense)
    check_share(name, "dropout", dropout)
    check_choice(name, "init", init, INITS)
    left = steps_left(name, n_times, kernel, conv_layers)
    from torch import nn

    net = nn.Sequential(
        *convolutions(n_channels, filters, kernel, conv_layers),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(filters * n_channels * left, dense),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(dense, dense),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(dense, n_classes),
    )
    initialise(net, init)
    return net


def build_deepconvlstm(
    n_channels: int,
    n_times: int,
    n_classes: int,
    *,
    filters: int = 64,
    kernel: int = 5,
    conv_layers: int = 4,
    lstm_units: int = 128,
    lstm_layers: int = 2,
    dropout: float = 0.5,
    init: str = "orthogonal",
) -> nn.Module:
    """Four convolutions along time, two LSTM layers, a linear layer on the last step.

    Args:
        n_channels: Channels of the input [batch, n_channels, n_times].
        n_times: Samples of a window, at least ``conv_layers * (kernel - 1) + 1``.
        n_classes: Width of the logits [batch, n_classes].
        filters: Maps of every convolution.
        kernel: Taps of every convolution, without padding.
        conv_layers: Number of convolutions.
        lstm_units: Cells of every LSTM layer.
        lstm_layers: Number of LSTM layers.
        dropout: Share of the inputs of every LSTM and dense layer that training sets to 0.
        init: ``orthogonal`` (the paper's; each gate of the LSTM apart) or ``xavier-normal``;
            biases 0.

    Raises:
        ModelError: a window too short for the convolutions, or an option out of its range.
    """
    name = "deepconvlstm"
    check_whole(
        name,
        filters=filters,
        kernel=kernel,
        conv_layers=conv_layers,
        lstm_units=lstm_units,
        lstm_layers=lstm_layers,
    )
    check_share(name, "dropout", dropout)
    check_choice(name, "init", init, INITS)
    steps_left(name, n_times, kernel, conv_layers)
    from torch import nn

    class DeepConvLSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolutions = nn.Sequential(
                *convolutions(n_channels, filters, kernel, conv_layers)
            )
            self.dropout = nn.Dropout(dropout)
            self.lstm = nn.LSTM(
                filters * n_channels,
                lstm_units,
                lstm_layers,
                batch_first=True,
                # Between the layers only; torch warns of it where there is one layer.
                dropout=dropout if lstm_layers > 1 else 0.0,
            )
            self.classifier = nn.Linear(lstm_units, n_classes)

        def forward(self, x: Tensor) -> Tensor:
            maps: Tensor = self.convolutions(x)  # [batch, filters, n_channels, steps]
            states, _ = self.lstm(self.dropout(as_sequence(maps)))
            logits: Tensor = self.classifier(self.dropout(states[:, -1]))
            return logits

    net = DeepConvLSTM()
    initialise(net, init)
    return net


CITATION = harbench.Citation(
    text="Ordóñez, F.J., Roggen, D.: Deep Convolutional and LSTM Recurrent Neural Networks for "
    "Multimodal Wearable Activity Recognition. Sensors 16(1), 115 (2016)",
    doi="10.3390/s16010115",
)
RECIPE = harbench.Recipe(
    optimizer="rmsprop", learning_rate=1e-3, decay=0.9, batch_size=100, epochs=50
)
NOTES = (
    "The paper fixes no number of epochs; 50 is harbench's choice, the best by validation NF kept.",
    "The paper's windows are called 500 ms; the authors' code cuts 24 samples (800 ms) with step "
    "12. Four convolutions of 5 taps need at least 17 samples.",
    "The authors fill gaps by linear interpolation and scale each channel to fixed limits: "
    "`fill: linear`, `normalise: fixed`, `label: last`.",
)
PROTOCOL = (
    "113 channels, 18 classes with NULL, windows of 24 samples, step 12, label of the last "
    "sample; trained on S1 and S2-S3 ADL1-ADL3, Drill (no validation part left), tested on S2-S3 "
    "ADL4-ADL5"
)
TABLE_1 = harbench.PublishedResult(
    row="Ordonez and Roggen, 2016",
    source="Yan et al. 2022, Table 1",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "88.3", "parameters": "7.44M", "FLOPs": "54.58M*"},
    defects={
        "NF": "The baseline CNN of that paper, not its best network: DeepConvLSTM has 91.5 there.",
        "parameters": "The network has 7,486,546. 7,443,136 = 384 + 20,544 + 7,405,696 + 16,512 "
        "counts the three convolutions of layers 3-5 once and leaves out the output layer.",
        "FLOPs": "The network takes 91,460,096 MACs at 24 samples. 54,576,896 = 24*113*320 + "
        "20*113*20,480 + 7,405,568 + 16,384 + 2,304 costs layers 3-5 once, and each convolution "
        "at the length of its input.",
    },
    protocol=PROTOCOL,
)
OWN_TABLE = harbench.PublishedResult(
    row="DeepConvLSTM",
    source="Ordóñez and Roggen 2016 (NF as quoted in secondary texts, the authors' notebook "
    "prints 0.9157; the parameter total from memory, not checked against a copy)",
    dataset="opportunity",
    task="gestures",
    printed={"NF": "0.915", "parameters": "996,800"},
    defects={
        "NF": "Trained on ADL3 too, which leaves no validation part. The authors' own torch "
        "port, scored per sample, gets 0.889.",
        "parameters": "The network has 3,965,778. 996,800 = 384 + 20,544 + 942,592 + 33,280 "
        "counts layers 3-5 once and one of the four gates of each LSTM, and leaves out the "
        "output layer.",
    },
    protocol=PROTOCOL,
)


@harbench.hookimpl
def register_models(register: Callable[[harbench.Model], None]) -> None:
    """Offer ``ordonez2016-cnn`` and ``deepconvlstm``."""
    register(
        harbench.Model(
            name="ordonez2016-cnn",
            summary="DeepConvLSTM's baseline CNN: four convolutions along time, two dense layers",
            build=build_cnn,
            recipe=RECIPE,
            citation=CITATION,
            min_times=17,
            window=24,
            published=(TABLE_1,),
            notes=NOTES,
        )
    )
    register(
        harbench.Model(
            name="deepconvlstm",
            summary="DeepConvLSTM: four convolutions along time, two LSTM layers of 128",
            build=build_deepconvlstm,
            recipe=RECIPE,
            citation=CITATION,
            min_times=17,
            window=24,
            published=(OWN_TABLE,),
            notes=(
                *NOTES,
                "Torch's LSTM has two biases and no peepholes; the authors' Lasagne network "
                "has one bias and peepholes, 3,965,522 parameters.",
                "Bock et al. 2021 take one LSTM layer and other settings: `deepconvlstm-shallow`.",
            ),
        )
    )
