"""What Yan, Younes and Forsyth 2022 print: the numbers of Tables 1 to 4, and claims of their text.

Texts, as printed; where each stands is said beside it. The rows of Table 1 also stand beside the
models that they are about; they are repeated here because the arithmetic needs them.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Yan et al. 2022"
N_CHANNELS = 113  # Sect. 5.1
N_CLASSES = 18  # Sect. 5.1: 17 gestures and NULL
RATE_HZ = 30  # Sect. 5.1
TASK = "gestures"
DATASET = "opportunity"


@dataclass(frozen=True)
class NetworkRow:
    """A row of Table 1. ``*`` is the paper's mark for what its authors computed themselves."""

    row: str
    nf: str
    parameters: str
    flops: str


@dataclass(frozen=True)
class ListedChannel:
    """An entry of Table 3: an index, and the sensor that is said to be its."""

    index: int
    sensor: str


@dataclass(frozen=True)
class ChannelsRow:
    """A row of Table 4.

    Args:
        row: As printed.
        order, k: The same as an ablation names it; None is all channels.
        nf, parameters: As printed.
    """

    row: str
    order: str
    k: int | None
    nf: str
    parameters: str


# Table 1
YANG = NetworkRow("Yang et al. 2015", "85.1", "0.912M*", "1.85M*")
ORDONEZ = NetworkRow("Ordonez and Roggen, 2016", "88.3", "7.44M", "54.58M*")
TANG = NetworkRow("Tang et al. 2020 baseline", "86.1", "3.2M", "41.9M")
TANG_LEGO = NetworkRow("Tang et al. 2020 simplified", "84.5", "0.42M", "13.78M")
OWN = NetworkRow("Our ResNet-like structure", "89.2", "0.024M", "0.25M")
TABLE_1 = (YANG, ORDONEZ, TANG, TANG_LEGO, OWN)

# Table 2 has one row, with this label, and a column for each of these.
TABLE_2_LABEL = "Yang et al. 2015"
TABLE_2 = {
    ("part", "with"): "89.2",
    ("part", "without"): "77.3",
    ("full", "with"): "93.7",
    ("full", "without"): "90.1",
}

# Table 3: class 1, Open Door 1; most important first, then least important first.
TABLE_3_CLASS = "Open Door 1"
TABLE_3_TOP = (
    ListedChannel(62, "RLA mag X"),
    ListedChannel(40, "BACK acc Z"),
    ListedChannel(56, "RLA acc X"),
    ListedChannel(55, "RUA mag Z"),
    ListedChannel(54, "RUA mag Y"),
    ListedChannel(53, "RUA mag X"),
    ListedChannel(44, "BACK mag X"),
    ListedChannel(84, "L-Shoe Eu Y"),
    ListedChannel(99, "R-Shoe Eu X"),
    ListedChannel(100, "R-Shoe Eu Y"),
)
TABLE_3_BOTTOM = (
    ListedChannel(15, "LH acc Y"),
    ListedChannel(112, "R-Shoe AngVelNavFrame Y"),
    ListedChannel(97, "L-Shoe AngVelNavFrame Y"),
    ListedChannel(108, "R-Shoe AngVelNavFrame X"),
    ListedChannel(113, "R-Shoe AngVelNavFrame Z"),
    ListedChannel(75, "LLA acc Y"),
    ListedChannel(94, "L-Shoe AngVelNavFrame X"),
    ListedChannel(96, "L-Shoe AngVelNavFrame Y"),
    ListedChannel(77, "LLA gyro X"),
    ListedChannel(92, "R-Shoe AngVelNavFrame X"),
)
TABLE_3 = (*TABLE_3_TOP, *TABLE_3_BOTTOM)

# Table 4
ALL_113 = ChannelsRow("All 113", "all", None, "91.6", "24594")
TOP_20 = ChannelsRow("Top 20", "top", 20, "88.1", "19650")
BOTTOM_20 = ChannelsRow("Bottom 20", "bottom", 20, "57.6", "19650")
TABLE_4 = (ALL_113, TOP_20, BOTTOM_20)

# Claims of the text, as printed.
BETTER_THAN_THE_ART = "nearly 1%"  # Abstract, Sect. 1
GAIN_WITH_NULL, GAIN_WITHOUT_NULL = "4.5%", "13%"  # Sect. 5.4
NULL_SHARE, SMALLEST_CLASS_SHARE = "80%", "1%"  # Sect. 5.1: "more than", "Open Drawer 1"
DROP_TOP_20, FEWER_PARAMETERS = "3%", "20%"  # Sect. 5.5
HOURS = "about 6 hours"  # Sect. 5.1
ORDONEZ_KERNELS = 60  # Sect. 5.3: "60 [15]"
WINDOW = 15  # Sect. 5.1: 500 ms
YANG_FIRST_OUTPUT = "N x 113 x 26 x 50"  # Sect. 5.3, of N x 113 x 30


def number(text: str) -> float:
    """The number of a printed text: "0.912M*" is 912,000, "4.5%" is 4.5, "24594" is 24,594."""
    plain = text.removesuffix("*")
    if plain.endswith("M"):
        return float(plain.removesuffix("M")) * 1e6
    return float(plain.removesuffix("%"))
