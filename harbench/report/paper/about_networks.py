"""What does not add up in Table 1: counts of networks, and what is compared with what."""

from __future__ import annotations

from harbench.report.paper.inconsistency import (
    Inconsistency,
    addition,
    millions,
    percent,
    whole,
)
from harbench.report.paper.layers import (
    ORDONEZ_SHORTEST,
    ORDONEZ_TIMES,
    TANG_BATCH_NORM,
    TANG_CLASSES,
    TANG_LAYERS,
    TANG_MAPS,
    TANG_ROWS,
    YANG_LAYERS,
    YANG_TIMES,
    ResNetLike,
    macs,
    ordonez_counted_once,
    ordonez_layers,
    parameters,
    yang_with_one_input_map,
)
from harbench.report.paper.printed import (
    ALL_113,
    BETTER_THAN_THE_ART,
    N_CHANNELS,
    N_CLASSES,
    ORDONEZ,
    ORDONEZ_KERNELS,
    OWN,
    RATE_HZ,
    TANG,
    TANG_LEGO,
    WINDOW,
    YANG,
    YANG_FIRST_OUTPUT,
    number,
)

# Samples of the dataset's files. Train is the challenge's: S1, and ADL1-3 and Drill of S2 and S3.
CHALLENGE_TRAIN, ADL3_OF_S2_S3, CHALLENGE_TEST = 557_963, 60_949, 118_750
# NF of DeepConvLSTM on the same task.
DEEPCONVLSTM_NF = 91.5


def of_networks() -> tuple[Inconsistency, ...]:
    """In the order in which a reader of Table 1 meets them."""
    return (
        _flops(),
        _yang(),
        _ordonez(),
        _kernels(),
        _baseline(),
        _hammerla(),
        _tang(),
        _protocols(),
        _own_parameters(),
        _own_macs(),
        _architecture(),
    )


def _per_second(count: int, times: int) -> str:
    return f"{whole(count)} x {RATE_HZ} / {times} = {millions(count * RATE_HZ / times, 2)}"


def _flops() -> Inconsistency:
    own, rounded_up = ResNetLike(), ResNetLike(round_up=True)
    return Inconsistency(
        key="flops",
        about="Table 1",
        title="The column FLOPs counts multiply-accumulates, in windows of different lengths",
        where="Table 1",
        printed=f"{YANG.flops}, {ORDONEZ.flops} and {OWN.flops} FLOPs in one column",
        arithmetic=(
            "Every print that can be explained comes out in multiply-accumulates (MACs), two "
            f"operations each: {whole(rounded_up.macs)} MACs, the print of the own row, are "
            f"{whole(2 * rounded_up.macs)} FLOPs.",
            f"Yang's network is counted at {YANG_TIMES} samples, as Sect. 5.3 says itself "
            f"({YANG_FIRST_OUTPUT}), the own one at {WINDOW}. Ordóñez and Roggen's cannot take "
            f"{WINDOW}: four convolutions of 5 taps need 4 x (5 - 1) + 1 = {ORDONEZ_SHORTEST}; "
            f"its authors' code has {ORDONEZ_TIMES}.",
            "MACs for a second of signal, window after window: Yang "
            f"{_per_second(macs(YANG_LAYERS), YANG_TIMES)}; Ordóñez and Roggen "
            f"{_per_second(macs(ordonez_layers()), ORDONEZ_TIMES)}; own "
            f"{_per_second(own.macs, WINDOW)}.",
        ),
        harbench="prints MACs, counted alike for every row, or FLOPs with `harbench table "
        "--flops`, and the window of each row.",
    )


def _yang() -> Inconsistency:
    layers, mistaken = YANG_LAYERS, yang_with_one_input_map()
    without_output = mistaken[:-1]
    return Inconsistency(
        key="yang",
        about="Table 1",
        title="Yang's network is counted as if two convolutions had one input map",
        where=f"Table 1, {YANG.row}",
        printed=f"{YANG.parameters} parameters and {YANG.flops} FLOPs, of the paper's own counting",
        arithmetic=(
            f"Parameters, layer by layer: {addition(x.parameters for x in layers)}. With one input "
            f"map in the second and third convolution instead of {layers[1].inputs} and "
            f"{layers[2].inputs}: {addition(x.parameters for x in mistaken)}, which is the print.",
            f"MACs: {addition(x.macs for x in layers)}. The same mistake, and no output layer: "
            f"{addition(x.macs for x in without_output)}, which is the print. It is "
            f"{macs(layers) / macs(without_output):.1f} times too low.",
        ),
        harbench="builds the network of Yang's Fig. 1 and counts it (yang2015).",
    )


