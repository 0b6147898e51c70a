"""Checks of analyses: each is run twice on two small trained cells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from harbench.errors import HarbenchError
from harbench.nouns import Analysis, AnalysisResult, TrainedCell, Trainer, Variant
from harbench.nouns.names import is_name
from harbench.testing.checks import CautionError, CheckList, FailedError, NotCheckedError, said_of
from harbench.testing.footprint import tree
from harbench.testing.global_state import settings_changed, torch_settings
from harbench.testing.model_checks import check_signature
from harbench.testing.plugin_checks import check_one_line, check_options, check_source
from harbench.testing.subject import Subject
from harbench.testing.tiny_cells import TrainedStore

ANALYSIS: CheckList[AnalysisSubject]


class AnalysisSubject(Subject[Analysis]):
    """An analysis, with a store of its own in which two cells are trained."""

    @cached_property
    def place(self) -> TrainedStore:
        """The store; made in the subject's folder."""
        return TrainedStore(self.folder, self.files)

    @cached_property
    def before(self) -> dict[str, str]:
        """Path in the store -> sha256, before the analysis ran."""
        return hashes(self.place.store.folder)

    @cached_property
    def asked_to_train(self) -> list[int]:
        """How many variants each call of the trainer was given."""
        return []

    def run(self) -> AnalysisResult:
        """Run it once; whatever it raises passes through."""
        with self.at_work():
            assert self.before
            cells = self.place.cells()
            given: tuple[Any, ...] = (cells, self._trainer()) if self.thing.trains else (cells,)
            found: AnalysisResult = self.thing.run(*given)
            return found

    def _trainer(self) -> Trainer:
        train = self.place.trainer()

        def counted(wanted: Sequence[Variant]) -> list[list[TrainedCell]]:
            self.asked_to_train.append(len(wanted))
            return train(wanted)

        return counted

    @cached_property
    def _first(self) -> AnalysisResult | None:
        try:
            found = self.run()
        except (Exception, SystemExit):  # noqa: BLE001 - the check runs says what
            return None
        return found if isinstance(found, AnalysisResult) else None

    @cached_property
    def drawn(self) -> dict[str, bytes]:
        """The figures as SVG; drawing one again may move what its layout has settled."""
        return drawings(self.result())

    def result(self) -> AnalysisResult:
        """What it found.

        Raises:
            NotCheckedError: nothing; the check ``runs`` says why.
        """
        if self._first is None:
            raise NotCheckedError("it has no result to look at; see runs")
        return self._first


def drawings(found: AnalysisResult) -> dict[str, bytes]:
    """Figure -> its SVG."""
    from harbench.execute.analysing import saved_figure

    return {name: saved_figure(figure, "svg") for name, figure in found.figures.items()}


ANALYSIS = CheckList()


@ANALYSIS.check("metadata", "its summary is one line")
def metadata(subject: AnalysisSubject) -> str:
    """As ``harbench plugins show`` prints it."""
    check_one_line("summary", subject.thing.summary)
    return subject.thing.summary


@ANALYSIS.check("options", "it takes the cells (and a trainer, if it trains), and named options")
def options(subject: AnalysisSubject) -> str:
    """``--option KEY=VALUE`` sets one; each must have a default."""
    n_given = 2 if subject.thing.trains else 1
    wanted = "(cells, train, *, ...)" if subject.thing.trains else "(cells, *, ...)"
    check_signature(subject.thing.run, n_given, "analysis", wanted)
    return check_options(subject.thing.options, "analysis")


@ANALYSIS.check("source", "its source can be read, so that a change runs it again")
def source(subject: AnalysisSubject) -> str:
    """What it finds is kept under a key that holds its source."""
    return check_source(subject.thing.run)


