"""harbench report, as a user meets it."""

from pathlib import Path

import pytest

from harbench.cli import context, main
from toys.reported_store import reported_store


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harbench.plugins.entry_points", lambda group: [])

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    yield run
    context.use(context.Settings())


def test_it_writes_the_page_of_the_default_folder(command):
    reported_store(Path("results"), {"one": 0.9, "two": 0.5}, leaky=(), seeds=2)
    code, out, err = command("report")
    assert code == 0, err
    assert out.startswith("report.html: 1 benchmark, 2 rows, 0.")
    first = Path("report.html").read_bytes()
    code, out, _ = command("report", "results", "--out", "again.html", "--metric", "nf",
                           "--metric", "macro_f1", "--benchmark", "toys")  # fmt: skip
    assert code == 0 and Path("again.html").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there are no results yet"),
        (("absent",), "there are no results yet"),
        (("--metric", "nff"), "nff"),
        (("--benchmark", "toy"), "no results of a benchmark 'toy'"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(command, arguments, said):
    code, _, err = command("report", *arguments)
    assert code == 2 and said in err and "Traceback" not in err
    assert not Path("report.html").exists()
