"""The networks of Table 1 as lists of layers, whose parameters and MACs can be added up by hand.

No network is built here. That the networks which harbench builds count the same is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harbench.report.paper.printed import N_CHANNELS, N_CLASSES


@dataclass(frozen=True)
class Layer:
    """A convolution or a dense layer, with a bias for each output map.

    Args:
        name: "conv2" ...
        taps: Input positions that one output sees: 5 for a kernel 5 x 1, 1 for a dense layer.
        inputs, outputs: Maps, or units.
        positions: Places that the kernel is put at: output length times rows.
    """

    name: str
    taps: int
    inputs: int
    outputs: int
    positions: int = 1

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.taps * self.inputs * self.outputs + self.outputs

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one window; biases are not among them."""
        return self.taps * self.inputs * self.outputs * self.positions


def parameters(layers: Sequence[Layer]) -> int:
    """Of all layers."""
    return sum(layer.parameters for layer in layers)


def macs(layers: Sequence[Layer]) -> int:
    """Of all layers."""
    return sum(layer.macs for layer in layers)


@dataclass(frozen=True)
class ResNetLike:
    """The paper's own network (Sect. 3.2), as its layers.

    Args:
        channels: That it is given.
        times: Samples of a window.
        round_up: Whether max pooling of an odd length rounds up.
        second_1x1: With the 1 x 1 convolution that Sect. 3.2 puts after *each* pooling.
    """

    channels: int = N_CHANNELS
    times: int = 15
    round_up: bool = False
    second_1x1: bool = False

    @property
    def first(self) -> Layer:
        """The only layer that the number of channels enters."""
        return Layer("first", 3, self.channels, 16, self.times)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All that have weights, without batch norm."""
        half = (self.times + self.round_up) // 2
        widened = (Layer("1x1 after pooling", 1, 32, 32),) if self.second_1x1 else ()
        return (
            self.first,
            *(Layer("block of 16", 3, 16, 16, self.times) for _ in range(6)),
            Layer("1x1", 1, 16, 32, half),
            *(Layer("block of 32", 3, 32, 32, half) for _ in range(4)),
            *widened,
            Layer("dense", 1, 32, N_CLASSES),
        )

    @property
    def normalised(self) -> int:
        """Maps that batch norm is put on: twice a block, three blocks of 16 and two of 32."""
        return 2 * (3 * 16 + 2 * 32)

    @property
    def trainable(self) -> int:
        """Parameters: of the layers, and a scale and a shift of each normalised map."""
        return parameters(self.layers) + 2 * self.normalised

    @property
    def running_statistics(self) -> int:
        """A mean and a variance of each normalised map, which are not trained."""
        return 2 * self.normalised

    @property
    def total(self) -> int:
        """What Keras prints as "Total params"."""
        return self.trainable + self.running_statistics

    @property
    def macs(self) -> int:
        """Of one window."""
        return macs(self.layers)


# Yang et al. 2015, Fig. 1: 30 samples, pooled by 2 and by 3; all 113 rows until the unification.
YANG_LAYERS = (
    Layer("conv1", 5, 1, 50, 26 * N_CHANNELS),
    Layer("conv2", 5, 50, 40, 9 * N_CHANNELS),
    Layer("conv3", 3, 40, 20, 1 * N_CHANNELS),
    Layer("unification", N_CHANNELS, 20, 400),
    Layer("output", 1, 400, N_CLASSES),
)
YANG_TIMES = 30


def yang_with_one_input_map() -> tuple[Layer, ...]:
    """The mistake behind the print: the second and third convolution seen as having one."""
    return tuple(
        replace(layer, inputs=1) if layer.name in ("conv2", "conv3") else layer
        for layer in YANG_LAYERS
    )


ORDONEZ_TIMES = 24
ORDONEZ_SHORTEST = 4 * (5 - 1) + 1  # four convolutions of 5 taps without padding


def ordonez_layers(kernels: int = 64) -> tuple[Layer, ...]:
    """Ordóñez and Roggen 2016, the baseline CNN: 24 samples, no padding, no pooling."""
    return (
        Layer("conv2", 5, 1, kernels, 20 * N_CHANNELS),
        *(
            Layer(f"conv{number}", 5, kernels, kernels, length * N_CHANNELS)
            for number, length in ((3, 16), (4, 12), (5, 8))
        ),
        Layer("dense6", 1, 8 * N_CHANNELS * kernels, 128),
        Layer("dense7", 1, 128, 128),
        Layer("output", 1, 128, N_CLASSES),
    )


def ordonez_counted_once(kernels: int = 64) -> tuple[Layer, ...]:
    """The mistake behind the print: layers 3-5, a line of that paper's table, counted once, and
    each convolution put at every place of its input."""
    first, second, _, _, *dense = ordonez_layers(kernels)
    return (
        replace(first, positions=24 * N_CHANNELS),
        replace(second, positions=20 * N_CHANNELS),
        *dense,
    )


# The OPPORTUNITY network of Tang's group's public code: 64 time steps as maps, 107 sensors as
# rows, three 3 x 3 convolutions with stride 2, batch norm, 17 classes.
TANG_MAPS = (64, 128, 256, 384)
TANG_ROWS = (107, 54, 27, 14)
TANG_CLASSES = 17
TANG_LAYERS = (
    *(
        # On rows that are one wide, the kernel's other two columns see only padding: they are
        # parameters, and MACs of a counter that does not look.
        Layer(f"conv{number}", 9, TANG_MAPS[number - 1], TANG_MAPS[number], TANG_ROWS[number])
        for number in (1, 2, 3)
    ),
    Layer("output", 1, TANG_MAPS[3] * TANG_ROWS[3], TANG_CLASSES),
)
TANG_BATCH_NORM = 2 * sum(TANG_MAPS[1:])
