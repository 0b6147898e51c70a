"""Convolution kernels of MiniRocket and the features that they give, in NumPy.

Dempster, Schmidt and Webb 2021 (arXiv:2012.08791), Sect. 3. A feature is the proportion of
positive values (PPV): how much of a window's convolution with a kernel lies above a bias. Kernels
are fixed; only the biases come from training windows, and need no classes.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 9
"""Of a kernel, in taps."""

N_KERNELS = 84
"""All ways to give three of nine taps the weight 2 and the others -1; each sums to 0."""

MOST_DILATIONS = 32
"""Of a kernel."""

_ELEMENTS = 1 << 22  # of the largest array of a chunk: 16 MiB


def kernel_weights() -> NDArray[np.float32]:
    """float32 [84, 9]."""
    weights = np.full((N_KERNELS, LENGTH), -1, np.float32)
    for row, taps in enumerate(itertools.combinations(range(LENGTH), 3)):
        weights[row, list(taps)] = 2
    return weights


def dilations_of(n_times: int, per_kernel: int) -> dict[int, int]:
    """Dilation -> how many of a kernel's features have it.

    Exponents of 2 are spread evenly from 0 to the largest with which a kernel still fits into the
    window; powers are rounded down, so that short dilations come up more often.

    Args:
        n_times: Samples of a window, at least :data:`LENGTH`.
        per_kernel: Features of each kernel.
    """
    largest = np.log2((n_times - 1) / (LENGTH - 1))
    spread = np.linspace(0, largest, min(per_kernel, MOST_DILATIONS))
    # A whisker more, so that the power of a logarithm does not fall below the whole number.
    powers = np.floor(2**spread + 1e-9).astype(int)
    of_feature = powers[np.arange(per_kernel) * len(powers) // per_kernel]
    found, numbers = np.unique(of_feature, return_counts=True)
    return dict(zip(found.tolist(), numbers.tolist(), strict=True))


@dataclass(frozen=True)
class Dilated:
    """All kernels at one dilation.

    Args:
        dilation: From tap to tap, in samples.
        weights: float32 [84, n_channels * 9]: each kernel on the channels that it looks at.
        padded: bool [84]: whether zeros stand around the window, so that the convolution is as
            long as the window; else it is where the kernel lies whole inside.
        biases: float32 [84, n_biases].
    """

    dilation: int
    weights: NDArray[np.float32]
    padded: NDArray[np.bool_]
    biases: NDArray[np.float32]

    def convolved(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n_windows, 84, n_times], zeros around the windows."""
        n_windows, n_channels, n_times = x.shape
        reach = self.dilation * (LENGTH // 2)
        around = np.pad(x, ((0, 0), (0, 0), (reach, reach)))
        taps = np.empty((n_windows, n_channels, LENGTH, n_times), np.float32)
        for tap in range(LENGTH):
            first = tap * self.dilation
            taps[:, :, tap] = around[:, :, first : first + n_times]
        found: NDArray[np.float32] = self.weights @ taps.reshape(n_windows, -1, n_times)
        return found

    def inside(self, n_times: int) -> slice:
        """Where a kernel lies whole inside the window."""
        reach = self.dilation * (LENGTH // 2)
        return slice(reach, n_times - reach)

    def features(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n_windows, 84 * n_biases]: proportions of positive values."""
        n_windows, _, n_times = x.shape
        # Time first: adding up whole arrays is fast, adding up along a short last axis is not.
        outputs = np.ascontiguousarray(self.convolved(x).transpose(2, 0, 1))
        found = np.empty((n_windows, N_KERNELS, self.biases.shape[1]), np.float32)
        for kernels, where in ((self.padded, slice(None)), (~self.padded, self.inside(n_times))):
            those = np.ascontiguousarray(outputs[where][..., kernels])
            for column, biases in enumerate(self.biases[kernels].T):
                above = np.add.reduce(those > biases, axis=0, dtype=np.uint16)
                found[:, kernels, column] = above / np.float32(len(those))
        return found.reshape(n_windows, -1)


@dataclass(frozen=True)
class RandomKernels:
    """Kernels with their biases, fitted.

    Args:
        dilated: One for each dilation.
    """

    dilated: tuple[Dilated, ...]

    @property
    def n_features(self) -> int:
        """Columns of :meth:`features`."""
        return sum(part.biases.size for part in self.dilated)

    def features(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n_windows, n_features]; in chunks, so that memory stays bounded.

        Args:
            x: [n_windows, n_channels, n_times], as long as the windows of the fit.
        """
        x = np.asarray(x, np.float32)
        n_windows, n_channels, n_times = x.shape
        found = np.empty((n_windows, self.n_features), np.float32)
        size = max(1, _ELEMENTS // (max(N_KERNELS, LENGTH * n_channels) * n_times))
        for first in range(0, n_windows, size):
            chunk = x[first : first + size]
            parts = [part.features(chunk) for part in self.dilated]
            found[first : first + size] = np.concatenate(parts, axis=1)
        return found


def fit_kernels(
    x: NDArray[np.float32], n_features: int, generator: np.random.Generator
) -> RandomKernels:
    """Choose channels at random, and biases as quantiles of what training windows give.

    The paper is of one channel; of several, each kernel at each dilation looks at the sum of a
    random set of them, floor(2^u) many with u uniform and at most nine, as ROCKET's authors do.

    Args:
        x: Training windows [n_windows, n_channels, n_times].
        n_features: About so many: rounded down to a multiple of 84, and at least 84.
        generator: All that is random comes from it.
    """
    x = np.asarray(x, np.float32)
    _, n_channels, n_times = x.shape
    per_kernel = max(1, n_features // N_KERNELS)
    kernels = kernel_weights()
    most = np.log2(min(n_channels, LENGTH) + 1)
    # A sequence of low discrepancy: multiples of the golden ratio, without their whole part.
    golden = (np.sqrt(5) + 1) / 2
    levels = (np.arange(1, N_KERNELS * per_kernel + 1) * golden) % 1
    parts: list[Dilated] = []
    for number, (dilation, n_biases) in enumerate(dilations_of(n_times, per_kernel).items()):
        weights = np.zeros((N_KERNELS, n_channels, LENGTH), np.float32)
        for row, taps in enumerate(kernels):
            size = int(2 ** generator.uniform(0, most))
            chosen = generator.choice(n_channels, min(size, n_channels), replace=False)
            weights[row, chosen] = taps
        padded = (np.arange(N_KERNELS) + number) % 2 == 0
        blank = np.empty((N_KERNELS, 0), np.float32)
        part = Dilated(dilation, weights.reshape(N_KERNELS, -1), padded, blank)
        examples = x[generator.integers(len(x), size=N_KERNELS)]
        biases = np.empty((N_KERNELS, n_biases), np.float32)
        for row, example in enumerate(examples):
            output = part.convolved(example[None])[0, row]
            mine, levels = levels[:n_biases], levels[n_biases:]
            seen = output if padded[row] else output[part.inside(n_times)]
            biases[row] = np.quantile(seen, mine)
        parts.append(Dilated(dilation, part.weights, padded, biases))
    return RandomKernels(tuple(parts))