@ANALYSIS.check("runs", "on two small trained cells it returns an AnalysisResult")
def runs(subject: AnalysisSubject) -> str:
    """Three classes with NULL, three channels, one network trained with two seeds."""
    if subject._first is None:
        try:
            found = subject.run()
        except HarbenchError as error:
            raise FailedError(
                f"it refuses two ordinary cells: {error.what}",
                expected="a result",
                fix=error.fix or "let it say what it can of any trained network",
            ) from error
        except (Exception, SystemExit) as error:
            raise FailedError(
                f"it raises {said_of(error)}",
                expected="a harbench.AnalysisResult",
                fix="harbench --debug check NAME shows where",
            ) from error
        raise FailedError(
            f"it returns {type(found).__name__}",
            expected="a harbench.AnalysisResult",
            fix="return harbench.AnalysisResult({'title': table})",
        )
    tables, figures = subject.result().tables, subject.result().figures
    return f"{len(tables)} tables, {len(figures)} figures"


@ANALYSIS.check("tables", "its tables are DataFrames with rows, titles and column names")
def tables(subject: AnalysisSubject) -> str:
    """They are printed, and kept as CSV and JSON."""
    import pandas as pd

    found = subject.result().tables
    if not found:
        raise FailedError(
            "it has no table", expected="at least one", fix="say the finding as a table"
        )
    for title, table in found.items():
        if not isinstance(title, str) or not title.strip():
            raise FailedError(
                f"a table has the title {title!r}", expected="a text", fix="name what it shows"
            )
        if not isinstance(table, pd.DataFrame):
            raise FailedError(
                f"table '{title}' is a {type(table).__name__}",
                expected="a pandas.DataFrame",
                fix="pd.DataFrame(rows)",
            )
        if table.empty:
            raise FailedError(
                f"table '{title}' is empty",
                expected="at least one row and one column",
                fix="leave an empty table out, and say why in a note",
            )
        names = list(table.columns)
        if not all(isinstance(name, str) and name.strip() for name in names) or len(
            set(names)
        ) < len(names):
            raise FailedError(
                f"table '{title}' has the columns {names}",
                expected="a name of its own for each",
                fix="table.columns = [...], or reset_index() of a table with an index of names",
            )
    return ", ".join(found)


@ANALYSIS.check("figures", "its figures are matplotlib's, and named as files may be")
def figures(subject: AnalysisSubject) -> str:
    """Each is written as PDF, SVG and PNG."""
    from matplotlib.figure import Figure

    found = subject.result().figures
    for name, figure in found.items():
        if not is_name(name):
            raise FailedError(
                f"a figure is called {name!r}",
                expected="letters, digits, '.', '_' and '-': it becomes NAME.pdf",
                fix="name it after what it shows, without its ending",
            )
        if not isinstance(figure, Figure):
            raise FailedError(
                f"figure '{name}' is a {type(figure).__name__}",
                expected="a matplotlib.figure.Figure",
                fix="figure = Figure(); axes = figure.add_subplot(); ...; return the figure",
            )
    assert subject.drawn is not None
    return ", ".join(found) or "no figure"


@ANALYSIS.check("notes", "its notes are sentences")
def notes(subject: AnalysisSubject) -> str:
    """They are printed under the tables."""
    found = subject.result().notes
    if isinstance(found, str) or not all(isinstance(note, str) and note.strip() for note in found):
        raise FailedError(
            f"its notes are {found!r}",
            expected="a tuple of sentences",
            fix="notes=('One sentence.',): the comma makes the tuple",
        )
    return f"{len(found)} notes"


