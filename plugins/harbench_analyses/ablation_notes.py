"""What a reader of an ablation must know, a plain sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harbench_analyses.ablation_outcomes import Outcome
from harbench_analyses.ablation_training import GREEDY
from harbench_analyses.attribution import METHODS, REDUCTIONS, WINDOWS_AT_MOST
from harbench_analyses.known_answers import CHANCE, KNOWN_ANSWERS, best


@dataclass(frozen=True)
class Findings:
    """What the notes are about.

    Args:
        row: Of the table; ``other_rows`` are not shown.
        other_rows: Names.
        simulates: The dataset that the recordings imitate; None where they are real.
        by: What is left out as one.
        n: How many of them there are.
        n_trained: Networks besides the finished cells.
        orders: Names, as asked for.
        draws: Random sets for each (fold, seed).
        method, reduction: Of the map.
        within: In NF.
        chosen_on: "validation" or "test".
        shortest: Order -> the shortest list.
        whole: The finished cells.
        unit: What the intervals are over; None where there are none.
    """

    row: str
    other_rows: tuple[str, ...]
    simulates: str | None
    by: str
    n: int
    n_trained: int
    orders: tuple[str, ...]
    draws: int
    method: str
    reduction: str
    within: float
    chosen_on: str
    shortest: Mapping[str, Outcome]
    whole: Outcome
    unit: str | None


def notes(found: Findings) -> tuple[str, ...]:
    """All of them, in order."""
    return tuple(_notes(found))


def _notes(f: Findings) -> Iterator[str]:
    if f.simulates:
        yield f"The recordings are SIMULATED, in the format of {f.simulates}."
    yield from _shortest(f)
    yield (
        f"Model {f.row}, {_networks(f.whole)}. For the lines below 'all' "
        f"{_count(f.n_trained, 'further network')} {'was' if f.n_trained == 1 else 'were'} trained "
        f"with the same recipe and seeds, on some of the {f.n} {f.by}s."
    )
    yield (
        "NF, ± and loss are in percent and points, on test windows; loss is paired with the same "
        "fold and seed on all channels. "
        + (
            f"± is half of the 95 % t interval over {f.unit}s."
            if f.unit
            else "There is one fold and one seed, so that no interval can be given."
        )
    )
    if f.unit == "seed":
        yield "It speaks of training noise only, not of other subjects."
    if {"top", "bottom"}.intersection(f.orders):
        yield from _map(f)
    if "random" in f.orders:
        sets = "a random set" if f.draws == 1 else f"{f.draws} random sets"
        yield f"Order random: {sets} of each size for every fold and seed; a control."
    if GREEDY.intersection(f.orders):
        yield (
            "Orders forward and backward add or leave out one at a time, by the mean NF on the "
            "validation windows of a fold; the test recordings have no part in it."
        )
    if f.other_rows:
        yield f"Other trained rows, not shown: {', '.join(f.other_rows)}."


def _shortest(f: Findings) -> Iterator[str]:
    for order, outcome in f.shortest.items():
        how = f"({order} order, chosen on {f.chosen_on})"
        if outcome.k < f.n:
            yield f"{outcome.k} of {f.n} {f.by}s keep NF within {f.within:g} {how}."
        else:
            yield f"No shorter list that was tried keeps NF within {f.within:g} {how}."
    if f.shortest and f.chosen_on == "test":
        yield (
            "There are no validation windows, so the shortest list was chosen on the very test "
            "recordings that its NF is of: that is optimistic."
        )


def _map(f: Findings) -> Iterator[str]:
    same = (f.method, f.reduction) == ("gradient", "signed")
    yield (
        f"Orders top and bottom: by the saliency map, method {f.method} ({METHODS[f.method]}), "
        f"reduction {f.reduction} ({REDUCTIONS[f.reduction]})."
        + ("" if same else " The paper's are gradient and signed.")
    )
    yield (
        "The map is the mean over the classes, NULL left out, and over the seeds of a fold. It is "
        f"made of training windows only, at most {WINDOWS_AT_MOST} a class, of networks that "
        "never saw the fold's test recordings; each fold ranks for itself."
    )
    if f.by != "channel":
        yield f"A {f.by} ranks by the sum of |value| over its channels."
    elif f.reduction == "signed" and "bottom" in f.orders:
        yield (
            "Signed values: the bottom channels are those with the most negative values, whose "
            "rise lowers the scores; they are not the least important, which are near 0."
        )
    own, pair = KNOWN_ANSWERS[f.method, f.reduction], best()
    text = (
        f"On known answers (simulated OPPORTUNITY, resnet-like) a map by {f.method}, "
        f"{f.reduction}, finds {own:.0%} of the channels that carry a gesture; "
        f"chance is {CHANCE:.0%}"
    )
    if own == KNOWN_ANSWERS[pair]:
        yield f"{text}, and no other finds more."
    else:
        yield f"{text}, the best ({', '.join(pair)}) finds {KNOWN_ANSWERS[pair]:.0%}."


def _networks(whole: Outcome) -> str:
    seeds: dict[str, int] = {}
    for fold, _ in whole.networks:
        seeds[fold] = seeds.get(fold, 0) + 1
    fewest, most = min(seeds.values()), max(seeds.values())
    of_each = _count(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    return (
        f"{_count(len(whole.networks), 'trained network')}: {_count(len(seeds), 'fold')}, "
        f"{of_each}{' each' if len(seeds) > 1 else ''}"
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
