"""Reading OPPORTUNITY's text: golden rows, every refusal with its place, and fuzzing."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import harbench_datasets.opportunity_text as opportunity_text
from harbench import DataError, Source, SourceFile
from harbench_datasets.opportunity_columns import CHANNELS, COLUMNS, GESTURES, LOCOMOTION
from harbench_datasets.opportunity_reader import read_recording
from harbench_datasets.opportunity_text import MISSING, TableWriter, read_table
from toys.thorough import examples

FIX = "harbench datasets fetch opportunity"

# The first five rows of the real S1-ADL1.dat, columns 1-10 (and 17 and 241-243 of the first).
GOLDEN = [
    [0, 87, 975, -287, 11, 1001, 163, 95, 975, 152],
    [33, 124, 978, -389, -7, 1014, 199, 124, 968, 123],
    [67, 102, 996, -440, -49, 1024, 193, 127, 1001, 113],
    [100, 59, 861, -384, -9, 1023, 202, 110, 1007, 106],
    [133, 119, 946, -426, -22, 1026, 188, 98, 1001, 92],
]


def line(values=(), **columns):
    """Text of one line: leading values, then single columns by 1-based number (``c244=1``)."""
    fields = [str(value) for value in values] + ["0"] * (250 - len(values))
    for name, value in columns.items():
        fields[int(name[1:]) - 1] = str(value)
    return " ".join(fields)


def lines(number=6):
    return [line([33 * row, row, -row, "NaN"], c244=1, c250=406516) for row in range(number)]


@pytest.fixture
def read(tmp_path):
    """Read text or bytes as the file S1-ADL1.dat."""

    def read(content):
        path = tmp_path / "S1-ADL1.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_recording(Source("S1-ADL1", (SourceFile(path),)), fix=FIX)

    return read


def test_golden_rows(read):
    first = line(GOLDEN[0], c17=62, c241=5789, c242=2907, c243=1447)
    recording = read("\n".join([first, *(line(row) for row in GOLDEN[1:])]) + "\n")
    assert (recording.name, recording.subject, recording.session) == ("S1-ADL1", "S1", "S1-ADL1")
    assert recording.signals.dtype == np.float32
    assert recording.signals.shape == (5, 113)
    assert recording.signals.flags.c_contiguous
    assert recording.signals[:, :9].tolist() == [row[1:] for row in GOLDEN]
    assert recording.signals[0, 15] == 62  # ACC BACK accX
    assert set(recording.labels) == {"gestures", "locomotion"}
    for labels in recording.labels.values():
        assert labels.dtype == np.int16
        assert labels.tolist() == [0] * 5


def test_every_channel_is_read_from_its_column(read):
    recording = read(line(range(1, 244)) + "\n" + line(range(-1, -244, -1)) + "\n")
    numbers = [channel.number for channel in CHANNELS]
    assert recording.signals[0].tolist() == numbers
    assert recording.signals[1].tolist() == [-number for number in numbers]


def test_every_label_becomes_its_class(read):
    recording = read("\n".join(line(c250=code) for code in GESTURES))
    assert recording.labels["gestures"].tolist() == list(range(18))
    recording = read("\n".join(line(c244=code) for code in LOCOMOTION))
    assert recording.labels["locomotion"].tolist() == list(range(5))


def test_nan_is_missing_in_signals(read):
    recording = read("\n".join([line(c2="NaN", c134="NaN"), line(), line(c134="NaN", c200="NaN")]))
    rows, columns = np.nonzero(np.isnan(recording.signals))
    assert list(zip(rows, columns, strict=True)) == [(0, 0), (0, 112), (2, 112)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(lines()),  # no newline at the end
        "\r\n".join(lines()) + "\r\n",
        " \n".join(lines()) + " \n",
        " \t \r\n".join(lines()) + "  ",
        "\n".join(lines()) + "\n\n \r\n\n",
        "\n".join(lines()).replace(" ", "\t"),
        "\n".join(lines()).replace(" ", "  "),
        "  " + "\n  ".join(lines()) + "\n",
    ],
    ids=["bare", "crlf", "blank", "mixed", "blank lines at the end", "tabs", "two", "leading"],
)
def test_white_space_that_means_nothing(read, text):
    plain, other = read("\n".join(lines()) + "\n"), read(text)
    assert np.array_equal(plain.signals, other.signals, equal_nan=True)
    assert plain.labels["gestures"].tolist() == other.labels["gestures"].tolist() == [1] * 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5),
        ("-0.25", -0.25),
        ("1e3", 1000.0),
        ("2.5E-1", 0.25),
        ("007", 7.0),
        ("12345678", 12345678.0),
        ("-12345678", -12345678.0),
        ("123456789", 123456789.0),
        ("-1234567", -1234567.0),
        ("0000000000001", 1.0),
    ],
)
def test_numbers_beyond_whole_ones_of_eight_digits(read, text, value):
    assert read(line(c2=text)).signals[0, 0] == np.float32(value)
    # Beside it the values are what they would be without it.
    assert read("\n".join([line(c3=-5), line(c2=text)])).signals[0, 1] == -5


def broken(change):
    """Lines with one thing changed, as text."""
    rows = [row.split(" ") for row in lines()]
    change(rows)
    return "\n".join(" ".join(row) for row in rows) + "\n"


def put(row, column, text):
    return lambda rows: rows[row - 1].__setitem__(column - 1, text)


# fmt: off
NOT_NUMBERS = [
    "nan", "NAN", "NaNs", "-NaN", "Na", "N", "inf", "-inf", "Infinity", "1e999", "0x10", "True",
    "-", "--1", "1-2", "+1", "1.", ".5", "1e", "1_000", "1,5", "abc", "NULL", "NA", "'1'", "½",
    "1a", "a1", "N1N", "1N", "12345678N", "NaN0",
]
# fmt: on


@pytest.mark.parametrize("text", NOT_NUMBERS)
@pytest.mark.parametrize("column", [2, 134])
def test_refuses_what_is_no_number(read, text, column):
    with pytest.raises(DataError) as caught:
        read(broken(put(4, column, text)))
    assert caught.value.where.endswith(f"S1-ADL1.dat:4:{column}")
    assert f"in column {COLUMNS[column - 1].name} is no number" in caught.value.what
    assert caught.value.expected == "a decimal number or NaN"
    assert caught.value.fix == FIX


@pytest.mark.parametrize("text", ["nan", "inf", "x", "1;2", "0x10", "True", "\x00", "½", "1/2"])
@pytest.mark.parametrize("column", [1, 47, 135, 200, 243, 245, 249])
def test_refuses_other_characters_in_columns_that_are_not_read(read, text, column):
    with pytest.raises(DataError) as caught:
        read(broken(put(6, column, text)))
    assert caught.value.where.endswith(f"S1-ADL1.dat:6:{column}")


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (244, "3"),
        (244, "6"),
        (244, "-1"),
        (244, "NaN"),
        (244, "0.5"),
        (250, "1"),
        (250, "40651"),
        (250, "406515"),
        (250, "-406516"),
        (250, "4065160"),
        (250, "NaN"),
    ],
)
def test_refuses_labels_outside_the_legend(read, column, code):
    with pytest.raises(DataError) as caught:
        read(broken(put(5, column, code)))
    assert caught.value.where.endswith(f"S1-ADL1.dat:5:{column}")
    assert caught.value.what == (
        f"label {code} in column {COLUMNS[column - 1].name} is not in the dataset's legend"
    )
    expected = {244: "one of 0, 1, 2, 4, 5", 250: "one of 0, 404505, 404508"}[column]
    assert caught.value.expected.startswith(expected)
    assert caught.value.fix == FIX


@pytest.mark.parametrize(("column", "code"), [(250, "406516.01"), (250, "1e-50"), (244, "-1e-50")])
def test_a_label_that_float32_would_round_to_another_is_refused(read, column, code):
    with pytest.raises(DataError) as caught:
        read(broken(put(5, column, code)))
    assert caught.value.where.endswith(f"S1-ADL1.dat:5:{column}")
    assert caught.value.what == f"'{code}' in column {COLUMNS[column - 1].name} is no code"
    # Written otherwise it is the same code.
    found = read(broken(put(5, 250, "406516.0"))).labels["gestures"].tolist()
    assert found[4] == list(GESTURES).index(406516)


@pytest.mark.parametrize(("field", "shown"), [("1\x1b[2J", r"1\x1b[2J"), ("\x00", r"\x00")])
def test_control_characters_are_written_out(read, field, shown):
    with pytest.raises(DataError, match=f"^.*: '{re.escape(shown)}' in column"):
        read(broken(put(2, 30, field)))


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (lambda rows: rows[0].pop(), ":1", "the line has 249 columns"),
        (lambda rows: rows[3].pop(), ":4", "the line has 249 columns"),
        (lambda rows: rows[3].append("0"), ":4", "the line has 251 columns"),
        (lambda rows: rows[5].__delitem__(slice(100, None)), ":6", "the line has 100 columns"),
        (lambda rows: rows[1].clear(), ":2", "the line is empty"),
        (lambda rows: rows[2].insert(0, "0"), ":3", "the line has 251 columns"),
        # One line longer by what the next is shorter: the total is right.
        (lambda rows: rows[1].append(rows[2].pop()), ":2", "the line has 251 columns"),
        # A field that fell out, its two separators still there.
        (put(4, 30, ""), ":4", "the line has 249 columns"),
        (put(2, 30, "1\v2"), ":2:30", "is no number"),
        (put(2, 30, "1\r2"), ":2:30", "is no number"),
        (put(2, 30, "1\x002"), ":2:30", "is no number"),
    ],
)
def test_refuses_lines_of_other_lengths(read, change, where, what):
    with pytest.raises(DataError) as caught:
        read(broken(change))
    assert caught.value.where.endswith("S1-ADL1.dat" + where)
    assert what in caught.value.what


@pytest.mark.parametrize("lost", [1, 2, 7, 9, 20, 400])
def test_refuses_a_file_that_is_cut_off(read, lost):
    text = "\n".join(lines())
    with pytest.raises(DataError) as caught:
        read(text[:-lost])
    # Up to six characters are of the last label, 406516; the line is short after that.
    assert caught.value.where.endswith(":6:250" if lost < 6 else ":6")


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n"])
def test_refuses_an_empty_file(read, content):
    with pytest.raises(DataError, match="the file is empty"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 64,
        b"\x00" * 5000,
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"PK\x03\x04" + b"\xff" * 300_000,
        b"7" * 300_000,
        b"1 " * 300_000,
        b"\n".join(row.encode() for row in lines()) + b"\n" + b"\xfe" * 2_000_000,
    ],
    ids=["all bytes", "NUL", "png", "zip", "one number", "one line", "long tail"],
)
def test_refuses_what_is_no_text(read, content):
    with pytest.raises(DataError) as caught:
        read(content)
    assert re.search(r"S1-ADL1\.dat:\d+", caught.value.where)
    if content.startswith(b"0 "):
        assert caught.value.where.endswith(".dat:7")


def test_says_what_it_found_in_few_characters(read):
    with pytest.raises(DataError) as caught:
        read(broken(put(1, 2, "é" + "x" * 500)))
    assert caught.value.what == (
        "'\\xc3\\xa9xxxxxxxxxxxxxxxxxx...' in column Accelerometer RKN^ accX is no number"
    )


def test_refuses_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_recording(Source("S1-ADL1", (SourceFile(tmp_path),)), fix=FIX)


def test_finds_the_place_in_a_file_of_many_blocks(read):
    rows = [line([33 * row, row % 900], c244=1) for row in range(3000)]
    assert sum(map(len, rows)) > 2.5 * opportunity_text._BLOCK
    recording = read("\n".join(rows))
    assert recording.signals[:, 0].tolist() == [row % 900 for row in range(3000)]
    rows[2917] = line(c250=406517, c39="7x")
    with pytest.raises(DataError) as caught:
        read("\n".join(rows))
    assert caught.value.where.endswith(":2918:39")
    rows[2917] = line(c250=406518)
    with pytest.raises(DataError) as caught:
        read("\n".join(rows))
    assert caught.value.where.endswith(":2918:250")


# A small table for fuzzing: five columns, of which the second, third and fifth are read.
LARGEST = float(np.finfo(np.float32).max)
NAMES, KEPT = ("t", "u", "v", "w", "x"), (1, 2, 4)


def expected_table(content):
    """What a table says by the rules, line by line; None where it has to be refused."""
    rows = []
    text = content.decode("latin-1").rstrip(" \t\r\n")
    for row in text.split("\n") if text else []:
        fields = re.split("[ \t]+", re.sub("[ \t]*\r?$", "", row).strip(" \t"))
        if len(fields) != len(NAMES) or not all(fields):
            return None
        if not all(re.fullmatch("[-+.0-9eENa]+", field) for field in fields):
            return None
        values = []
        for field in (fields[k] for k in KEPT):
            number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", field)
            if field != "NaN" and not (number and abs(float(field)) <= LARGEST):
                return None
            values.append(float(field))
        rows.append(values)
    return np.array(rows, np.float32) if rows else None


def compare(path, content):
    path.write_bytes(content)
    expected = expected_table(content)
    try:
        found = read_table(path, NAMES, KEPT, fix=FIX)
    except DataError as error:
        assert expected is None, (content, error)
        assert error.where.startswith(str(path))
    else:
        assert expected is not None, content
        assert np.array_equal(found, expected, equal_nan=True), content


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "table.dat"


plain_field = st.one_of(st.integers(-(10**8) + 1, 10**8 - 1).map(str), st.just("NaN"))
tables = st.lists(st.lists(plain_field, min_size=5, max_size=5), min_size=1, max_size=12)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables)
def test_plain_tables_take_the_fast_path_and_come_back(fuzzed, table):
    content = "".join(" ".join(row) + "\n" for row in table).encode()
    fast = opportunity_text._read_quickly(content, 5, np.array(KEPT))
    assert fast is not None
    assert np.array_equal(fast, expected_table(content), equal_nan=True)
    compare(fuzzed, content)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables, data=st.data())
def test_mutated_tables_are_read_or_refused_as_the_rules_say(fuzzed, table, data):
    content = bytearray("".join(" ".join(row) + "\n" for row in table).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        byte = data.draw(st.sampled_from(b"0179 -.eENa+\n\r\t/:x\x00\xff"))
        match data.draw(st.sampled_from(["put", "insert", "delete"])):
            case "put":
                content[at] = byte
            case "insert":
                content.insert(at, byte)
            case "delete" if len(content) > 1:
                del content[at]
    compare(fuzzed, bytes(content))


@settings(max_examples=examples(200), deadline=None)
@given(content=st.binary(max_size=60) | st.text("0 1-\nNa.e\r\t", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_as_the_rules_say(fuzzed, content):
    compare(fuzzed, content)


@pytest.mark.parametrize("block", [1, 7, 16, 64])
def test_blocks_may_end_anywhere(fuzzed, monkeypatch, block):
    monkeypatch.setattr(opportunity_text, "_BLOCK", block)
    for content in (
        b"1 2 3 4 5\n6 7 -8 9 NaN\n10 11 12 13 14",
        b"1 2 3 4 5\r\n6 7 -8 9 NaN\r\n10 11 12 13 14 \r\n\r\n \n",
        b"1 2 3 4 5\n\n6 7 8 9 10\n",
        b"1 2 3 4 5\n6 7 8 9\n",
    ):
        compare(fuzzed, content)


@settings(max_examples=examples(100), deadline=None)
@given(
    table=st.lists(
        st.lists(st.integers(-999_999, 9_999_999) | st.just(MISSING), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_written_tables_are_those_of_plain_formatting(writer, table):
    text = writer.text(np.array(table, np.int32))
    rows = (" ".join("NaN" if v == MISSING else str(v) for v in row) + "\n" for row in table)
    assert text == "".join(rows).encode()


@pytest.fixture(scope="module")
def writer():
    return TableWriter(-300, 300)


@pytest.mark.parametrize("value", [10_000_000, -1_000_000])
def test_writer_refuses_what_does_not_fit_into_a_cell(writer, value):
    with pytest.raises(ValueError, match="more than 7 characters"):
        writer.text(np.array([[0, value]], np.int32))


def test_reading_needs_no_more_than_the_path(tmp_path: Path):
    path = tmp_path / "S3-Drill.dat"
    path.write_text(line())
    recording = read_recording(Source("S3-Drill", (SourceFile(path),)), fix=FIX)
    assert (recording.name, recording.subject) == ("S3-Drill", "S3")
    assert not math.isnan(float(recording.signals.sum()))