@ANALYSIS.check("same-again", "run again on the same cells, it finds the same")
def same_again(subject: AnalysisSubject) -> None:
    """Tables, notes and the bytes of the figures."""
    first = subject.result()
    drawn, second = subject.drawn, subject.run()
    if list(first.tables) != list(second.tables) or list(first.figures) != list(second.figures):
        raise FailedError(
            "run again, it has other tables or figures",
            expected="the same titles in the same order",
            fix="sort what comes from a set or a folder",
        )
    for title, table in first.tables.items():
        if not table.equals(second.tables[title]):
            raise FailedError(
                f"run again, table '{title}' has other values",
                expected="equal values",
                fix="draw random numbers from np.random.default_rng(seed), with seed an option",
            )
    if tuple(first.notes) != tuple(second.notes):
        raise FailedError(
            "run again, it has other notes",
            expected="equal notes",
            fix="take no time and no random number into a note",
        )
    for name, drawing in drawings(second).items():
        if drawing != drawn[name]:
            raise FailedError(
                f"run again, figure '{name}' is drawn otherwise",
                expected="equal figures",
                fix="draw no jitter and no time into it",
            )


@ANALYSIS.check("store-unchanged", "the trained cells in the results folder stay as they are")
def store_unchanged(subject: AnalysisSubject) -> None:
    """Bit for bit. What a trainer adds is its own."""
    subject.result()
    now = hashes(subject.place.store.folder)
    for path, digest in subject.before.items():
        if now.get(path) != digest:
            raise FailedError(
                f"it {'changes' if path in now else 'removes'} {path} in the results folder",
                expected="a store that is only read",
                fix="return what it finds: harbench keeps it",
            )
    added = sorted(set(now) - set(subject.before))
    if added and not subject.thing.trains:
        raise FailedError(
            f"it writes {added[0]} into the results folder",
            expected="a store that is only read",
            fix="return tables and figures: harbench keeps them",
        )


@ANALYSIS.check("global-state", "running it leaves torch's settings and pyplot's figures alone")
def global_state(subject: AnalysisSubject) -> None:
    """Another analysis comes after it."""
    import sys

    subject.result()
    import torch  # noqa: F401 - so that its settings can be seen

    pyplot = sys.modules.get("matplotlib.pyplot")
    figures_before = len(pyplot.get_fignums()) if pyplot else 0
    before = torch_settings()
    if subject.thing.trains:
        # Training makes torch deterministic, whoever asks for it.
        raise NotCheckedError("it trains, which sets torch")
    subject.run()
    changed = settings_changed(before)
    if changed:
        raise FailedError(
            f"it changes {', '.join(changed)}",
            expected="an analysis that changes nothing outside itself",
            fix="put the setting back, in a finally block",
        )
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot and len(pyplot.get_fignums()) > figures_before:
        raise CautionError(
            "it leaves figures of matplotlib.pyplot open, which stay in memory",
            expected="matplotlib.figure.Figure, which pyplot knows nothing of",
            fix="from matplotlib.figure import Figure; figure = Figure()",
        )


@ANALYSIS.check("trains", "it trains what it says: trains=True asks the trainer for something")
def trains(subject: AnalysisSubject) -> str:
    """An analysis that trains is not run by accident."""
    subject.result()
    if not subject.thing.trains:
        return "it trains nothing"
    if not subject.asked_to_train:
        raise CautionError(
            "it is registered with trains=True, and asks for no training",
            expected="trains=False for what only reads",
            fix="Analysis(..., trains=False), and run(cells, ...)",
        )
    return f"{sum(subject.asked_to_train)} variants in {len(subject.asked_to_train)} calls"


@ANALYSIS.check("kept", "what it finds can be kept as CSV and JSON")
def kept(subject: AnalysisSubject) -> str:
    """As ``harbench analyse`` keeps it; the figures were drawn already."""
    from harbench.execute.analysing import analyse
    from harbench.results import Store

    found = replace(subject.result(), figures={})
    known = replace(subject.thing, run=lambda *given: found)
    with subject.at_work():
        cells = subject.place.cells()
        store = Store(subject.folder / "kept")
        folder = analyse(known, subject.thing.name, cells, {}, lambda wanted: [], store).folder
    return f"{len(tree(folder))} files"


def hashes(folder: Path) -> dict[str, str]:
    """Relative path -> sha256 of every file; locks are no content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and "locks" not in path.parts
    }
