"""Tables 2 and 4: one network, trained on other data and on fewer channels."""

from __future__ import annotations

from typing import Any

from harbench.report.paper.printed import SOURCE, TABLE_2, TABLE_4, ChannelsRow
from harbench.report.paper.tables import (
    Measured,
    PaperTable,
    Sources,
    add_commonest,
    measured,
    new_table,
    one_digit,
    with_half,
)
from harbench.report.table import ABSENT, Column, Table, Value
from harbench.results import Store

RANDOM, BLOCKS = "full, random windows", "full, blocks"
_ABLATION = "NF by number of channels"
NULLS = ("with", "without")
# What the analysis calls the data -> what Table 2 calls them.
_SHORT = {RANDOM: "full, random"}
_DATA: dict[str, str | None] = {"part": "part", RANDOM: "full", BLOCKS: None}

# Besides the paper's rows: ten channels, which is what the print counts, and channels at random,
# where they were measured.
NARROW = (20, 10)
_MORE_ROWS = (("Top 10", "top", 10), ("Bottom 10", "bottom", 10))
_RANDOM_ROWS = tuple((f"{k} at random", "random", k) for k in NARROW)


def table_2(sources: Sources) -> PaperTable:
    """Part, full in random windows, full in blocks; with NULL and without."""
    of = measured(sources, "table2", "data-study")
    table = new_table(2, of, sources, complete=of.found is not None)
    printed = table.note(f"printed by {SOURCE}, Table 2, in a row labelled Yang et al. 2015; "
                         f"{sources.see('label')}")  # fmt: skip
    table.columns = [
        Column("row", "Data"),
        Column("printed with", "printed NF\nwith NULL", 0, (printed,)),
        Column("with", "NF\nwith NULL"),
        Column("macro with", "macro F1\nwith NULL", 4),
        Column("printed without", "printed NF\nwithout", 0, (printed,)),
        Column("without", "NF\nwithout"),
        Column("macro without", "macro F1\nwithout", 5),
    ]
    found = {(row["data"], row["NULL"]): row for row in of.rows("NF by data and NULL")}
    for data, named in _DATA.items():
        _add_data(table, of, sources, data, named, found)
    _add_leak(table, of)
    return table


def _add_data(
    table: PaperTable,
    of: Measured,
    sources: Sources,
    data: str,
    named: str | None,
    found: dict[tuple[str, str], dict[str, Any]],
) -> None:
    shared = [row["shared"] for null in NULLS if (row := found.get((data, null)))]
    notes: list[int] = []
    if data == RANDOM:
        notes.append(
            table.note(
                "windows drawn at random, 8-1-1; the paper does not say how it drew, and its "
                f"numbers for all data stand in this row; {sources.see('full')}"
            )
        )
        if shared:
            notes.append(
                table.note(
                    f"leaky: {max(shared):.1f} % of the test windows share samples with training "
                    "windows"
                )
            )
    elif data == BLOCKS:
        notes.append(
            table.note("8-1-1 in contiguous blocks of each recording, which share no sample")
        )
    values = {"row": Value(_SHORT.get(data, data), tuple(notes))}
    record: dict[str, Any] = {
        "benchmark": table.name,
        "row": data,
        "simulated": bool(table.simulates),
        "leaky": bool(shared) and max(shared) > 0,
    }
    for null in NULLS:
        row = found.get((data, null), {})
        text = with_half(row.get("NF"), row.get("±"))
        nf, half, macro = row.get("NF"), row.get("±"), row.get("macro F1")
        if not row and (data, null) == ("part", "with"):
            # The benchmark's own cells are that setting.
            text, nf, half, macro = _of_cells(of)
        print_of = TABLE_2[named, null] if named else None
        values[f"printed {null}"] = Value(print_of or ABSENT)
        values[null] = Value(text)
        values[f"macro {null}"] = Value(one_digit(macro))
        key = f"{null}_null"
        record |= {f"printed_nf_{key}": print_of, f"nf_{key}": nf, f"nf_half_{key}": half}
        record |= {f"macro_f1_{key}": macro}
    table.rows.append(values)
    table.records.append(record)


def _of_cells(of: Measured) -> tuple[str, float | None, float | None, float | None]:
    """NF as text and as number, half of its interval, macro F1: of the benchmark's first row."""
    row, record = of.base.rows[0], of.base.records[0]
    nf, high, macro = (record[key] for key in ("nf_mean", "nf_high", "macro_f1_mean"))
    half = None if high is None else 100 * (high - nf)
    return (
        row["nf"].text,
        None if nf is None else 100 * nf,
        half,
        None if macro is None else 100 * macro,
    )


def _add_leak(table: PaperTable, of: Measured) -> None:
    """What windows drawn at random add: a row of its own."""
    found = {row["NULL"]: row for row in of.rows("what the random split adds")}
    note = table.note("NF on random windows less NF on blocks, in points, seed by seed")
    values = {column.key: Value("") for column in table.columns}
    values["row"] = Value("leak", (note,))
    record: dict[str, Any] = {
        "benchmark": table.name,
        "row": "leak",
        "simulated": bool(table.simulates),
    }
    for null in NULLS:
        row = found.get(null, {})
        values[null] = Value(with_half(row.get("leak"), row.get("±"), sign=True))
        record |= {f"nf_{null}_null": row.get("leak"), f"nf_half_{null}_null": row.get("±")}
    table.rows.append(values)
    table.records.append(record)


