"""What a reader of a saliency map must know, a plain sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harbench.nouns import Dataset
from harbench_analyses.attribution import METHODS, REDUCTIONS
from harbench_analyses.known_answers import CHANCE, KNOWN_ANSWERS, best
from harbench_analyses.saliency_tables import is_of_the_paper
from harbench_analyses.trust import Agreement


@dataclass(frozen=True)
class Findings:
    """What the notes are about.

    Args:
        method, reduction, part: As asked for.
        row: Of the table; ``other_rows`` are not shown.
        class_name: None for the map of the whole dataset.
        n_networks: In the row; ``n_without`` of them have no window of the class.
        n_windows: Sum over the networks.
        unit: What the interval is over; None with one network.
        n_listed, n_channels: Top channels that are compared, of how many.
        agreement: Between the networks' maps; None with one network.
        untrained: Rank correlation with the map of an untrained network.
        deletion, insertion: Areas gained over random orders.
        with_best: Rank correlation with the map by the method that does best on known answers.
        dataset: Whose recordings.
        normalise: Of the protocol.
    """

    method: str
    reduction: str
    part: str
    row: str
    other_rows: tuple[str, ...]
    class_name: str | None
    n_networks: int
    n_without: int
    n_windows: int
    unit: str | None
    n_listed: int
    n_channels: int
    agreement: Agreement | None
    untrained: float
    deletion: float
    insertion: float
    with_best: float
    dataset: Dataset
    normalise: str


def notes(found: Findings) -> tuple[str, ...]:
    """All of them, in order."""
    return tuple(_notes(found))


def _notes(f: Findings) -> Iterator[str]:
    if f.dataset.simulates:
        yield f"The recordings are SIMULATED, in the format of {f.dataset.simulates}."
    what = f"class {f.class_name}" if f.class_name else "the mean over the classes"
    n_shown = f.n_networks - f.n_without
    yield (
        f"Model {f.row}, {what}: mean over {_count(n_shown, 'trained network')}, "
        f"{f.n_windows / n_shown:,.0f} {f.part} windows each"
        + (f"; ± is half of the 95 % t interval over {f.unit}s." if f.unit else ".")
    )
    if f.n_without:
        yield f"{_count(f.n_without, 'network')} without a {f.part} window of it left out."
    if f.other_rows:
        yield f"Other trained rows, not shown: {', '.join(f.other_rows)}."
    same = (f.method, f.reduction) == ("gradient", "signed")
    yield (
        f"Method {f.method} ({METHODS[f.method]}); S is the logit of the class. "
        f"Reduction {f.reduction} ({REDUCTIONS[f.reduction]})."
        + ("" if same else " The paper's are gradient and signed.")
    )
    if f.reduction == "signed":
        yield (
            "Signed values: the bottom channels are those whose rise lowers the score, which is "
            "no small importance; unimportant channels are near 0, in the middle of the ranking."
        )
    yield from _known(f)
    yield from _checks(f)
    if f.normalise != "z-score":
        yield (
            f"The protocol normalises by {f.normalise}, so that 0 is not the training mean: "
            "occlusion, integrated gradients, deletion and insertion put in a value that is "
            "no neutral one."
        )
    if is_of_the_paper(f.dataset):
        yield (
            "Column 'paper' is the number that Yan et al. 2022, Table 3, print for a channel: one "
            "more than its place among the 113, because they count the time stamp."
        )


def _known(f: Findings) -> Iterator[str]:
    own, pair = KNOWN_ANSWERS[f.method, f.reduction], best()
    text = (
        f"Where the answer is known (simulated OPPORTUNITY, resnet-like) {f.method}, "
        f"{f.reduction}, puts {own:.0%} of the channels that carry a gesture on top; "
        f"chance is {CHANCE:.0%}"
    )
    if (f.method, f.reduction) == pair:
        yield f"{text}, and no other does better."
        return
    yield f"{text}, the best ({', '.join(pair)}) {KNOWN_ANSWERS[pair]:.0%}."
    if math.isfinite(f.with_best):
        yield (
            f"Here the ranking agrees with that of {', '.join(pair)}, by Spearman "
            f"{f.with_best:.2f}."
        )


def _checks(f: Findings) -> Iterator[str]:
    if f.agreement is None:
        yield "One trained network: whether another would rank the channels alike is not known."
    else:
        yield (
            f"Two of the trained networks agree by Spearman {f.agreement.spearman:.2f}, and share "
            f"{f.agreement.overlap:.0%} of their top {f.n_listed} channels "
            f"(chance {f.n_listed / f.n_channels:.0%}), in the mean over pairs."
        )
    if math.isfinite(f.untrained):
        yield (
            f"Against the same network with untrained weights: Spearman {f.untrained:.2f}. "
            "Near 0 the map shows what was learnt; near 1 (or -1 with the signed reduction) "
            "it shows architecture and data only."
        )
    yield (
        "Set to 0 from the top down, the channels lower the probability of the class by "
        f"{_points(f.deletion)} than in random order; let in from the top down, they raise it by "
        f"{_points(f.insertion)} (means over the whole curve)."
    )


def _points(gain: float) -> str:
    return f"{abs(100 * gain):.1f} points {'more' if gain >= 0 else 'less'}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
