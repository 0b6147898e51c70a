"""The printed rows are the paper's, and what is said against them is true."""

from statistics import mean, pstdev

import pytest

TABLE_1 = {
    "yang2015": ("Yang et al. 2015", "85.1", "0.912M*", "1.85M*"),
    "ordonez2016-cnn": ("Ordonez and Roggen, 2016", "88.3", "7.44M", "54.58M*"),
    "tang2020-cnn": ("Tang et al. 2020 baseline", "86.1", "3.2M", "41.9M"),
    "tang2020-lego": ("Tang et al. 2020 simplified", "84.5", "0.42M", "13.78M"),
    "resnet-like": ("Our ResNet-like structure", "89.2", "0.024M", "0.25M"),
}


# harbench's own: no paper prints a row about them.
OWN_DESIGNS = {"densenet-1d", "mobilenet-1d"}


def conv(before: int, after: int, taps: int) -> int:
    """Parameters of a convolution with biases."""
    return before * after * taps + after


def millions(number: float, digits: int) -> str:
    return f"{number / 1e6:.{digits}f}M"


def defect(models, name: str, column: str) -> str:
    return models[name].published[0].defects[column]


@pytest.mark.parametrize("name", TABLE_1)
def test_the_rows_of_table_1_as_printed(models, name):
    row, nf, parameters, flops = TABLE_1[name]
    published = [p for p in models[name].published if p.source == "Yan et al. 2022, Table 1"]
    assert [p.row for p in published] == [row]
    assert published[0].printed == {"NF": nf, "parameters": parameters, "FLOPs": flops}


def test_rows_are_footnotes_in_size_and_belong_to_gestures(model):
    assert bool(model.published) == (model.name not in OWN_DESIGNS)
    for published in model.published:
        assert (published.dataset, published.task) == ("opportunity", "gestures")
        assert set(published.defects) == set(published.printed)
        for text in published.defects.values():
            assert 20 < len(text) < 300
            assert text.endswith(".")


def test_yang_parameters_counted_with_one_input_map(models):
    true = [conv(1, 50, 5), conv(50, 40, 5), conv(40, 20, 3), conv(20, 400, 113), conv(400, 18, 1)]
    assert sum(true) == 924_378
    miscount = [conv(1, 50, 5), conv(1, 40, 5), conv(1, 20, 3), *true[3:]]
    assert miscount == [300, 240, 80, 904_400, 7_218]
    assert sum(miscount) == 912_238
    assert millions(912_238, 3) == "0.912M"
    text = defect(models, "yang2015", "parameters")
    assert "912,238 = 300 + 240 + 80 + 904,400 + 7,218" in text
    assert "924,378" in text


def test_yang_flops_counted_with_one_input_map_and_without_the_last_layer(models):
    rows = 113
    first, unify, last = 50 * rows * 26 * 5, 400 * 20 * rows, 18 * 400
    second, third = 40 * rows * 9 * 5, 20 * rows * 1 * 3
    assert first + 50 * second + 40 * third + unify + last == 12_086_900
    assert [first, second, third, unify] == [734_500, 203_400, 6_780, 904_000]
    assert first + second + third + unify == 1_848_680
    assert millions(1_848_680, 2) == "1.85M"
    text = defect(models, "yang2015", "FLOPs")
    assert "1,848,680 = 734,500 + 203,400 + 6,780 + 904,000" in text
    assert round(12_086_900 / 1_848_680, 1) == 6.5
    assert "6.5 times" in text


def test_ordonez_parameters_with_layers_3_to_5_counted_once(models):
    first, later = conv(1, 64, 5), conv(64, 64, 5)
    dense = conv(64 * 113 * 8, 128, 1), conv(128, 128, 1), conv(128, 18, 1)
    assert first + 3 * later + sum(dense) == 7_486_546
    assert (first, later, *dense[:2]) == (384, 20_544, 7_405_696, 16_512)
    assert first + later + dense[0] + dense[1] == 7_443_136
    assert millions(7_443_136, 2) == "7.44M"
    text = defect(models, "ordonez2016-cnn", "parameters")
    assert "7,443,136 = 384 + 20,544 + 7,405,696 + 16,512" in text
    assert "7,486,546" in text


def test_ordonez_flops_with_each_table_row_at_the_length_of_its_input(models):
    dense = 128 * 64 * 113 * 8, 128 * 128, 18 * 128
    later = 64 * 64 * 5
    assert 20 * 113 * 320 + (16 + 12 + 8) * 113 * later + sum(dense) == 91_460_096
    assert dense == (7_405_568, 16_384, 2_304)
    assert later == 20_480
    assert 24 * 113 * 320 + 20 * 113 * later + sum(dense) == 54_576_896
    assert millions(54_576_896, 2) == "54.58M"
    text = defect(models, "ordonez2016-cnn", "FLOPs")
    assert "54,576,896 = 24*113*320 + 20*113*20,480 + 7,405,568 + 16,384 + 2,304" in text
    assert "91,460,096" in text