def _ordonez() -> Inconsistency:
    layers, mistaken = ordonez_layers(), ordonez_counted_once()
    return Inconsistency(
        key="ordonez",
        about="Table 1",
        title="Three of Ordóñez and Roggen's convolutions are counted once",
        where=f"Table 1, {ORDONEZ.row}",
        printed=f"{ORDONEZ.parameters} parameters, {ORDONEZ.flops} FLOPs",
        arithmetic=(
            f"Parameters: {addition(x.parameters for x in layers)}. With layers 3-5 counted once "
            f"and no output layer: {addition(x.parameters for x in mistaken[:-1])}, which is the "
            "print. That has no *, so it is taken from that paper.",
            f"MACs: {addition(x.macs for x in layers)}. With layers 3-5 once, and each convolution "
            f"at the length of its input: {addition(x.macs for x in mistaken)}, which is the "
            "print.",
        ),
        harbench="builds the network and counts it (ordonez2016-cnn).",
    )


def _kernels() -> Inconsistency:
    true, named = ordonez_counted_once(), ordonez_counted_once(ORDONEZ_KERNELS)
    return Inconsistency(
        key="kernels",
        about="Table 1",
        title=f"{ORDONEZ_KERNELS} kernels are named for a network that has {true[0].outputs}",
        where="Sect. 5.3, last sentence",
        printed=f'16 and 32 kernels, "significantly reduced from ... {ORDONEZ_KERNELS} [15]"',
        arithmetic=(
            f"With {ORDONEZ_KERNELS} kernels the count behind {ORDONEZ.parameters} of Table 1 "
            f"would be {addition(x.parameters for x in named[:-1])}, that is "
            f"{millions(parameters(named[:-1]), 2)}. With {true[0].outputs} it is "
            f"{whole(parameters(true[:-1]))}, that is {millions(parameters(true[:-1]), 2)}.",
        ),
        harbench=f"builds it with {true[0].outputs}, as the authors' code does.",
    )


def _baseline() -> Inconsistency:
    own, row = number(OWN.nf), number(ORDONEZ.nf)
    return Inconsistency(
        key="baseline",
        about="Table 1",
        title="The state of the art that is beaten is another paper's baseline",
        where=f"Abstract and Sect. 1; Table 1, {ORDONEZ.row}",
        printed=f'NF {ORDONEZ.nf}, and "{BETTER_THAN_THE_ART} better accuracy than the '
        'state-of-the-art"',
        arithmetic=(
            f"{own} - {row} = {own - row:.1f} points of NF; no accuracy of the network is printed.",
            "The parameters of the row are those of that paper's baseline CNN, and so is its NF "
            "(from memory, not checked against a copy). The network that the paper is about, "
            f"DeepConvLSTM, has {DEEPCONVLSTM_NF} on this task (as quoted in secondary texts; the "
            f"authors' notebook prints 0.9157): {own} - {DEEPCONVLSTM_NF} = "
            f"{own - DEEPCONVLSTM_NF:.1f}.",
            'Sect. 2.1 concedes that [15], the very paper of the row, has "higher accuracy than '
            'our architecture".',
        ),
        harbench="has rows for both networks, trained under one protocol.",
    )


def _hammerla() -> Inconsistency:
    return Inconsistency(
        key="hammerla",
        about="Table 1",
        title="The text compares with one paper, the table with another",
        where="Sect. 5.3 and Table 1",
        printed='"two most famous work [6, 26] and one most recent method [22]"',
        arithmetic=(
            "[6] is Hammerla et al. 2016. No row of Table 1 is theirs: its rows are [26], [15] "
            f"(Ordóñez and Roggen 2016), and [22] twice. {ORDONEZ.parameters} comes out of the "
            "layers of [15], so it is the text that is wrong.",
        ),
        harbench="takes the row for that of Ordóñez and Roggen, and has none for Hammerla et al.",
    )


def _tang() -> Inconsistency:
    public, public_macs = parameters(TANG_LAYERS) + TANG_BATCH_NORM, macs(TANG_LAYERS)
    all_macs, lego_macs = number(TANG.flops) / 1e6, number(TANG_LEGO.flops) / 1e6

    def compressed(ratio: float) -> float:
        """MACs, in millions, of the layers with Lego filters, if ``ratio`` of them is left."""
        return (all_macs - lego_macs) / (1 - ratio)

    return Inconsistency(
        key="tang",
        about="Table 1",
        title="Tang's two rows cannot be reproduced, and are probably of another task",
        where=f"Table 1, {TANG.row} and {TANG_LEGO.row}",
        printed=f"NF {TANG.nf} and {TANG_LEGO.nf}; {TANG.parameters} and {TANG_LEGO.parameters} "
        f"parameters; {TANG.flops} and {TANG_LEGO.flops} FLOPs",
        arithmetic=(
            "The network behind them is not public. The group's public OPPORTUNITY network "
            f"({TANG_ROWS[0]} channels, {TANG_MAPS[0]} samples, {TANG_CLASSES} classes) has "
            f"{addition([*(x.parameters for x in TANG_LAYERS), TANG_BATCH_NORM])} parameters "
            f"(the last term is batch norm), {percent(public / number(TANG.parameters))} of the "
            f"print, and takes {addition(x.macs for x in TANG_LAYERS)} MACs, "
            f"{percent(public_macs / number(TANG.flops))} of it.",
            f"It tells {TANG_CLASSES} classes apart by {TANG_ROWS[0]} channels; the own network "
            f"{N_CLASSES} by {N_CHANNELS}.",
            "Lego filters leave a share m of the MACs of the layers that have them. If these take "
            f"B of the {all_macs:g}M, then {all_macs:g} - (1 - m) B = {lego_macs:g}: m = 0.5 would "
            f"need B = {compressed(0.5):.1f}, more than all; m = 0.25 gives B = "
            f"{compressed(0.25):.1f}. No more can be said of the simplified network.",
        ),
        harbench="has stand-ins from the group's public code (tang2020-cnn, tang2020-lego), and "
        "says so in the table.",
    )


