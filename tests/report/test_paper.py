"""The paper's tables beside what was measured, and the arithmetic of what does not add up."""

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harbench.cost import count
from harbench.metrics import always_commonest
from harbench.report.paper import (
    Sources,
    paper_json,
    paper_markdown,
    paper_page,
    print_paper,
    printed,
    uncounted,
)
from harbench.report.paper import layers as sizes
from harbench.report.paper.about_networks import ADL3_OF_S2_S3, CHALLENGE_TEST, CHALLENGE_TRAIN
from harbench.report.paper.about_scores import ALL_SAMPLES, CHALLENGE_SAMPLES, SEGMENTS
from harbench.report.paper.inconsistencies import inconsistencies, numbers
from harbench.report.paper.inconsistency import always_null, millions
from harbench.report.paper.numbering import agrees, disagreeing, indices_of, is_called, meant
from harbench.results import Store
from harbench_datasets.opportunity_columns import CHANNELS
from harbench_datasets.opportunity_files import FILES
from harbench_models import ordonez2016, resnet_like, tang2020, yang2015

# What is printed


def test_table_1_is_what_stands_beside_the_models():
    published = {
        p.row: (p.printed["NF"], p.printed["parameters"], p.printed["FLOPs"])
        for p in (yang2015.TABLE_1, ordonez2016.TABLE_1, resnet_like.TABLE_1,
                  tang2020.BASELINE_ROW, tang2020.LEGO_ROW)
    }  # fmt: skip
    assert {row.row: (row.nf, row.parameters, row.flops) for row in printed.TABLE_1} == published


