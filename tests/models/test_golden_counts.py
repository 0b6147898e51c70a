"""Parameters and MACs of every network, to the digit, and what the second counter says of them."""

from dataclasses import dataclass, field

import pytest

from harbench.cost import count


@dataclass(frozen=True)
class Golden:
    model: str
    n_channels: int
    n_times: int
    n_classes: int
    parameters: int
    with_buffers: int
    macs: int
    thop: int
    options: dict = field(default_factory=dict)

    def __str__(self) -> str:
        options = "-".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.model}-{self.n_channels}x{self.n_times}x{self.n_classes}-{options}"


GOLDEN = [
    Golden("resnet-like", 113, 15, 18, 24_146, 24_594, 240_656, 250_128),
    Golden("resnet-like", 113, 15, 18, 24_146, 24_594, 253_456, 263_472, {"pool": "ceil"}),
    # Table 4's 19650 for "20 channels" is the count for 10.
    Golden("resnet-like", 20, 15, 18, 19_682, 20_130, 173_696, 183_168),
    Golden("resnet-like", 10, 15, 18, 19_202, 19_650, 166_496, 175_968),
    Golden("yang2015", 113, 30, 18, 924_378, 924_378, 12_086_900, 12_086_900),
    Golden("yang2015", 113, 30, 18, 924_378, 924_378, 10_956_900, 10_956_900, {"pooling": "code"}),
    Golden("ordonez2016-cnn", 113, 24, 18, 7_486_546, 7_486_546, 91_460_096, 91_460_096),
    Golden("deepconvlstm", 113, 24, 18, 3_965_778, 3_965_778, 115_233_280, 115_266_048),
    Golden(
        "deepconvlstm", 113, 24, 18, 3_833_682, 3_833_682, 114_184_704, 114_201_088,
        {"lstm_layers": 1},
    ),
    # Bock et al. 2021, a data set of 3 channels and 13 classes at 50 Hz.
    Golden(
        "deepconvlstm", 3, 50, 13, 434_765, 434_765, 11_145_344, 11_186_304,
        {"kernel": 11, "init": "xavier-normal"},
    ),
    Golden("tang2020-cnn", 107, 64, 17, 1_347_089, 1_348_625, 24_421_632, 24_498_432),
    Golden("tang2020-cnn", 113, 64, 18, 1_359_378, 1_360_914, 26_129_664, 26_211_584),
    # thop sees the first convolution, batch norm and the linear layer.
    Golden("tang2020-lego", 113, 64, 18, 678_802, 680_338, 13_874_432, 4_388_096),
]  # fmt: skip


@pytest.mark.parametrize("golden", GOLDEN, ids=str)
def test_counts(models, golden):
    net = models[golden.model].build(
        golden.n_channels, golden.n_times, golden.n_classes, **golden.options
    )
    cost = count(net, golden.n_channels, golden.n_times)
    assert cost.parameters == golden.parameters
    assert cost.parameters_with_buffers == golden.with_buffers
    assert cost.weight_bytes == 4 * golden.with_buffers
    assert cost.macs == golden.macs
    assert cost.macs_second == golden.thop
    agrees = "agrees" in cost.counters_note
    assert agrees == (golden.model != "tang2020-lego"), cost.counters_note


def test_every_registered_model_has_a_golden_count(models):
    assert {golden.model for golden in GOLDEN} == set(models)


def test_the_authors_of_the_lego_layer_count_without_aux(models):
    net = models["tang2020-lego"].build(113, 64, 18)
    assert sum(p.numel() for n, p in net.named_parameters() if "aux" not in n) == 252_818