def uncounted(store: Store) -> tuple[int, ...]:
    """Numbers of channels in Table 4 whose network no stored ablation has counted."""
    found = store.analysis("table4", "ablation")
    of = Measured({}, Table("", "", [], [], [], []), found)
    counted = {row["k"] for row in _by_channel(of) if row.get("parameters") is not None}
    return tuple(k for k in NARROW if k not in counted)


def _by_channel(of: Measured) -> list[dict[str, Any]]:
    """Rows of the ablation; none where it left out sensors or positions as a whole."""
    if of.found is None or of.found["options"].get("by", "channel") != "channel":
        return []
    return of.rows(_ABLATION)


def table_4(sources: Sources) -> PaperTable:
    """All channels, the most and the least important ones; with what 20 and 10 really cost."""
    of = measured(sources, "table4", "ablation")
    table = new_table(4, of, sources, complete=of.found is not None)
    printed = table.note(f"printed by {SOURCE}, Table 4")
    counted = table.note(
        "trainable, then with batch-norm's running statistics, as the print counts"
    )
    macs = table.note("multiply-accumulates of one window")
    table.columns = [
        Column("row", "Channels"),
        Column("printed nf", "printed\nNF", 0, (printed,)),
        Column("nf", "NF"),
        Column("macro", "macro F1", 4),
        Column("printed parameters", "printed\nparameters"),
        Column("parameters", "Parameters", 0, (counted,)),
        Column("macs", "MACs", 0, (macs,)),
    ]
    found = {(row["order"], row["k"]): row for row in _by_channel(of)}
    # Whatever number of channels all are.
    whole = [row for row in found.values() if row["order"] == "all"]
    if whole:
        found["all", None] = whole[0]
    for printed_row in TABLE_4:
        _add_channels(table, of, sources, printed_row.row, printed_row, found)
    for name, order, k in (*_MORE_ROWS, *(r for r in _RANDOM_ROWS if r[1:] in found)):
        more = ChannelsRow(name, order, k, "", "")
        _add_channels(table, of, sources, name, more, found)
    add_commonest(table, of.base, {"nf": "nf", "macro": "macro_f1"})
    return table


def _add_channels(
    table: PaperTable,
    of: Measured,
    sources: Sources,
    name: str,
    printed: ChannelsRow,
    found: dict[tuple[str, int | None], dict[str, Any]],
) -> None:
    row = found.get((printed.order, printed.k), {})
    text, nf, half, macro = (
        with_half(row.get("NF"), row.get("±")),
        row.get("NF"),
        row.get("±"),
        row.get("macro F1"),
    )
    first = of.manifest["rows"][0]
    n_channels = first["n_channels"] if printed.k is None else printed.k
    if not row and printed.order == "all":
        text, nf, half, macro = _of_cells(of)
    cost = _cost(sources, first["cost"] if printed.k is None else sources.narrow.get(printed.k))
    cost |= {
        key: round(row[column])
        for key, column in (
            ("parameters", "parameters"),
            ("parameters_with_buffers", "with buffers"),
            ("macs", "MACs"),
        )
        if row.get(column) is not None
    }
    notes: tuple[int, ...] = ()
    if printed.k and printed.parameters:
        notes = (table.note(f"the count for 10 channels; {sources.see('ten-channels')}"),)
    table.rows.append(
        {
            "row": Value(name, _other_number(table, printed, n_channels)),
            "printed nf": Value(printed.nf or ABSENT),
            "nf": Value(text),
            "macro": Value(one_digit(macro)),
            "printed parameters": Value(printed.parameters or ABSENT, notes),
            "parameters": Value(_parameters(cost)),
            "macs": Value(f"{cost['macs']:,}" if cost.get("macs") else ABSENT),
        }
    )
    table.records.append(
        {
            "benchmark": table.name,
            "row": name,
            "order": printed.order,
            "n_channels": n_channels,
            "simulated": bool(table.simulates),
            "printed_nf": printed.nf or None,
            "nf": nf,
            "nf_half": half,
            "macro_f1": macro,
            "printed_parameters": printed.parameters or None,
            **{key: cost.get(key) for key in ("parameters", "parameters_with_buffers", "macs")},
        }
    )


def _other_number(table: PaperTable, printed: ChannelsRow, n_channels: int) -> tuple[int, ...]:
    if printed.k is None and n_channels != 113:
        return (table.note(f"measured with {n_channels} channels"),)
    return ()


def _cost(sources: Sources, key: str | None) -> dict[str, Any]:
    return dict(sources.store.cost(key) or {}) if key else {}


def _parameters(cost: dict[str, Any]) -> str:
    if not cost.get("parameters"):
        return ABSENT
    trainable, total = cost["parameters"], cost.get("parameters_with_buffers")
    return f"{trainable:,}" if total in (None, trainable) else f"{trainable:,} / {total:,}"