def _protocols() -> Inconsistency:
    return Inconsistency(
        key="protocols",
        about="Table 1",
        title="The NF of Table 1 were not measured alike",
        where="Table 1 and Sect. 5.1",
        printed='five NF in one column, under "the mainstream training and testing setting"',
        arithmetic=(
            f"Ordóñez and Roggen's code trains on {whole(CHALLENGE_TRAIN)} samples, ADL3 of "
            "subjects 2 and 3 among them, which Sect. 5.1 leaves for validation: "
            f"{whole(CHALLENGE_TRAIN)} - {whole(ADL3_OF_S2_S3)} = "
            f"{whole(CHALLENGE_TRAIN - ADL3_OF_S2_S3)}. Both are tested on the same "
            f"{whole(CHALLENGE_TEST)}.",
            "Yang's code scores samples, by a vote of the windows over each; Ordóñez and Roggen's "
            "scores windows.",
            f"{YANG.nf} is in none of Yang's own tables. It is the 0.851 that Ordóñez and Roggen "
            "quote for that network (from memory, not checked against a copy).",
            "Step, rule for a window's label, gap filling and normalisation of the own network "
            "are not stated.",
        ),
        harbench="trains every row on the same recordings and prints the protocol; `split: paper` "
        "is that of Sect. 5.1, `split: challenge` has ADL3 in training.",
    )


def _own_parameters() -> Inconsistency:
    own = ResNetLike()
    return Inconsistency(
        key="own-parameters",
        about="Table 1",
        title="The own network has two sizes",
        where="Table 1 and Table 4",
        printed=f"{OWN.parameters} parameters; {ALL_113.parameters} for the same network",
        arithmetic=(
            f"{whole(parameters(own.layers))} of the layers and {whole(2 * own.normalised)} of "
            f"batch norm are trained: {whole(own.trainable)}, rounded "
            f"{millions(own.trainable, 3)}. The {whole(own.running_statistics)} running means and "
            f"variances make it {whole(own.total)}, rounded {millions(own.total, 3)}.",
            f"So {ALL_113.parameters} is the total that Keras prints; {OWN.parameters} is the "
            "trainable part rounded, or that total cut off.",
        ),
        harbench="prints both, in every table.",
    )


def _own_macs() -> Inconsistency:
    down, up = ResNetLike(), ResNetLike(round_up=True)
    return Inconsistency(
        key="pooling",
        about="Table 1",
        title="0.25M needs a rounding that is not stated",
        where=f"Table 1, {OWN.row}",
        printed=f"{OWN.flops} FLOPs",
        arithmetic=(
            f"Pooling {WINDOW} samples by two leaves {WINDOW // 2} or {(WINDOW + 1) // 2}. Rounded "
            f"up, the network takes {whole(up.macs)} MACs, {millions(up.macs, 2)}; rounded down "
            f"{whole(down.macs)}, {millions(down.macs, 2)}. Counters that add batch norm's "
            "operations also come to 0.25M, so the print does not tell which was built.",
        ),
        harbench="rounds down, as torch does; the option `pool: ceil` of resnet-like rounds up.",
    )


def _architecture() -> Inconsistency:
    own, described = ResNetLike(), ResNetLike(second_1x1=True)
    return Inconsistency(
        key="architecture",
        about="Table 1",
        title="The text describes another network than the one that was counted",
        where="Sect. 3.2 and Fig. 1",
        printed='"After each pooling we have 1 x 1 convolutional layer"; "the pre-activation '
        'version recommended in [14] ... relu-bn-conv style"; "The BN layer is prepositioned"',
        arithmetic=(
            f"A 1 x 1 convolution after the second pooling too would make {whole(own.total)} + "
            f"32 x 32 + 32 = {whole(described.total)} parameters; Table 4 prints "
            f"{ALL_113.parameters}.",
            "[14] is Network in Network of 2013, older than residual blocks ([8], 2016); Sect. 5.3 "
            "cites it for global average pooling.",
            "The text puts relu first, the caption of Fig. 1 batch norm. The counts are the same.",
        ),
        harbench="builds one 1 x 1 convolution, and bn-relu-conv.",
    )
