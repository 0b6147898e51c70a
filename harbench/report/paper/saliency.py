"""Table 3: the channels at either end of the map of Open Door 1, printed and measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harbench.report.paper.numbering import OFFSET, disagreeing, meant
from harbench.report.paper.printed import (
    N_CHANNELS,
    SOURCE,
    TABLE_3,
    TABLE_3_BOTTOM,
    TABLE_3_CLASS,
    TABLE_3_TOP,
    ListedChannel,
)
from harbench.report.paper.tables import Measured, PaperTable, Sources, measured, new_table
from harbench.report.table import ABSENT, Column, Value

_ENDS = (("top", TABLE_3_TOP), ("bottom", TABLE_3_BOTTOM))


def table_3(sources: Sources) -> PaperTable:
    """Twenty printed entries; beside each what its number is, and what was measured there."""
    of = measured(sources, "table3", "open-door-1")
    table = new_table(3, of, sources, complete=of.found is not None)
    table.left = ("sensor", "number is", "measured")
    odd = disagreeing(sources.channels) if sources.channels else ()
    rule = table.note(
        f"a channel's place among the {N_CHANNELS}, plus {OFFSET}, as the paper counts; "
        f"{sources.see('numbering')}"
    )
    printed = table.note(f"printed by {SOURCE}, Table 3")
    table.columns = [
        Column("row", "Place"),
        Column("index", "\nno.", 0, (rule,)),
        Column("sensor", "printed\nsensor", 0, (printed,)),
        Column("number is", "channel of\nthat number", 1),
        Column("measured number", "\nno."),
        Column("measured", "measured\nchannel"),
        Column("value", "value", 2),
    ]
    if sources.channels:
        table.lines.append(
            f"{len(TABLE_3) - len(odd)} of the {len(TABLE_3)} printed sensors are the channel of "
            f"their number (=), {len(odd)} are not (≠)"
        )
    if of.found:
        table.lines += _said(of)
    for end, entries in _ENDS:
        rows = of.rows(f"{TABLE_3_CLASS}: {end}")
        for rank, entry in enumerate(entries, 1):
            row = rows[rank - 1] if rank <= len(rows) else {}
            _add_entry(table, sources, f"{end} {rank}", entry, entry in odd, row)
    return table


def _said(of: Measured) -> list[str]:
    """How the map was made, and how many channels of either end it shares with the print."""
    assert of.found is not None
    options = of.found["options"]
    lines = [
        f"measured: method {options.get('method')}, reduction {options.get('reduction')}, "
        f"{options.get('part')} windows"
    ]
    shared = []
    for end, entries in _ENDS:
        numbers = _numbers(of.rows(f"{TABLE_3_CLASS}: {end}")[: len(entries)])
        if numbers is not None:
            both = len(numbers & {entry.index for entry in entries})
            shared.append(f"{both} of {len(entries)} at the {end}")
    if shared:
        chance = len(TABLE_3_TOP) * len(TABLE_3_TOP) / N_CHANNELS
        lines.append(
            f"printed and measured share {', '.join(shared)} (by number; {chance:.1f} by chance)"
        )
    return lines


def _numbers(rows: Sequence[dict[str, Any]]) -> set[int] | None:
    """The measured channels by the paper's numbers; None on a dataset that has none."""
    return {row["paper"] for row in rows} if rows and "paper" in rows[0] else None


def _add_entry(
    table: PaperTable,
    sources: Sources,
    place: str,
    entry: ListedChannel,
    is_odd: bool,
    row: dict[str, Any],
) -> None:
    channel = meant(entry, sources.channels)
    name = None if channel is None else channel.name
    notes: tuple[int, ...] = ()
    if is_odd:
        notes = (
            table.note(f"{entry.index} is the number of {name}; {sources.see('unplaceable')}"),
        )
    sign = "≠" if is_odd else "="
    table.rows.append(
        {
            "row": Value(place),
            "index": Value(str(entry.index)),
            "sensor": Value(entry.sensor, notes),
            "number is": Value(ABSENT if name is None else f"{sign} {name}"),
            "measured number": Value(str(row.get("paper", ABSENT))),
            "measured": Value(row.get("name", ABSENT)),
            "value": Value(_value(row)),
        }
    )
    table.records.append(
        {
            "benchmark": table.name,
            "row": place,
            "simulated": bool(table.simulates),
            "printed_index": entry.index,
            "printed_sensor": entry.sensor,
            "index_is": name,
            "agrees": None if name is None else not is_odd,
            **{
                f"measured_{key}": row.get(column)
                for key, column in (
                    ("index", "paper"),
                    ("channel", "channel"),
                    ("column", "column"),
                    ("name", "name"),
                    ("position", "position"),
                    ("modality", "modality"),
                    ("value", "value"),
                    ("value_half", "±"),
                )
            },
        }
    )


def _value(row: dict[str, Any]) -> str:
    if row.get("value") is None:
        return ABSENT
    half = row.get("±")
    return f"{row['value']:.2f}" + ("" if half is None else f" ± {half:.2f}")
