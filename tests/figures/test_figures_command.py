"""``harbench figures``: files, widths, refusals."""

import re

import pytest

from harbench.cli import main
from harbench.errors import ResultsError
from harbench.report.figures import drawings
from harbench.report.table import comparison_table
from toys.drawn_store import drawn_store


@pytest.fixture
def figures(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder with results; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    drawn_store(tmp_path / "results", {"good": 0.9, "fair": 0.7}, seeds=2, epochs=3)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["figures", *map(str, arguments)])
        return (ended.value.code or 0, *capsys.readouterr())

    return run


def test_files_are_written_and_named(figures, tmp_path):
    code, out, err = figures("--out", "pictures", "--format", "svg", "--format", "pdf",
                             "--kind", "pareto", "--kind", "curves")  # fmt: skip
    assert (code, err) == (0, "")
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    wanted = ["pareto-macs", "pareto-parameters", "pareto-latency", "curves-good", "curves-fair"]
    assert names == {f"toys-{name}.{ending}" for name in wanted for ending in ("svg", "pdf")}
    assert "pictures/toys-pareto-macs.svg  toys: NF against MACs of one window\n" in out


def test_pdf_is_written_where_nothing_is_said(figures, tmp_path):
    assert figures("toys", "--rows", "0")[0] == 0
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == [
        "toys-critical-difference.pdf", "toys-pareto-latency.pdf", "toys-pareto-macs.pdf",
        "toys-pareto-parameters.pdf", "toys-per-class.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "mm"), [("column", 88), ("page", 180), ("120", 120), ("120mm", 120)]
)
def test_width(figures, tmp_path, width, mm):
    assert figures("--width", width, "--format", "svg", "--kind", "per-class")[0] == 0
    text = (tmp_path / "figures" / "toys-per-class.svg").read_text()
    assert float(re.search(r'width="([\d.]+)pt"', text)[1]) == pytest.approx(mm * 72 / 25.4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--width", "wide"], "that is no width: 'wide'"),
        (["--width", "nan"], "that is no width"),
        (["--width", "10"], "60 to 400"),
        (["--kind", "paretto"], "expected one of pareto, critical-difference, per-class"),
        (["--metric", "nff"], "did you mean 'nf'"),
        (["toy"], "did you mean 'toys'"),
        (["--results", "nowhere"], "there are no results yet"),
    ],
)
def test_refusals(figures, tmp_path, given, said):
    code, out, err = figures(*given)
    assert (code, out) == (2, "") and said in " ".join(err.split()) and "Traceback" not in err
    assert not (tmp_path / "figures").exists()


def stored(tmp_path, files, figures=("map",)):
    """A store with an analysis that left these files."""
    store = drawn_store(tmp_path / "results", {"good": 0.9, "fair": 0.7}, seeds=1)
    table = {"columns": ["channel", "value"], "rows": [["ACC x", 0.25], ["ACC y", None]]}
    content = {
        "analysis": "saliency", "options": {"row": "good"}, "simulates": None,
        "tables": {"top channels": table}, "notes": ["A note"], "figures": list(figures),
    }  # fmt: skip
    store.write_analysis("toys", "my-map", content, files)
    found = drawings(store, comparison_table(store, "toys", ["nf"]), rows_at_most=0)
    return {drawing.name: drawing for drawing in found}


def test_what_an_analysis_drew_is_taken_as_it_is(figures, tmp_path):
    found = stored(tmp_path, {"map.pdf": b"%PDF of an analysis", "map.svg": b"<svg/>"})
    drawing = found["toys-my-map-map"]
    assert (drawing.kind, drawing.row) == ("saliency", "good")
    assert "A note." in drawing.alt
    assert "top channels: channel ACC x, value 0.25; channel ACC y, value none." in drawing.alt
    with pytest.raises(ResultsError, match="there are only its files"):
        drawing.draw()
    assert figures("--kind", "saliency")[0] == 0
    assert (tmp_path / "figures/toys-my-map-map.pdf").read_bytes() == b"%PDF of an analysis"
    code, _, err = figures("--kind", "saliency", "--format", "png")
    assert code == 2 and "not there as png" in err


def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path):
    (tmp_path / "secret.svg").write_text("<svg/>")
    found = stored(tmp_path, {"ok.svg": b"<svg/>"}, ["../../../../secret", "ok", "gone", 5])
    assert [name for name in found if "my-map" in name] == ["toys-my-map-ok"]