def test_tables_2_to_4_as_printed():
    assert list(printed.TABLE_2.values()) == ["89.2", "77.3", "93.7", "90.1"]
    assert [e.index for e in printed.TABLE_3_TOP] == [62, 40, 56, 55, 54, 53, 44, 84, 99, 100]
    assert [e.index for e in printed.TABLE_3_BOTTOM] == [15, 112, 97, 108, 113, 75, 94, 96, 77, 92]
    assert [(r.row, r.nf, r.parameters) for r in printed.TABLE_4] == [
        ("All 113", "91.6", "24594"),
        ("Top 20", "88.1", "19650"),
        ("Bottom 20", "57.6", "19650"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.912M*", 912_000), ("7.44M", 7.44e6), ("24594", 24_594), ("4.5%", 4.5), ("89.2", 89.2)],
)
def test_the_number_of_a_print(text, value):
    assert printed.number(text) == pytest.approx(value)


# The layers, against networks that are built and counted


@pytest.mark.parametrize("channels", [113, 20, 10])
@pytest.mark.parametrize("pool", ["floor", "ceil"])
def test_the_own_network_counts_as_built(channels, pool):
    cost = count(resnet_like.build(channels, 15, 18, pool=pool), channels, 15)
    own = sizes.ResNetLike(channels, round_up=pool == "ceil")
    assert (own.trainable, own.total, own.macs) == (
        cost.parameters,
        cost.parameters_with_buffers,
        cost.macs,
    )


def test_yangs_network_counts_as_built():
    cost = count(yang2015.build(113, 30, 18), 113, 30)
    assert sizes.parameters(sizes.YANG_LAYERS) == cost.parameters == 924_378
    assert sizes.macs(sizes.YANG_LAYERS) == cost.macs == 12_086_900


@pytest.mark.parametrize("kernels", [64, 60])
def test_ordonez_and_roggens_network_counts_as_built(kernels):
    cost = count(ordonez2016.build_cnn(113, 24, 18, filters=kernels), 113, 24)
    layers = sizes.ordonez_layers(kernels)
    assert (sizes.parameters(layers), sizes.macs(layers)) == (cost.parameters, cost.macs)


def test_tangs_groups_public_network_counts_as_built():
    cost = count(tang2020.build_cnn(107, 64, 17), 107, 64)
    assert sizes.parameters(sizes.TANG_LAYERS) + sizes.TANG_BATCH_NORM == cost.parameters
    assert sizes.macs(sizes.TANG_LAYERS) == cost.macs == 24_421_632


def test_the_mistakes_give_the_prints():
    yang, ordonez = sizes.yang_with_one_input_map(), sizes.ordonez_counted_once()
    assert sizes.parameters(yang) == 912_238
    assert sizes.macs(yang[:-1]) == 1_848_680
    assert sizes.parameters(ordonez[:-1]) == 7_443_136
    assert sizes.macs(ordonez) == 54_576_896
    own, up = sizes.ResNetLike(), sizes.ResNetLike(round_up=True)
    for row, parameters, macs, digits in (
        (printed.YANG, sizes.parameters(yang), sizes.macs(yang[:-1]), 3),
        (printed.ORDONEZ, sizes.parameters(ordonez[:-1]), sizes.macs(ordonez), 2),
        (printed.OWN, own.trainable, up.macs, 3),
    ):
        assert millions(parameters, digits) == row.parameters.removesuffix("*")
        assert millions(macs, 2) == row.flops.removesuffix("*")


# Table 3's numbers


def test_an_index_is_the_place_among_the_channels_plus_one():
    fitting = {
        offset: sum(agrees(e, CHANNELS, offset) for e in printed.TABLE_3)
        for offset in range(-100, 101)
    }
    assert fitting[1] == 16
    assert max(count for offset, count in fitting.items() if offset != 1) <= 3
    assert [fitting[offset] for offset in range(4)] == [1, 16, 1, 0]
    first = printed.TABLE_3_TOP[0]
    assert meant(first, CHANNELS).name == "IMU RLA magneticX"
    assert meant(first, CHANNELS).number == 70
    assert meant(first, CHANNELS[:60]) is None


def test_the_four_that_no_number_fits():
    odd = {entry.index: meant(entry, CHANNELS).name for entry in disagreeing(CHANNELS)}
    assert odd == {
        97: "IMU L-SHOE AngVelNavFrameZ",
        108: "IMU R-SHOE AngVelBodyFrameX",
        94: "IMU L-SHOE AngVelBodyFrameZ",
        92: "IMU L-SHOE AngVelBodyFrameX",
    }
    assert indices_of("L-Shoe AngVelNavFrame X", CHANNELS) == (95,)
    assert indices_of("R-Shoe AngVelNavFrame X", CHANNELS) == (111,)
    # Two sensors on the back are called so.
    assert indices_of("BACK acc Z", CHANNELS) == (19, 40)
    assert not is_called(CHANNELS[0], "RLA mag X")


# What does not add up


@pytest.fixture(scope="module")
def found():
    return {item.key: item for item in inconsistencies(CHANNELS)}


def test_the_list_is_numbered_and_whole(found):
    items = inconsistencies(CHANNELS)
    assert len(found) == len(items) == 26
    assert list(numbers(items).values()) == list(range(1, 27))
    for item in items:
        assert item.title and item.where and item.printed and item.arithmetic and item.harbench
        assert len(item.title) <= 90
        assert item.harbench.endswith(".")
        for line in item.arithmetic:
            assert line.endswith("."), line
    # Table by table, so that a heading stands once.
    about = [item.about for item in items]
    assert list(dict.fromkeys(about)) == [
        "Table 1", "Table 2", "Table 3", "Table 4", "Sect. 5.1",
    ]  # fmt: skip
    assert sorted(about, key=list(dict.fromkeys(about)).index) == about


def test_without_the_channels_what_needs_them_is_left_out(found):
    keys = [item.key for item in inconsistencies()]
    assert set(found) - set(keys) == {"numbering", "unplaceable"}


ARITHMETIC = [
    ("flops", "253,456 MACs, the print of the own row, are 506,912 FLOPs"),
    ("flops", "4 x (5 - 1) + 1 = 17"),
    ("flops", "12,086,900 x 30 / 30 = 12.09M"),
    ("flops", "91,460,096 x 30 / 24 = 114.33M"),
    ("flops", "240,656 x 30 / 15 = 0.48M"),
    ("yang", "300 + 10,040 + 2,420 + 904,400 + 7,218 = 924,378"),
    ("yang", "300 + 240 + 80 + 904,400 + 7,218 = 912,238"),
    ("yang", "734,500 + 203,400 + 6,780 + 904,000 = 1,848,680"),
    ("yang", "6.5 times too low"),
    ("ordonez", "384 + 20,544 + 20,544 + 20,544 + 7,405,696 + 16,512 + 2,322 = 7,486,546"),
    ("ordonez", "384 + 20,544 + 7,405,696 + 16,512 = 7,443,136"),
    ("ordonez", "867,840 + 46,284,800 + 7,405,568 + 16,384 + 2,304 = 54,576,896"),
    ("kernels", "360 + 18,060 + 6,942,848 + 16,512 = 6,977,780, that is 6.98M"),
    ("baseline", "89.2 - 88.3 = 0.9"),
    ("baseline", "as quoted in secondary texts"),
    ("baseline", "89.2 - 91.5 = -2.3"),
    ("tang", "73,856 + 295,168 + 885,120 + 91,409 + 1,536 = 1,347,089"),
    ("tang", "3,981,312 + 7,962,624 + 12,386,304 + 91,392 = 24,421,632 MACs, 58 %"),
    ("tang", "m = 0.5 would need B = 56.2, more than all; m = 0.25 gives B = 37.5"),
    ("protocols", "557,963 - 60,949 = 497,014"),
    ("own-parameters", "24,146, rounded 0.024M"),
    ("own-parameters", "24,594, rounded 0.025M"),
    ("pooling", "253,456 MACs, 0.25M; rounded down 240,656, 0.24M"),
    ("architecture", "24,594 + 32 x 32 + 32 = 25,650"),
    ("label", "93.7 - 89.2 = 4.5"),
    ("gains", "90.1 - 77.3 = 12.8, rounded to 13"),
    ("gains", "4.5 / 89.2 = 5.0 % and 12.8 / 77.3 = 16.6 %"),
    ("weights", "(89.2 - 0.2 x 77.3) / 0.8 = 92.2"),
    ("weights", "(93.7 - 0.2 x 90.1) / 0.8 = 94.6"),
    ("full", "1 - 0.2 x 0.2 = 96 %"),
    ("numbering", "Less 1, 16 of the 20 indices"),
    ("numbering", "as they are: 1; less 2: 1; less 3: 0"),
    ("numbering", "113 then is channel 112, IMU R-SHOE AngVelNavFrameZ"),
    ("numbering", "IMU R-SHOE Compass, would be 114"),
    ("unplaceable", "L-Shoe AngVelNavFrame Y (97 and 96)"),
    ("unplaceable", "R-Shoe AngVelNavFrame X (108 and 92)"),
    ("angular-velocity", "7 of the bottom 10 have that name, 5 different ones"),
    ("angular-velocity", "4 of these are in the bottom 10; the other 3 number"),
    ("angular-velocity", "unit mm/s"),
    ("angular-velocity", "none of them among the 113"),
    ("lower-body", "3 of the top 10 are on the shoes"),
    ("ten-channels", "16 kernels x 3 taps = 48"),
    ("ten-channels", "(24594 - 19650) / (113 - 20) = 53.16, not a whole number"),
    ("ten-channels", "(24594 - 19650) / (113 - 10) = 48."),
    ("ten-channels", "24,594 at 113 channels, 20,130 at 20, 19,650 at 10"),
    ("reductions", "91.6 - 88.1 = 3.5"),
    ("reductions", "(24594 - 19650) / 24594 = 20.1 %"),
    ("reductions", "(24594 - 20130) / 24594 = 18.2 %"),
    ("reductions", "(240656 - 173696) / 240656 = 27.8 %"),
    ("two-scores", "91.6 - 89.2 = 2.4 points, more than the 0.9"),
    ("bottom", "71.1, which is more than 57.6"),
    ("bottom", "would have to be 70.0 %"),
    ("null-share", "100 % - 17 x 1 % = 83 %"),
    ("null-share", "129 of it; 8 other gestures have fewer, and Clean Table has the fewest, 112"),
    ("hours", "869,387 / (30 x 3600) = 8.05 hours"),
    ("hours", "676,713 / (30 x 3600) = 6.27 hours"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "said"), ARITHMETIC, ids=[f"{k}-{t[:20]}" for k, t in ARITHMETIC])
def test_the_arithmetic(found, key, said):
    assert said in " ".join(found[key].arithmetic)


EQUATION = re.compile(r"([\d(][\d,.()+\-x/ ]*[\d)]) = (-?[\d,.]*\d)(M| %)?")


def test_every_equation_in_the_list_is_true(found):
    equations = [
        (left, right, unit)
        for item in found.values()
        for line in item.arithmetic
        for left, right, unit in EQUATION.findall(line)
    ]
    assert len(equations) == 36
    for left, right, unit in equations:
        value = eval(left.replace(",", "").replace("x", "*"))
        value *= {"": 1, "M": 1e-6, " %": 100}[unit]
        digits = len(right.partition(".")[2])
        assert f"{value:,.{digits}f}".replace(",", "") == right.replace(",", ""), left


def test_ten_channels_are_what_a_built_network_has():
    ten, twenty = (count(resnet_like.build(k, 15, 18), k, 15) for k in (10, 20))
    assert str(ten.parameters_with_buffers) == printed.TOP_20.parameters
    assert str(twenty.parameters_with_buffers) != printed.TOP_20.parameters


def test_a_second_1x1_convolution_is_ruled_out():
    from torch import nn

    built = resnet_like.build(113, 15, 18)
    more = count(nn.Sequential(built[:-2], nn.Conv1d(32, 32, 1), *built[-2:]), 113, 15)
    assert more.parameters_with_buffers == sizes.ResNetLike(second_1x1=True).total == 25_650


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_always_saying_null_scores_what_the_formula_says(null, rest):
    null += rest
    share = null / (null + rest)
    scored = always_commonest(np.array([null, rest]), ("Null", "gesture"), 0)
    assert always_null(share) == pytest.approx(100 * scored.nf)


def test_the_samples_are_those_of_the_files():
    rows = {file.session: file.rows for file in FILES}
    assert sum(rows.values()) == ALL_SAMPLES

    def of(*patterns):
        return sum(n for session, n in rows.items() if re.fullmatch("|".join(patterns), session))

    assert of("S1-.*", "S[23]-(ADL[123]|Drill)") == CHALLENGE_TRAIN
    assert of("S[23]-ADL3") == ADL3_OF_S2_S3
    assert of("S[23]-ADL[45]") == CHALLENGE_TEST
    assert CHALLENGE_SAMPLES == CHALLENGE_TRAIN + CHALLENGE_TEST


def test_the_segments_are_of_all_gestures():
    from harbench_datasets.opportunity_columns import GESTURES

    assert list(SEGMENTS) == list(GESTURES.values())[1:]
    assert sum(SEGMENTS.values()) == 2551


# The tables

CELLS = [{"fold": "all", "seed": seed, "key": f"{seed}" * 8} for seed in (0, 1)]


def manifest(name, **changes):
    row = {
        "row": "resnet-like", "model": "resnet-like", "stand_in": "", "length": 15, "step": 7,
        "n_channels": 113, "n_classes": 18, "cost": "cost113", "published": [], "folds": [],
        "cells": [],
    }  # fmt: skip
    content = {
        "name": name, "title": f"Title of {name}", "dataset": "opportunity", "simulates": None,
        "task": "gestures", "classes": ["Null", "Open Door 1"], "null": 0, "split": "paper",
        "missing": {"what": "not here", "fix": "harbench datasets fetch opportunity"},
        "rows": [row],
    }  # fmt: skip
    content |= changes
    content["settings"] = (
        f"benchmarks: {{{name}: {{dataset: {content['dataset']}, models: [resnet-like]}}}}"
    )
    return content


SIMULATED = {"dataset": "opportunity-sim", "simulates": "opportunity", "missing": None}


def analysis(tables, simulates="opportunity", **options):
    return {
        "analysis": "x", "options": options, "notes": [], "simulates": simulates, "key": "k",
        "cells": [cell["key"] for cell in CELLS],
        "tables": {
            title: {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}
            for title, rows in tables.items()
        },
    }  # fmt: skip


def data_study(simulates="opportunity"):
    def row(data, null, nf, half, shared):
        return {"data": data, "NULL": null, "NF": nf, "±": half, "macro F1": nf / 2,
                "train windows": 9, "test windows": 9, "shared": shared, "networks": 3}  # fmt: skip

    return analysis(
        {
            "NF by data and NULL": [
                row("part", "with", 88.04, 0.52, 0.0),
                row("part", "without", 70.0, None, 0.0),
                row("full, random windows", "with", 92.0, 0.1, 87.65),
                row("full, random windows", "without", 85.0, 0.2, 80.0),
                row("full, blocks", "with", 89.0, 0.3, 0.0),
                row("full, blocks", "without", 79.0, 0.4, 0.0),
            ],
            "what the random split adds": [
                {"NULL": "with", "random windows": 92, "blocks": 89, "leak": 3.0, "±": 0.25},
                {"NULL": "without", "random windows": 85, "blocks": 79, "leak": -6.04, "±": None},
            ],
        },
        simulates,
    )


def saliency(simulates="opportunity"):
    def rows(places):
        return [
            {"rank": rank, "paper": place + 1, "channel": place, "column": 7,
             "name": CHANNELS[place - 1].name, "sensor": "s", "position": "back",
             "modality": "gyroscope", "axis": "x", "value": 1.5, "±": 0.25}
            for rank, place in enumerate(places, 1)
        ]  # fmt: skip

    return analysis(
        {
            "Open Door 1: top 10 channels": rows([61, 39, *range(1, 9)]),
            "Open Door 1: bottom 10 channels": rows([109, *range(20, 29)]),
            "Open Door 1: by sensor": [{"sensor": "s", "channels": 1}],
        },
        simulates,
        method="gradient",
        reduction="signed",
        part="test",
    )


def ablation(simulates="opportunity", ks=(10, 20), **options):
    def row(order, k, nf):
        # 24,146 trainable at 113 channels, 48 less for each that is left out.
        parameters = 24_146 - 48 * (113 - k)
        return {"order": order, "k": k, "channels": k, "NF": nf, "±": 0.5, "loss": 1.0,
                "loss ±": 0.5, "macro F1": 40.0, "parameters": parameters,
                "with buffers": parameters + 448, "MACs": 1000 * k, "networks": 3}  # fmt: skip

    rows = [row("all", 113, 88.0)]
    rows += [row(order, k, 80 + k / 10) for order in ("top", "bottom", "random") for k in ks]
    return analysis({"NF by number of channels": rows}, simulates, **options)


COSTS = {k: count(resnet_like.build(k, 15, 18), k, 15).to_json() for k in (113, 20, 10)}


@pytest.fixture
def store(tmp_path):
    """A store as it is where the data are missing."""
    store = Store(tmp_path / "results")
    for number in range(1, 5):
        store.write_benchmark(f"table{number}", manifest(f"table{number}"))
    for k, cost in COSTS.items():
        store.write_cost(f"cost{k}", cost)
    return store


@pytest.fixture
def filled(store):
    """The same with simulated data that everything was measured on."""
    row = {**manifest("x")["rows"][0], "cells": CELLS}
    row["folds"] = [
        {"name": "all", "support": [80, 20], "test_overlap": 0.0, "validation_overlap": 0.0}
    ]
    for number in range(1, 5):
        content = manifest(f"table{number}", rows=[row], **SIMULATED)
        store.write_benchmark(f"table{number}", content)
    store.write_analysis("table2", "data-study", data_study(), {})
    store.write_analysis("table3", "open-door-1", saliency(), {})
    store.write_analysis("table4", "ablation", ablation(), {})
    return store


def page_of(store, channels=CHANNELS):
    return paper_page(Sources(store, channels, {20: "cost20", 10: "cost10"}, {}, "b.yaml"))


def shown(page, width=120):
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_paper(console, page)
    return console.file.getvalue()


def texts(table, *keys):
    return [tuple(row[key].text for key in keys) for row in table.rows]


def test_without_data_what_can_be_counted_is_there(store):
    _, two, three, four = page_of(store).tables
    assert texts(four, "row", "printed nf", "nf", "printed parameters", "parameters", "macs") == [
        ("All 113", "91.6", "–", "24594", "24,146 / 24,594", "240,656"),
        ("Top 20", "88.1", "–", "19650", "19,682 / 20,130", "173,696"),
        ("Bottom 20", "57.6", "–", "19650", "19,682 / 20,130", "173,696"),
        ("Top 10", "–", "–", "–", "19,202 / 19,650", "166,496"),
        ("Bottom 10", "–", "–", "–", "19,202 / 19,650", "166,496"),
    ]
    keys = ("row", "printed with", "with", "printed without", "without")
    assert texts(two, *keys) == [
        ("part", "89.2", "–", "77.3", "–"),
        ("full, random", "93.7", "–", "90.1", "–"),
        ("full, blocks", "–", "–", "–", "–"),
        ("leak", "", "–", "", "–"),
    ]
    assert texts(three, "row", "index", "sensor", "number is", "measured")[0] == (
        "top 1", "62", "RLA mag X", "= IMU RLA magneticX", "–",
    )  # fmt: skip
    assert len(three.rows) == 20
    for number, table in enumerate(page_of(store).tables, 1):
        assert table.missing == (
            f"harbench datasets fetch opportunity, then harbench run b.yaml table{number}"
        )
        assert f"not measured: {table.missing}" in table.lines
        assert table.simulates is None
        assert "SIMULATED" not in table.title


def test_the_four_odd_entries_are_marked(store):
    three = page_of(store).tables[2]
    odd = [row for row in three.rows if row["number is"].text.startswith("≠")]
    assert [row["index"].text for row in odd] == ["97", "108", "94", "92"]
    for row in odd:
        (note,) = row["sensor"].notes
        channel = row["number is"].text.removeprefix("≠ ")
        assert three.footnotes[note - 1] == (
            f"{row['index'].text} is the number of {channel}; no. 17 below"
        )
    assert any(line.startswith("16 of the 20 printed sensors") for line in three.lines)
    assert [r["agrees"] for r in three.records].count(False) == 4


def test_without_the_dataset_plugin_no_channel_is_named(store):
    three = page_of(store, channels=()).tables[2]
    assert {row["number is"].text for row in three.rows} == {"–"}
    assert not any(row["sensor"].notes for row in three.rows)
    assert three.records[0]["agrees"] is None


def test_table_2_filled(filled):
    two = page_of(filled).tables[1]
    keys = ("row", "printed with", "with", "macro with", "printed without", "without")
    assert texts(two, *keys) == [
        ("part", "89.2", "88.0 ± 0.5", "44.0", "77.3", "70.0"),
        ("full, random", "93.7", "92.0 ± 0.1", "46.0", "90.1", "85.0 ± 0.2"),
        ("full, blocks", "–", "89.0 ± 0.3", "44.5", "–", "79.0 ± 0.4"),
        ("leak", "", "+3.0 ± 0.2", "", "", "-6.0"),
    ]
    notes = [two.footnotes[n - 1] for n in two.rows[1]["row"].notes]
    assert notes[1] == "leaky: 87.7 % of the test windows share samples with training windows"
    assert [record.get("leaky") for record in two.records] == [False, True, False, None]
    assert two.records[0]["nf_with_null"] == 88.04
    assert two.missing == ""


def test_table_3_filled(filled):
    three = page_of(filled).tables[2]
    assert texts(three, "row", "measured number", "measured", "value")[:2] == [
        ("top 1", "62", "IMU RLA magneticX", "1.50 ± 0.25"),
        ("top 2", "40", "IMU BACK accZ", "1.50 ± 0.25"),
    ]
    assert texts(three, "row", "measured number")[10] == ("bottom 1", "110")
    assert "measured: method gradient, reduction signed, test windows" in three.lines
    assert (
        "printed and measured share 2 of 10 at the top, 0 of 10 at the bottom (by number; 0.9 by "
        "chance)" in three.lines
    )
    assert three.records[0]["measured_channel"] == 61


def test_table_4_filled(filled):
    four = page_of(filled).tables[3]
    assert texts(four, "row", "nf", "macro", "parameters", "macs") == [
        ("All 113", "88.0 ± 0.5", "40.0", "24,146 / 24,594", "113,000"),
        ("Top 20", "82.0 ± 0.5", "40.0", "19,682 / 20,130", "20,000"),
        ("Bottom 20", "82.0 ± 0.5", "40.0", "19,682 / 20,130", "20,000"),
        ("Top 10", "81.0 ± 0.5", "40.0", "19,202 / 19,650", "10,000"),
        ("Bottom 10", "81.0 ± 0.5", "40.0", "19,202 / 19,650", "10,000"),
        ("20 at random", "82.0 ± 0.5", "40.0", "19,682 / 20,130", "20,000"),
        ("10 at random", "81.0 ± 0.5", "40.0", "19,202 / 19,650", "10,000"),
        ("(commonest)", "71.1", "44.4", "", ""),
    ]
    notes = {n for row in four.rows for n in row["printed parameters"].notes}
    assert [four.footnotes[n - 1] for n in notes] == ["the count for 10 channels; no. 21 below"]


def test_simulated_data_are_marked_everywhere(filled):
    page = page_of(filled)
    for table in page.tables:
        assert table.title.startswith("SIMULATED DATA - ")
        assert table.lines[0].startswith("SIMULATED data in the format of opportunity: ")
        assert "opportunity-sim, task gestures" in table.lines[1]
        assert all(record["simulated"] for record in table.records)
    for text in (shown(page), shown(page, 80), paper_markdown(page)):
        assert text.count("SIMULATED DATA") == 4
    content = json.loads(paper_json(page))
    assert [t["simulated"] for t in content["tables"]] == [True] * 4
    assert all(t["title"].startswith("SIMULATED DATA") for t in content["tables"])


def test_an_analysis_of_simulated_data_marks_its_table_alone(filled):
    real = manifest("table2", missing=None)
    filled.write_benchmark("table2", real)
    filled.write_benchmark("table3", manifest("table3"))
    filled.write_analysis("table3", "open-door-1", saliency(simulates=None), {})
    tables = page_of(filled).tables
    # Table 2's scores are simulated, whatever its benchmark is now.
    assert [t.title.startswith("SIMULATED DATA") for t in tables] == [True, True, False, True]
    assert any(line.startswith("measured by an earlier run") for line in tables[1].lines)
    assert not any(line.startswith("measured by an earlier run") for line in tables[3].lines)


def test_another_dataset_is_no_measurement_of_the_paper(store):
    store.write_benchmark("table4", manifest("table4", dataset="spar", missing=None))
    four = page_of(store).tables[3]
    assert four.title == "ANOTHER DATASET, spar - Title of table4"
    assert four.missing == "harbench run b.yaml table4 --set dataset=spar"


def test_cells_alone_fill_what_they_are_of(filled, monkeypatch):
    from harbench.report.paper import tables
    from harbench.report.table import Value

    compare = tables.comparison_table

    def with_nf(store, name, **options):
        table = compare(store, name, **options)
        table.rows[0]["nf"] = Value("87.5 ± 1.0")
        table.records[0] |= {"nf_mean": 0.875, "nf_high": 0.885, "macro_f1_mean": 0.5}
        return table

    monkeypatch.setattr(tables, "comparison_table", with_nf)
    monkeypatch.setattr(Store, "analysis", lambda self, benchmark, entry: None)
    _, two, _, four = page_of(filled).tables
    assert texts(two, "with", "macro with", "without")[0] == ("87.5 ± 1.0", "50.0", "–")
    assert two.records[0]["nf_half_with_null"] == pytest.approx(1.0)
    assert texts(four, "nf")[:2] == [("87.5 ± 1.0",), ("–",)]
    assert two.missing == "harbench run b.yaml table2 --set dataset=opportunity-sim"


def test_which_networks_are_to_be_counted(store):
    assert uncounted(store) == (20, 10)
    store.write_analysis("table4", "ablation", ablation(ks=(20,)), {})
    assert uncounted(store) == (10,)
    store.write_analysis("table4", "ablation", ablation(), {})
    assert uncounted(store) == ()
    # k sensors are not k channels.
    store.write_analysis("table4", "ablation", ablation(by="sensor"), {})
    assert uncounted(store) == (20, 10)
    assert texts(page_of(store).tables[3], "nf")[1] == ("–",)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("which", ["store", "filled"])
def test_nothing_is_cut_or_too_wide(width, which, request):
    page = page_of(request.getfixturevalue(which))
    text = shown(page, width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())
    # The four tables with their measured columns, and every item, whatever the width.
    for table in page.tables:
        assert f"\n{table.name}: " in f"\n{text}"
    whole = " ".join(text.split())
    for number, item in enumerate(page.inconsistencies, 1):
        assert f" {number} {item.title} printed" in whole


def test_text_stands_to_the_left(store):
    lines = shown(page_of(store)).splitlines()
    (first,) = [line for line in lines if line.startswith(" top 1 ")]
    (eighth,) = [line for line in lines if line.startswith(" bottom 8 ")]
    assert first.index("RLA mag X") == eighth.index("L-Shoe AngVelNavFrame Y")


def test_footnotes_are_numbered_as_they_are_read(filled):
    for table in page_of(filled).tables[1:]:
        met = [n for column in table.columns for n in column.notes]
        met += [n for row in table.rows for c in table.columns for n in row[c.key].notes]
        assert list(dict.fromkeys(met)) == list(range(1, len(table.footnotes) + 1)), table.name


def test_references_lead_to_the_item(store):
    page = page_of(store)
    keys = {number: item.key for number, item in enumerate(page.inconsistencies, 1)}
    met = [
        keys[int(number)]
        for table in page.tables
        for note in table.footnotes
        for number in re.findall(r"no\. (\d+) below", note)
    ]
    assert met == ["label", "full", "numbering", *["unplaceable"] * 4, "ten-channels"]


def test_markdown_is_tables_and_a_numbered_list(filled):
    text = paper_markdown(page_of(filled))
    heads = [line for line in text.splitlines() if line.startswith("### ")]
    assert len(heads) == 5
    assert heads[-1] == "### What in the paper does not add up"
    items = re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)
    assert items == [str(n) for n in range(1, 27)]
    assert "0.912M\\* parameters" in text
    assert "`harbench table --flops`" in text


def test_json_holds_numbers(filled):
    content = json.loads(paper_json(page_of(filled)))
    assert [t["table"] for t in content["tables"]] == [1, 2, 3, 4]
    four = content["tables"][3]
    assert four["rows"][1] == {
        "benchmark": "table4", "row": "Top 20", "order": "top", "n_channels": 20,
        "simulated": True, "printed_nf": "88.1", "nf": 82.0, "nf_half": 0.5, "macro_f1": 40.0,
        "printed_parameters": "19650", "parameters": 19_682, "parameters_with_buffers": 20_130,
        "macs": 20_000,
    }  # fmt: skip
    first = content["inconsistencies"][0]
    assert first["number"] == 1
    assert set(first) == {
        "number", "key", "about", "title", "where", "printed", "arithmetic", "harbench",
    }  # fmt: skip
