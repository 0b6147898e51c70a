"""Parameters and MACs of every network, to the digit, and what the second counter says of them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

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
    # Bock et al. 2021: the parameters are what the logs of 1x128 and 2x128 print.
    Golden("deepconvlstm-shallow", 113, 24, 18, 3_833_682, 3_833_682, 114_184_704, 114_201_088),
    Golden(
        "deepconvlstm-shallow", 113, 24, 18, 3_965_778, 3_965_778, 115_233_280, 115_266_048,
        {"lstm_layers": 2},
    ),
    Golden("deepconvlstm-attention", 113, 24, 18, 3_982_419, 3_982_419, 115_348_864, 115_381_632),
    Golden("deepconvlstm-attention", 79, 24, 18, 2_868_307, 2_868_307, 81_150_848, 81_183_616),
    # thop does not see the matrix products of the attention across channels.
    Golden("attend-discriminate", 79, 24, 18, 2_167_252, 2_167_252, 89_622_528, 83_258_368),
    Golden("attend-discriminate", 113, 24, 18, 3_002_836, 3_002_836, 131_619_328, 118_570_496),
    Golden("densenet-1d", 113, 15, 18, 23_801, 24_989, 252_174, 277_573),
    Golden("densenet-1d", 6, 50, 7, 17_741, 18_929, 592_631, 679_614),
    Golden("mobilenet-1d", 113, 15, 18, 23_250, 24_338, 210_976, 230_752),
    Golden("mobilenet-1d", 6, 50, 7, 17_399, 18_487, 418_048, 480_512),
]  # fmt: skip

UNSEEN_BY_THOP = {"tang2020-lego", "attend-discriminate"}


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
    assert agrees == (golden.model not in UNSEEN_BY_THOP), cost.counters_note


def test_every_registered_model_has_a_golden_count(models):
    assert {golden.model for golden in GOLDEN} == set(models)


def test_the_authors_of_the_lego_layer_count_without_aux(models):
    net = models["tang2020-lego"].build(113, 64, 18)
    assert sum(p.numel() for n, p in net.named_parameters() if "aux" not in n) == 252_818


def test_attention_deepconvlstm_is_deepconvlstm_and_two_linear_layers(models):
    # W [128, 128] with its bias, then v [128] with its bias.
    extra = 128 * 128 + 128 + 128 + 1
    assert 3_965_778 + extra == 3_982_419
    # Scores of the seven earlier of eight states, and their weighted mean is element-wise work.
    assert 115_233_280 + 7 * (128 * 128 + 128) == 115_348_864


def test_attend_and_discriminate_by_its_formula(models):
    channels, steps, maps, units = 79, 8, 64, 128
    convolutions = (maps * 5 + maps) + 3 * (maps * maps * 5 + maps)
    attention = 3 * maps * maps + 1
    gru = 3 * ((maps * channels + units) + (units + units)) * units + 2 * 2 * 3 * units
    assert convolutions + attention + gru + (units + 1) + (units * 18 + 18) == 2_167_252
    products = 3 * maps * maps * channels + 2 * maps * channels * channels  # in one time step
    macs = (20 * 5 * maps + (16 + 12 + 8) * 5 * maps * maps) * channels
    macs += steps * (products + 3 * ((maps * channels + units) + (units + units)) * units + units)
    assert macs + units * 18 == 89_622_528


@pytest.mark.parametrize("name", ["densenet-1d", "mobilenet-1d"])
def test_harbenchs_own_designs_are_no_larger_than_they_say(models, name):
    golden = next(g for g in GOLDEN if g.model == name and g.n_channels == 113)
    resnet = GOLDEN[0]
    assert golden.parameters < resnet.parameters
    assert golden.with_buffers <= 25_000
    [note] = [note for note in models[name].notes if "parameters" in note]
    assert f"{golden.parameters:,} parameters" in note
    assert f"{golden.parameters / 1e3:.0f}k parameters" in models[name].summary


def test_the_documentation_lists_every_network_with_its_counts(models):
    page = Path(__file__).parents[2] / "docs" / "models.md"
    rows = re.findall(
        r"^\| `(\S+)` \|.*\| (\d+) \| ([\d,]+) \| ([\d,]+) \|$", page.read_text(), re.M
    )
    # The first golden row of a network with its defaults, as the paper cuts OPPORTUNITY.
    printed = {name: (int(window), parameters, macs) for name, window, parameters, macs in rows}
    assert printed == {
        golden.model: (golden.n_times, f"{golden.parameters:,}", f"{golden.macs:,}")
        for golden in GOLDEN
        if (golden.n_channels, golden.n_classes, golden.options) == (113, 18, {})
    }
    assert set(printed) == set(models)
    assert all(models[name].window == window for name, (window, _, _) in printed.items())
