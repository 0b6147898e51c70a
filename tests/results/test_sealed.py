"""The JSON files of the store, to the byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harbench.errors import ResultsError
from harbench.plan.keys import key_of
from harbench.results.sealed import read_sealed, sealed_text, write_files

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
contents = st.dictionaries(
    texts.filter(lambda key: key != "seal"),
    st.recursive(
        leaves | texts,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(texts | st.integers(), inner, max_size=4)
        ),
    ),
)


@given(contents)
def test_what_is_written_comes_back_and_is_written_the_same(tmp_path_factory, content):
    text = sealed_text(content)
    plain = json.loads(json.dumps(content))
    assert json.loads(text) == {**plain, "seal": key_of(plain)}
    folder = tmp_path_factory.mktemp("sealed")
    write_files(folder, {"some.json": text.encode()})
    assert read_sealed(folder / "some.json") == plain
    assert sealed_text(read_sealed(folder / "some.json")) == text


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {"deep": [-float("inf")]}])
def test_what_json_has_no_word_for_is_not_written(bad):
    with pytest.raises(ValueError, match="JSON compliant"):
        sealed_text({"a": bad})


def test_half_a_character_is_written_as_what_it_is(tmp_path):
    write_files(tmp_path, {"a.json": sealed_text({"name": "x\udc80"}).encode()})
    assert b"x\\udc80" in (tmp_path / "a.json").read_bytes()
    assert read_sealed(tmp_path / "a.json") == {"name": "x\udc80"}


def test_files_are_written_whole_or_the_error_is_told(tmp_path):
    write_files(tmp_path, {"a": b"1" * 100_000, "b": b""})
    write_files(tmp_path, {"a": b"2"})
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"2", b"")
    with pytest.raises(FileNotFoundError):
        write_files(tmp_path / "none", {"a": b"2"})
    with pytest.raises(ResultsError, match="not there"):
        read_sealed(tmp_path / "none/a")
