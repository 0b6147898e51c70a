"""What does not add up in Tables 2 and 4 and in what the text says of the data."""

from __future__ import annotations

import math

from harbench.report.paper.inconsistency import Inconsistency, always_null, percent, whole
from harbench.report.paper.layers import ResNetLike
from harbench.report.paper.printed import (
    ALL_113,
    BOTTOM_20,
    DROP_TOP_20,
    FEWER_PARAMETERS,
    GAIN_WITH_NULL,
    GAIN_WITHOUT_NULL,
    HOURS,
    N_CHANNELS,
    N_CLASSES,
    NULL_SHARE,
    ORDONEZ,
    OWN,
    RATE_HZ,
    SMALLEST_CLASS_SHARE,
    TABLE_2,
    TABLE_2_LABEL,
    TOP_20,
    YANG,
    number,
)

# Samples of all 24 files, and of the challenge's train and test set, which leave out subject 4.
ALL_SAMPLES, CHALLENGE_SAMPLES = 869_387, 557_963 + 118_750

# Segments of each gesture in all recordings, from the dataset's own documents.
SEGMENTS = {
    "Open Door 1": 125,
    "Open Door 2": 122,
    "Close Door 1": 119,
    "Close Door 2": 120,
    "Open Fridge": 209,
    "Close Fridge": 213,
    "Open Dishwasher": 136,
    "Close Dishwasher": 134,
    "Open Drawer 1": 129,
    "Close Drawer 1": 128,
    "Open Drawer 2": 124,
    "Close Drawer 2": 123,
    "Open Drawer 3": 135,
    "Close Drawer 3": 136,
    "Clean Table": 112,
    "Drink from Cup": 270,
    "Toggle Switch": 216,
}


def of_table_2() -> tuple[Inconsistency, ...]:
    """In the order in which a reader meets them."""
    return (_label(), _gains(), _weights(), _full())


def of_table_4() -> tuple[Inconsistency, ...]:
    """In the order in which a reader meets them."""
    return (_ten_channels(), _reductions(), _two_scores(), _bottom())


def of_the_data() -> tuple[Inconsistency, ...]:
    """What Sect. 5.1 says of the recordings."""
    return (_null_share(), _hours())


def _printed(data: str, null: str) -> float:
    return number(TABLE_2[data, null])


def _gain(null: str) -> float:
    return _printed("full", null) - _printed("part", null)


def _label() -> Inconsistency:
    part, full = TABLE_2["part", "with"], TABLE_2["full", "with"]
    return Inconsistency(
        key="label",
        about="Table 2",
        title="The row is labelled with another paper's name",
        where="Table 2",
        printed=f'one row, "{TABLE_2_LABEL}", under the caption "the same network"',
        arithmetic=(
            f"Table 1 gives {YANG.row} {YANG.nf}, and the own network {OWN.nf}: the {part} of part "
            f"with NULL. The text's gain of {GAIN_WITH_NULL}, for its own network, is "
            f"{full} - {part} = {_gain('with'):.1f}.",
        ),
        harbench="takes the row for the own network (resnet-like).",
    )


def _gains() -> Inconsistency:
    def share(null: str) -> str:
        of_part = _gain(null) / _printed("part", null)
        return f"{_gain(null):.1f} / {TABLE_2['part', null]} = {percent(of_part, 1)}"

    return Inconsistency(
        key="gains",
        about="Table 2",
        title="Two gains are points, called percent, and rounded differently",
        where="Sect. 5.4",
        printed=f'"improved by {GAIN_WITH_NULL} when with NULL and {GAIN_WITHOUT_NULL} when '
        'without"',
        arithmetic=(
            f"{TABLE_2['full', 'with']} - {TABLE_2['part', 'with']} = {_gain('with'):.1f}; "
            f"{TABLE_2['full', 'without']} - {TABLE_2['part', 'without']} = "
            f"{_gain('without'):.1f}, rounded to {GAIN_WITHOUT_NULL.removesuffix('%')}.",
            f"In percent of the score: {share('with')} and {share('without')}.",
        ),
        harbench="prints points, with half of the 95 % interval.",
    )


