"""What a reader of the data study must know, a plain sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harbench.metrics import always_commonest
from harbench_analyses.confusion_counting import Confusions, confused_note
from harbench_analyses.data_study_settings import (
    BLOCKS,
    DATA,
    PART,
    RANDOM,
    Setting,
    Settings,
    Study,
    said,
)
from harbench_analyses.data_study_tables import Leak, leaks, nf, shared

_ALIKE = 0.05  # class shares of two test parts no further apart than this


def notes(
    study: Study, settings: Settings, other_rows: Sequence[str], confused: Sequence[Confusions]
) -> tuple[str, ...]:
    """All of them, in order.

    Args:
        study: What was studied.
        settings: With their cells.
        other_rows: Trained rows of the benchmark that are not studied.
        confused: The confusion matrices that are shown.
    """
    return (
        *_what(study, settings, other_rows),
        *_null(settings),
        *_random(study, settings),
        *(confused_note(found) for found in confused),
        *_blank(settings),
    )


def _what(study: Study, settings: Settings, other_rows: Sequence[str]) -> Iterator[str]:
    first = study.finished[0]
    if first.simulates:
        yield f"The recordings are SIMULATED, in the format of {first.simulates}."
    n_networks = sum(len(setting.cells) for setting in settings.values())
    n_finished = len(study.finished)
    seeds = sorted({cell.seed for cell in study.finished})
    yield (
        f"Row {first.row}: {n_networks} networks, seeds {', '.join(map(str, seeds))}; "
        f"{n_finished} are those of the benchmark, {n_networks - n_finished} were trained for this "
        "with the same model, recipe and seeds."
    )
    if other_rows:
        yield f"Other trained rows, not studied: {', '.join(other_rows)}."
    own = first.record["settings"]["split"]["kind"]
    ratio = " : ".join(f"{share:g}" for share in study.ratio)
    yield (
        f"Part is the benchmark's own split ({own}); full is all recordings, split {ratio} into "
        f"train, validation and test, in windows drawn at random or in {study.blocks} contiguous "
        "blocks a recording. The draw is the same for all seeds."
    )
    units = {setting.data: nf(setting) for setting in settings.values()}
    with_interval = {s.unit for s in units.values() if s.high is not None}
    if not with_interval:
        yield "One network a setting: there is no interval, and differences may be chance."
    else:
        yield (
            "± is half of the 95 % t interval over "
            + " or ".join(
                f"{unit}s ({'; '.join(d for d, s in units.items() if s.unit == unit)})"
                for unit in sorted(with_interval)
            )
            + "."
        )
    if shared(settings[PART, True].cells) > 0:
        yield "The benchmark's own split leaks too: its test windows share samples with training."


def _null(settings: Settings) -> Iterator[str]:
    with_null = settings[PART, True].cells
    record = with_null[0].record
    support = np.sum([cell.record["scores"]["support"] for cell in with_null], axis=0)
    name, share = record["classes"][record["null"]], support[record["null"]] / support.sum()
    always = always_commonest(support, record["classes"], record["null"])
    commonest = record["classes"][int(np.argmax(support))]
    yield (
        f"NF weighs each class by its test windows. {share:.0%} of the part's are {name}, so with "
        f"NULL its F1 makes up {share:.0%} of NF, and always saying {commonest} gives an NF of "
        f"{100 * always.nf:.1f}; without NULL only the other classes count."
    )
    lost = ", ".join(
        f"{_signed(100 * (nf(settings[d, False]).mean - nf(settings[d, True]).mean))} in {d}"
        for d in DATA
    )
    yield f"Leaving NULL out changes NF by points: {lost}."


def _random(study: Study, settings: Settings) -> Iterator[str]:
    found = leaks(settings)
    for leak in found:
        part = 100 * nf(settings[PART, leak.with_null]).mean
        yield (
            f"{said(leak.with_null).capitalize()} NULL random windows of all data score "
            f"{_signed(leak.random - part)} points against part: {_signed(leak.blocks - part)} are "
            f"there with blocks too, {_signed(leak.points)} are the leak "
            f"({leak.random:.1f} - {leak.blocks:.1f}{_interval(leak)})."
        )
    at_random = [_share(settings[RANDOM, leak.with_null]) for leak in found]
    in_blocks = [_share(settings[BLOCKS, leak.with_null]) for leak in found]
    yield (
        "The leak is NF on random windows minus NF on blocks, seed by seed. Of the test windows "
        f"{at_random[0]} with NULL and {at_random[1]} without share samples with a training window "
        f"where windows are drawn at random, {in_blocks[0]} and {in_blocks[1]} in blocks."
    )
    apart = [_apart(settings[RANDOM, k.with_null], settings[BLOCKS, k.with_null]) for k in found]
    macro = [_macro_points(settings, k.with_null) for k in found]
    yield (
        "The two test parts are not the same windows, and ± knows of the seeds only, not of the "
        f"draw: their class shares differ by {apart[0]:.0%} with NULL and {apart[1]:.0%} without "
        "(half of the sum of the differences). In macro F1, which does not weigh by windows, "
        f"random windows score {_signed(macro[0])} and {_signed(macro[1])} points against blocks."
    )
    if max(apart) > _ALIKE:
        yield (
            f"Over {_ALIKE:.0%} apart, NF of the two can hardly be compared, and the leak may be "
            f"the draw's: more than {study.blocks} blocks (option blocks) make them more alike."
        )
    if min(leak.points for leak in found) < 0:
        yield "A negative leak is none: it is chance, or the test windows of the blocks are easier."
    yield (
        "Both full splits train on every subject: neither says how a new person would fare, and "
        "what blocks gain over part is more data and known people together."
    )
    uncertain = [
        said(k.with_null) for k in found if math.isfinite(k.half) and k.half > abs(k.points)
    ]
    if uncertain:
        yield f"The interval of the leak holds 0 {' and '.join(uncertain)} NULL: none is shown."


def _class_shares(setting: Setting) -> NDArray[np.float64]:
    support = np.sum([cell.record["scores"]["support"] for cell in setting.cells], axis=0)
    return np.asarray(support / support.sum(), np.float64)


def _apart(one: Setting, other: Setting) -> float:
    """Total variation distance of the classes of two test parts, 0 .. 1."""
    return float(np.abs(_class_shares(one) - _class_shares(other)).sum() / 2)


def _macro_points(settings: Settings, with_null: bool) -> float:
    of_random, of_blocks = (
        np.mean([c.record["scores"]["macro_f1"] for c in settings[data, with_null].cells])
        for data in (RANDOM, BLOCKS)
    )
    return float(100 * (of_random - of_blocks))


def _blank(settings: Settings) -> Iterator[str]:
    """Classes that a setting has no test window of."""
    for setting in settings.values():
        classes = setting.cells[0].record["classes"]
        support = np.sum([cell.record["scores"]["support"] for cell in setting.cells], axis=0)
        missing = [name for name, n in zip(classes, support, strict=True) if n == 0]
        if missing:
            yield f"{setting.title}: no test window of {', '.join(missing)}."


def _interval(leak: Leak) -> str:
    return f", ± {leak.half:.1f}" if math.isfinite(leak.half) else ""


def _share(setting: Setting) -> str:
    return f"{shared(setting.cells):.1f} %"


def _signed(points: float) -> str:
    return f"{points:+.1f}"