def test_deepconvlstm_parameters_with_one_gate_of_four(models):
    first, later = conv(1, 64, 5), conv(64, 64, 5)
    inputs, units = 64 * 113, 128
    true_lstm = sum(4 * (n * units + units * units + 2 * units) for n in (inputs, units))
    assert first + 3 * later + true_lstm + conv(units, 18, 1) == 3_965_778
    # One gate: its weights, its recurrent weights, and four vectors of 128.
    gates = [n * units + units * units + 4 * units for n in (inputs, units)]
    assert gates == [942_592, 33_280]
    assert first + later + sum(gates) == 996_800
    text = defect(models, "deepconvlstm", "parameters")
    assert "996,800 = 384 + 20,544 + 942,592 + 33,280" in text
    assert models["deepconvlstm"].published[0].printed == {"NF": "0.915", "parameters": "996,800"}
    assert "from memory" in models["deepconvlstm"].published[0].source


def test_lego_compression_algebra(models):
    # A is compressed by nothing, B by m: A + B = 41.9, A + m B = 13.78.
    for ratio, possible in ((0.5, False), (0.25, True)):
        compressed = (41.9 - 13.78) / (1 - ratio)
        assert (compressed <= 41.9) == possible
    assert round((41.9 - 13.78) / 0.5) == 56
    assert "B = 56 > 41.9" in defect(models, "tang2020-lego", "FLOPs")


def test_table_4_is_a_count_for_ten_channels():
    # The input channels enter the first convolution alone: 16 maps x 3 taps for each.
    per_channel = 16 * 3
    assert (24_594 - 19_650) / per_channel == 113 - 10


def test_stand_ins_say_so(models):
    stand_ins = {name for name, model in models.items() if model.stand_in}
    assert stand_ins == {"tang2020-cnn", "tang2020-lego"}
    for name in stand_ins:
        for column in ("parameters", "FLOPs"):
            assert "Not reproducible" in defect(models, name, column)


def test_own_designs_say_so_and_name_their_source(models):
    for name in OWN_DESIGNS:
        assert models[name].summary.startswith("harbench's own")
        assert models[name].citation.text.startswith("harbench's own design, after ")
        assert "No paper publishes this network: Yan et al." in models[name].notes[0]
        assert models[name].recipe == models["resnet-like"].recipe


def test_the_row_of_bock_is_the_mean_of_the_logs(models):
    # "Avg. F1" of Opportunity/1x128_1.log to _5.log, and of 2x128.
    shallow = [0.50331515, 0.47020399, 0.52585652, 0.51927059, 0.53177963]
    deep = [0.46096172, 0.44544086, 0.43466330, 0.46168416, 0.47146203]

    def said(scores: list[float]) -> str:
        return f"{100 * mean(scores):.1f} ± {100 * pstdev(scores):.1f}"

    [row] = models["deepconvlstm-shallow"].published
    assert row.printed == {"macro F1": said(shallow)} == {"macro F1": "51.0 ± 2.2"}
    assert f"have {said(deep)} there" in row.defects["macro F1"]


def test_rows_of_another_protocol_say_so(models):
    for name, printed in (("deepconvlstm-attention", "70.7"), ("attend-discriminate", "74.6")):
        [row] = models[name].published
        assert row.printed == {"macro F1": printed}
        assert "Second hand" in row.defects["macro F1"]
        assert "79 channels" in row.defects["macro F1"]


def test_recipes_are_the_papers(models):
    resnet = models["resnet-like"].recipe
    assert (resnet.optimizer, resnet.momentum, resnet.batch_size) == ("sgd", 0.9, 256)
    assert (resnet.learning_rate, resnet.schedule.kind, resnet.schedule.factor) == (
        1e-3, "plateau", 0.1,
    )  # fmt: skip
    yang = models["yang2015"].recipe
    assert (yang.optimizer, yang.momentum, yang.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (yang.batch_size, yang.epochs, yang.learning_rate) == (12, 8, 0.01)
    assert (yang.schedule.kind, yang.schedule.every, yang.schedule.factor) == ("step", 3, 0.1)
    for name in ("ordonez2016-cnn", "deepconvlstm"):
        recipe = models[name].recipe
        assert (recipe.optimizer, recipe.decay, recipe.batch_size) == ("rmsprop", 0.9, 100)
        assert recipe.learning_rate == 1e-3
    bock = models["deepconvlstm-shallow"].recipe
    assert (bock.optimizer, bock.learning_rate, bock.weight_decay) == ("adam", 1e-4, 1e-6)
    assert (bock.batch_size, bock.epochs, bock.keep) == (100, 30, "last")
    murahari = models["deepconvlstm-attention"].recipe
    assert (murahari.optimizer, murahari.decay, murahari.batch_size) == ("rmsprop", 0.99, 100)
    assert (murahari.schedule.every, murahari.schedule.factor) == (2, 0.97)
    assert (murahari.learning_rate, murahari.clip_norm, murahari.epochs) == (1e-3, 5.0, 200)
    abedin = models["attend-discriminate"].recipe
    assert (abedin.optimizer, abedin.learning_rate, abedin.batch_size) == ("adam", 1e-3, 256)
    assert (abedin.schedule.every, abedin.schedule.factor, abedin.epochs) == (10, 0.9, 300)
    assert {name: model.window for name, model in models.items()} == {
        "resnet-like": 15,
        "yang2015": 30,
        "ordonez2016-cnn": 24,
        "deepconvlstm": 24,
        "tang2020-cnn": 64,
        "tang2020-lego": 64,
        "deepconvlstm-shallow": 24,
        "deepconvlstm-attention": 24,
        "attend-discriminate": 24,
        "densenet-1d": 15,
        "mobilenet-1d": 15,
    }
