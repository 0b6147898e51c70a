"""MATLAB files are read as SciPy reads them, and refused where SciPy may crash."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import real_data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.io import loadmat, savemat

from harbench_datasets.matlab_file import MatlabFileError, read_arrays
from toys.thorough import examples

DTYPES = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=2, max_dims=3, min_side=0))
)


def packed(compress=True, **variables):
    buffer = BytesIO()
    savemat(buffer, variables, do_compression=compress)
    return buffer.getvalue()


@given(st.booleans(), arrays, arrays)
def test_what_scipy_writes_comes_back(compress, first, second):
    found = read_arrays(packed(compress, first=first, a_second_name=second))
    assert list(found) == ["first", "a_second_name"]
    for array, back in ((first, found["first"]), (second, found["a_second_name"])):
        assert back.dtype == array.dtype
        assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("folder", [f"subject{k}_{t}" for k in "12" for t in ("gesture", "walk")])
def test_real_files_are_read_as_scipy_reads_them(folder):
    path = real_data.actrectut() / folder / "data.mat"
    ours, theirs = read_arrays(path.read_bytes()), loadmat(path, mat_dtype=True)
    assert sorted(ours) == sorted(name for name in theirs if not name.startswith("__"))
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        assert np.array_equal(array, theirs[name])


def test_other_variables_are_left_out():
    numbers = np.arange(6.0).reshape(2, 3)
    content = packed(
        text="abc", struct={"a": 1.0}, cell=np.array([1, "b"], object), z=numbers * 1j, n=numbers
    )
    assert list(read_arrays(content)) == ["n"]


NUMBERS = np.arange(6.0).reshape(2, 3)
PLAIN = packed(False, n=NUMBERS)
HEADER = PLAIN[:128]


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(*parts):
    return HEADER + element(14, b"".join(parts))


FLAGS = element(6, struct.pack("<II", 6, 0))
SIZE = element(5, struct.pack("<ii", 2, 3))
NAME = element(1, b"n")
VALUES = element(9, NUMBERS.tobytes("F"))
EMPTY = element(9, b"")


def test_a_file_made_by_hand_is_read():
    assert read_arrays(matrix(FLAGS, SIZE, NAME, VALUES))["n"].tolist() == NUMBERS.tolist()
    small = element(2, bytes(range(6)))  # whole numbers of a double array, in a byte each
    assert read_arrays(matrix(FLAGS, SIZE, NAME, small))["n"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert read_arrays(HEADER) == {}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it does not begin as one does"),
        (bytes(300), "it does not begin as one does"),
        (HEADER[:-2] + b"MI" + PLAIN[128:], "it does not begin as one does"),
        (HEADER + b"abc", "it is cut off"),
        (PLAIN[:-1], "it is cut off"),
        (HEADER + element(9, bytes(8)), "an element of type 9 stands for a variable"),
        (PLAIN + PLAIN[128:], "variable 'n' stands there twice"),
        (HEADER + element(15, b"no zlib!"), "a variable cannot be unpacked"),
        (HEADER + element(15, zlib.compress(PLAIN[128:])[:-8]), "cut off, or too large"),
        (HEADER + element(15, zlib.compress(PLAIN[128:] * 2)), "holds 2 elements"),
        (HEADER + element(15, zlib.compress(b"")), "holds 0 elements"),
        (HEADER + struct.pack("<I", 5 << 16 | 1) + bytes(4), "a small element has 5 bytes"),
        (matrix(), "a variable has no flags"),
        (matrix(FLAGS, NAME, VALUES), "a variable has no size"),
        (matrix(FLAGS, SIZE, VALUES), "a variable has no name"),
        (matrix(FLAGS, SIZE, NAME), "variable 'n' has no numbers"),
        (matrix(FLAGS, SIZE, NAME, element(16, b"text")), "variable 'n' has no numbers"),
        (matrix(element(6, bytes(4)), SIZE, NAME, VALUES), "the flags of a variable have 4"),
        (matrix(FLAGS, element(5, bytes(4)), NAME, VALUES), "the size of a variable has 4"),
        (
            matrix(FLAGS, element(5, struct.pack("<ii", -2, -3)), NAME, VALUES),
            "not as many numbers as its size says",
        ),
        (
            matrix(FLAGS, element(5, struct.pack("<ii", 2**30, 2**30)), NAME, VALUES),
            "not as many numbers as its size says",
        ),
        (
            matrix(element(6, struct.pack("<II", 9, 0)), SIZE, NAME, VALUES),
            "a type that does not fit its own",
        ),
        (matrix(FLAGS, SIZE, NAME, VALUES, VALUES), "holds more than its numbers"),
        (
            matrix(FLAGS, element(5, struct.pack("<70i", *[1] * 70)), NAME, element(9, bytes(8))),
            "variable 'n' has a size that no array has",
        ),
        (
            matrix(FLAGS, element(5, struct.pack("<3i", 0, 2**31 - 1, 2**31 - 1)), NAME, EMPTY),
            "variable 'n' has a size that no array has",
        ),
        (matrix(FLAGS, SIZE, element(1, b"n\n\x1b"), EMPTY), r"variable 'n\x0a\x1b' has not"),
    ],
)
def test_what_is_refused(content, why):
    with pytest.raises(MatlabFileError) as caught:
        read_arrays(content)
    assert why in str(caught.value)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("harbench_datasets.matlab_file._LARGEST", 1 << 16)
    bomb = HEADER + element(15, zlib.compress(bytes(1 << 20)))
    with pytest.raises(MatlabFileError, match="cut off, or too large"):
        read_arrays(bomb)


def test_variables_together_are_no_bomb_either(monkeypatch):
    def one(name, size):
        dims = element(5, struct.pack("<ii", size, 1))
        inside = element(14, FLAGS + dims + element(1, name) + element(2, bytes(size)))
        packed = zlib.compress(inside)
        return struct.pack("<II", 15, len(packed)) + packed

    monkeypatch.setattr("harbench_datasets.matlab_file._LARGEST", 1 << 16)
    # In bytes as they are stored they would fit; as doubles they do not.
    with pytest.raises(MatlabFileError, match="variable 'b' is too large"):
        read_arrays(HEADER + one(b"a", 6000) + one(b"b", 6000))
    assert list(read_arrays(HEADER + one(b"a", 6000) + one(b"b", 2000))) == ["a", "b"]


SAMPLES = [PLAIN, packed(True, n=NUMBERS, b=np.eye(9, dtype="u1")), packed(False, t="x", n=NUMBERS)]


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_damaged_bytes_are_read_or_refused(data):
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(120, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_arrays(bytes(content))
    except MatlabFileError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(array, np.ndarray) for array in found.values())
