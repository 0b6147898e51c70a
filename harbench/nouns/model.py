"""Models, and what was published about them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harbench.nouns.dataset import Citation
from harbench.nouns.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ModelKind = Literal["network", "estimator"]


@dataclass(frozen=True)
class PublishedResult:
    """A row that a paper printed, with its defects.

    Args:
        row: What the paper calls the row: "Yang et al. 2015".
        source: Paper and table: "Yan et al. 2022, Table 1".
        dataset: harbench's name of the dataset.
        task: harbench's name of the task.
        printed: Column -> the text as printed: ``{"NF": "85.1", "parameters": "0.912M*"}``.
            Columns that the tables know: "NF", "macro F1", "parameters", "FLOPs".
        defects: Column -> what is known to be wrong with the print, with its arithmetic.
        protocol: What is known of the protocol behind the number.
    """

    row: str
    source: str
    dataset: str
    task: str
    printed: Mapping[str, str]
    defects: Mapping[str, str] = field(default_factory=dict)
    protocol: str = ""


class Estimator(Protocol):
    """What the builder of an estimator returns, as scikit-learn's classifiers are.

    It makes its own features of the windows: a pipeline's first step is where they belong. The
    numbers that it is given are those that networks see, filled and normalised by the protocol.

    Attributes:
        classes_: int [n_known], after ``fit``: the class of each column of ``predict_proba``. A
            class that is not among them has the probability 0.
    """

    classes_: Any

    def fit(self, x: NDArray[np.float32], y: NDArray[np.int64], /) -> Any:
        """Learn from windows [n_windows, n_channels, n_times] and their classes [n_windows]."""
        ...

    def predict_proba(self, x: NDArray[np.float32], /) -> NDArray[np.floating]:
        """[n_windows, n_known]: no number below 0, and each row's sum is 1."""
        ...


@dataclass(frozen=True)
class Counts:
    """Numbers of a fitted estimator that are defined as they are of a network.

    Args:
        parameters: Numbers that the fit chose freely and a prediction uses; None where that is
            not defined: a forest has nodes and no parameters.
        macs: Multiply-accumulates of one window; None where they are not defined.
        note: What the numbers leave out, as tables print it, without a full stop.
    """

    parameters: int | None = None
    macs: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Model:
    """A network that harbench builds and trains, or an estimator that it fits.

    Args:
        name: What benchmarks.yaml calls it.
        summary: One line.
        build: ``(n_channels, n_times, n_classes, **options)``. Keyword arguments with defaults
            are the model's options. It imports torch or scikit-learn itself, when called.
            Of a network it returns a ``torch.nn.Module`` that takes [batch, n_channels, n_times]
            and returns logits [batch, n_classes]; the initial weights must come from torch's
            global generator, which harbench seeds. Of an estimator it returns an
            :class:`Estimator`, not fitted; what is random must come from the global generators
            of NumPy, torch or Python, or from a parameter ``random_state`` of ``get_params()``
            that is None, which harbench sets to the seed.
        recipe: How its paper trains it; None of an estimator, which has its own way to fit.
        citation: Its paper.
        min_times: The shortest window that it can take, in samples.
        window: The window of its paper, in samples; None where the paper states none.
        published: Rows that papers print about it.
        stand_in: Where the published network cannot be known: what this one is instead.
        notes: What a user should know, a sentence each (shown by ``models show``).
        kind: ``network`` or ``estimator``.
        counts: Of an estimator: what of the fitted one can be counted; None is nothing.

    Raises:
        ValueError: a network without a recipe, or an estimator with one.
    """

    name: str
    summary: str
    build: Callable[..., Any]
    recipe: Recipe | None
    citation: Citation
    min_times: int = 1
    window: int | None = None
    published: tuple[PublishedResult, ...] = ()
    stand_in: str = ""
    notes: tuple[str, ...] = ()
    kind: ModelKind = "network"
    counts: Callable[[Any], Counts] | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("network", "estimator"):
            raise ValueError(f"model '{self.name}': no kind of model is called {self.kind!r}")
        if self.kind == "network" and self.recipe is None:
            raise ValueError(f"model '{self.name}' is a network and has no recipe")
        if self.kind == "estimator" and self.recipe is not None:
            raise ValueError(f"model '{self.name}' is an estimator and has a recipe")
        if self.kind == "network" and self.counts is not None:
            raise ValueError(f"model '{self.name}' is a network, whose costs harbench counts")

    @property
    def options(self) -> dict[str, Any]:
        """The builder's keyword options and their defaults."""
        parameters = list(inspect.signature(self.build).parameters.values())
        return {
            parameter.name: parameter.default
            for parameter in parameters[3:]
            if parameter.default is not inspect.Parameter.empty
        }