def _weights() -> Inconsistency:
    null = number(NULL_SHARE) / 100

    def of_null(data: str) -> str:
        """F1 of NULL at which the gestures score the same with NULL and without."""
        with_null, without = TABLE_2[data, "with"], TABLE_2[data, "without"]
        f1 = (number(with_null) - (1 - null) * number(without)) / null
        return f"({with_null} - {1 - null:.1f} x {without}) / {null:.1f} = {f1:.1f}"

    return Inconsistency(
        key="weights",
        about="Table 2",
        title="A lower NF without NULL does not say that gestures do worse",
        where="Sect. 5.4",
        printed='"if NULL class is discarded, the performance drops"',
        arithmetic=(
            f"NF weighs each class by its windows. With NULL at {NULL_SHARE} of them (Sect. 5.1), "
            f"NF = {null:.1f} F1(NULL) + {1 - null:.1f} F1(gestures), and without NULL "
            "F1(gestures) is all of it.",
            "Gestures score the same with NULL as without if F1(NULL) is "
            f"{of_null('part')} in part, {of_null('full')} in full. Above that they score better "
            "without it.",
        ),
        harbench="prints macro F1 beside NF, and the score of always saying the commonest class.",
    )


def _full() -> Inconsistency:
    train = 8 / (8 + 1 + 1)
    return Inconsistency(
        key="full",
        about="Table 2",
        title="Part and full differ in what they are tested on, not only in how much is trained on",
        where="Sect. 5.4",
        printed='"providing more data can greatly enhance the network"',
        arithmetic=(
            "Part is tested on two recordings each of subjects 2 and 3, from sessions that it was "
            "not trained on; full, split 8-1-1, on a tenth of all recordings, which it was "
            "trained on too.",
            "How it was split is not said. At random, and with windows that overlap by half, at "
            f"least one of the two windows that share half of a test window is in training for 1 - "
            f"{1 - train:.1f} x {1 - train:.1f} = {percent(1 - (1 - train) ** 2)} of them.",
        ),
        harbench="trains on random windows and on contiguous blocks that share nothing, and prints "
        "the difference as the leak.",
    )


def _ten_channels() -> Inconsistency:
    total, printed = int(ALL_113.parameters), int(TOP_20.parameters)
    all_of_them, twenty, ten = ResNetLike(), ResNetLike(20), ResNetLike(10)
    first = all_of_them.first
    lost = total - printed
    return Inconsistency(
        key="ten-channels",
        about="Table 4",
        title=f"{TOP_20.parameters} is the count for 10 channels, not for 20",
        where="Table 4",
        printed=f"{TOP_20.parameters} parameters for 20 channels, {ALL_113.parameters} for "
        f"{N_CHANNELS}",
        arithmetic=(
            "Channels enter the first convolution alone: each costs "
            f"{first.outputs} kernels x {first.taps} taps = {first.outputs * first.taps} "
            "parameters.",
            f"({total} - {printed}) / ({N_CHANNELS} - 20) = {lost / (N_CHANNELS - 20):.2f}, not a "
            f"whole number. ({total} - {printed}) / ({N_CHANNELS} - 10) = "
            f"{lost / (N_CHANNELS - 10):g}.",
            f"The network has {whole(all_of_them.total)} at {N_CHANNELS} channels, "
            f"{whole(twenty.total)} at 20, {whole(ten.total)} at 10.",
        ),
        harbench="prints rows for 20 channels and for 10: either the parameters or the NF of the "
        "print are of 10.",
    )


def _reductions() -> Inconsistency:
    total, printed = int(ALL_113.parameters), int(TOP_20.parameters)
    own, twenty = ResNetLike(), ResNetLike(20)
    drop = number(ALL_113.nf) - number(TOP_20.nf)
    return Inconsistency(
        key="reductions",
        about="Table 4",
        title=f'Neither "{DROP_TOP_20}" nor "{FEWER_PARAMETERS}" is what 20 channels give',
        where="Sect. 5.5",
        printed=f'"drops by {DROP_TOP_20} ... parameters are reduced by {FEWER_PARAMETERS}"',
        arithmetic=(
            f"{ALL_113.nf} - {TOP_20.nf} = {drop:.1f} points.",
            f"{_fewer(total, printed)}, for 10 channels. For 20: "
            f"{_fewer(own.total, twenty.total)} of the parameters, and "
            f"{_fewer(own.macs, twenty.macs)} of the MACs.",
        ),
        harbench="prints parameters, MACs and NF of each number of channels.",
    )


