"""What others report, as CSV: every mistake with file and line."""

import re
from pathlib import Path

import pytest

from harbench.config import dump, load, loads
from harbench.errors import ConfigError
from harbench.nouns import PublishedResult
from harbench.plan import plan
from harbench.plan.references import COLUMNS, LONGEST, MOST_BYTES, read_references
from harbench.results.manifest import manifest_of

HEAD = "model,nf,source\n"


@pytest.fixture
def read(tmp_path):
    def run(text):
        path = tmp_path / "others.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_references([path], "toy", "gestures")

    return run


@pytest.fixture
def refused(read, tmp_path):
    def run(text):
        with pytest.raises(ConfigError) as error:
            read(text)
        return str(error.value).removeprefix(f"{tmp_path}/others.csv")

    return run


def test_a_line_is_a_published_result(read):
    found = read(
        "\ufeffmodel, nf ,macro_f1,parameters,flops,source,note\r\n"
        '"Attention, LSTM",91.2,75.40,0.912M,"5,000",Zeng 2018,"30 samples, ""overlapping"""\r\n'
        "\r\n"
        "CNN,0,,,,https://example.org/a?b=1,\r\n"
    )
    assert found == (
        PublishedResult(
            "Attention, LSTM", "Zeng 2018", "toy", "gestures",
            {"NF": "91.2", "macro F1": "75.40", "parameters": "0.912M", "FLOPs": "5,000"},
            {}, '30 samples, "overlapping"',
        ),
        PublishedResult("CNN", "https://example.org/a?b=1", "toy", "gestures", {"NF": "0"}, {}, ""),
    )  # fmt: skip
    assert read_references([], "toy", "gestures") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: the columns are none"),
        ("model,nf\n", ":1: the columns are model, nf (expected model, source, and one or more"),
        ("model,source\n", ":1: the columns are model, source"),
        ("model,nff,source\n", ":1: unknown column 'nff'; did you mean 'nf'?"),
        ("model,nf,nf,source\n", ":1: column 'nf' is there twice"),
        (HEAD + "a,90.1\n", ":2: there are 2 fields (expected 3, as in the head; a field"),
        (HEAD + "a,90.1,b\n\nc,1,d,e\n", ":4: there are 4 fields"),
        (HEAD + "a,0.901,b\n", ":2: nf is '0.901' (expected percent, as papers print it: 85.1)"),
        (HEAD + "a,1,b\n", ":2: nf is '1'"),
        (HEAD + "a,101,b\n", ":2: nf is '101'"),
        (HEAD + "a,-3,b\n", ":2: nf is '-3'"),
        (HEAD + "a,nan,b\n", ":2: nf is 'nan'"),
        (HEAD + "a,90 %,b\n", ":2: nf is '90 %'"),
        (HEAD + ",90,b\n", ":2: 'model' is empty (expected its name)"),
        (HEAD + "a,90,\n", ":2: 'source' is empty (expected a citation, or an address)"),
        (HEAD + "a,,b\n", ":2: 'a' has no number (expected one of nf)"),
        (HEAD + "a,90,b\na,91,b\n", ":3: 'a' of 'b' is given twice, first at "),
        (HEAD + 'a,90,"b\n', ":2: this is no CSV: unexpected end of data"),
        (HEAD + '"a\nb",90,c\n', ":2: 'model' holds a control character"),
        (HEAD + "a\x1b[2J,90,c\n", ":2: 'model' holds a control character"),
        (HEAD + f"a,90,{'c' * (LONGEST + 1)}\n", ":2: 'source' is too long"),
        (HEAD.encode() + b"a,90,\xff\n", ":2: this is not UTF-8"),
        ("model,parameters,source\na,many,b\n", ":2: parameters is 'many' (expected 912000 or"),
        ("x" * (MOST_BYTES + 1), ": the file is too large"),
    ],
)
def test_every_mistake_is_told_with_its_line(refused, text, said):
    assert refused(text).startswith(said)


def test_the_example_of_the_docs_is_read(read):
    page = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text("utf-8")
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    first, second = read(example)
    assert first.printed == {"NF": "91.2", "macro F1": "75.4", "parameters": "0.9M"}
    assert second.source == "https://example.org/results"
    # Every column is documented.
    assert all(f"`{name}`" in page for name in COLUMNS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_references([tmp_path / "absent.csv"], "toy", "gestures")


def test_paths_count_from_the_file_and_no_key_depends_on_them(workplace):
    toy = """
    benchmarks:
      toy: {dataset: toy, path: files, models: [small], seeds: 1,
            protocol: {window: 20, step: 10}, references: others.csv}
    """
    (workplace.folder / "others.csv").write_text(HEAD + "a,90.1,b\n")
    (benchmark,) = workplace.benchmarks(toy)
    assert benchmark.references == (workplace.folder / "others.csv",)
    assert loads(dump(benchmark), "x").benchmarks == (benchmark,)
    planned = plan(benchmark, workplace.registry)
    assert manifest_of(planned)["references"] == [
        {"row": "a", "source": "b", "printed": {"NF": "90.1"}, "defects": {}, "protocol": ""}
    ]
    (listed,) = workplace.benchmarks(toy.replace("others.csv", "[others.csv]"))
    assert listed == benchmark
    (without,) = workplace.benchmarks(toy.replace(", references: others.csv", ""))
    alone = plan(without, workplace.registry)
    assert [cell.key for cell in alone.cells] == [cell.key for cell in planned.cells]
    assert "references" not in manifest_of(alone)


def test_set_counts_from_where_the_user_stands(workplace, monkeypatch, tmp_path):
    path = workplace.yaml("benchmarks: {toy: {dataset: toy, models: [small]}}")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for value in ("a.csv", "[a.csv]"):
        (benchmark,) = load(path, [f"references={value}"]).benchmarks
        assert benchmark.references == (tmp_path / "elsewhere" / "a.csv",)


@pytest.mark.parametrize("value", ["3", "[3]", "{a: b}"])
def test_what_is_no_path_is_told(workplace, value):
    path = workplace.yaml(f"benchmarks: {{t: {{dataset: d, models: [m], references: {value}}}}}")
    with pytest.raises(ConfigError, match=r"benchmarks\.yaml:1:\d+.*references"):
        load(path)