def _fewer(before: int, after: int) -> str:
    return f"({before} - {after}) / {before} = {percent((before - after) / before, 1)}"


def _two_scores() -> Inconsistency:
    in_table_2 = ", ".join(TABLE_2.values())
    return Inconsistency(
        key="two-scores",
        about="Table 4",
        title="One network, two scores",
        where="Table 4 and Table 1",
        printed=f"NF {ALL_113.nf} for all {N_CHANNELS} channels; {OWN.nf} for the same network",
        arithmetic=(
            f"{ALL_113.nf} - {OWN.nf} = {number(ALL_113.nf) - number(OWN.nf):.1f} points, more "
            f"than the {number(OWN.nf) - number(ORDONEZ.nf):.1f} by which the network leads Table "
            f"1. {ALL_113.nf} is none of Table 2's settings either ({in_table_2}). The text does "
            "not say on what Table 4 was trained.",
        ),
        harbench="trains Table 4 as Table 1, and takes its first row from the same cells.",
    )


def _bottom() -> Inconsistency:
    share, nf = number(NULL_SHARE) / 100, number(BOTTOM_20.nf) / 100
    # 2 p^2 / (1 + p) = nf, solved for p.
    equal = (nf + math.sqrt(nf * nf + 8 * nf)) / 4
    return Inconsistency(
        key="bottom",
        about="Table 4",
        title="With NULL, the bottom 20 channels score less than always saying NULL",
        where="Sect. 5.5",
        printed=f'"the network trained with 20 bottom channels has stronger classification ability '
        f'compared to empty model"; NF {BOTTOM_20.nf}',
        arithmetic=(
            f"Always saying NULL has an NF of 2 p^2 / (1 + p). At the share p = {NULL_SHARE} of "
            f"Sect. 5.1 that is {always_null(share):.1f}, which is more than {BOTTOM_20.nf}; the "
            f"share would have to be {percent(equal, 1)} for the two to be equal. Unless Table 4 "
            "is without NULL, which it does not say.",
        ),
        harbench="prints the score of always saying the commonest class below the rows.",
    )


def _null_share() -> Inconsistency:
    gestures = N_CLASSES - 1
    smallest = number(SMALLEST_CLASS_SHARE)
    fewest = min(SEGMENTS, key=lambda name: SEGMENTS[name])
    named = "Open Drawer 1"
    fewer = sum(count < SEGMENTS[named] for count in SEGMENTS.values())
    return Inconsistency(
        key="null-share",
        about="Sect. 5.1",
        title="How rare the rarest class is cannot be told from the print",
        where="Sect. 5.1",
        printed=f'"NULL class dominates the whole dataset with more than {NULL_SHARE} but {named} '
        f'- the minimum class, only occupies {SMALLEST_CLASS_SHARE}"',
        arithmetic=(
            f"If none of the {gestures} gestures is rarer than {SMALLEST_CLASS_SHARE}, NULL has at "
            f"most 100 % - {gestures} x {smallest:g} % = {100 - gestures * smallest:g} %.",
            f"By number of segments {named} is not the rarest: the dataset's documents count "
            f"{SEGMENTS[named]} of it; {fewer} other gestures have fewer, and {fewest} has the "
            f"fewest, {SEGMENTS[fewest]} of {whole(sum(SEGMENTS.values()))}. By samples it may be "
            "otherwise.",
        ),
        harbench="counts the windows of every class (`harbench analyse per-class table1`).",
    )


def _hours() -> Inconsistency:
    def hours(samples: int) -> str:
        return f"{whole(samples)} / ({RATE_HZ} x 3600) = {samples / RATE_HZ / 3600:.2f} hours"

    return Inconsistency(
        key="hours",
        about="Sect. 5.1",
        title="Four subjects are eight hours",
        where="Sect. 5.1",
        printed=f'"recordings of four subjects ... {HOURS} of recordings in total"',
        arithmetic=(
            f"All files: {hours(ALL_SAMPLES)}. Without subject 4, as the challenge trains and "
            f"tests, and the paper's Table 1 too: at most {hours(CHALLENGE_SAMPLES)}.",
        ),
        harbench="checks each file against its size and sha256 before it is read.",
    )
