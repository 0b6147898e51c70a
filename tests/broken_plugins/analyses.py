"""Analyses that are each broken in one way. The rest of each is in order."""

import itertools
from pathlib import Path

import harbench

ANALYSES = []
_calls = itertools.count()


def analysis(name, summary="counts", **facts):
    """Register the function under a name."""

    def add(run):
        ANALYSES.append(harbench.Analysis(name, summary, run, **facts))
        return run

    return add


def counted(cells):
    import pandas as pd

    return pd.DataFrame(
        {
            "row": [cell.row for cell in cells],
            "windows": [cell.record["windows"]["test"] for cell in cells],
        }
    )


def drawn():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot([1, 2])
    return figure


@analysis("sound-count")
def sound(cells, *, unit="windows"):
    """Nothing is wrong."""
    tables = {"cells": counted(cells)}
    return harbench.AnalysisResult(tables, ("All is counted.",), {"cells": drawn()})


@analysis("sound-trains", trains=True)
def sound_trains(cells, train, *, channels=("ACC 1",)):
    """Nothing is wrong, and it trains."""
    from harbench.nouns import Variant

    [[made]] = train([Variant(cells[0], {"channels": tuple(channels)})])
    return harbench.AnalysisResult({"cells": counted([made])})


@analysis("breaks")
def breaks(cells):
    """Looks for what no record has."""
    return cells[0].record["no such thing"]


@analysis("refuses")
def refuses(cells):
    """Wants more seeds than anybody trains."""
    raise harbench.HarbenchError("it needs 30 seeds", fix="seeds: 30")


@analysis("returns-a-table")
def returns_a_table(cells):
    """A DataFrame alone."""
    return counted(cells)


@analysis("no-table")
def no_table(cells):
    """Says all in notes."""
    return harbench.AnalysisResult({}, ("All is well.",))


@analysis("empty-table")
def empty_table(cells):
    """A table without rows."""
    return harbench.AnalysisResult({"cells": counted(cells)[:0]})


@analysis("columns-alike")
def columns_alike(cells):
    """Two columns of one name."""
    table = counted(cells)
    table.columns = ["windows", "windows"]
    return harbench.AnalysisResult({"cells": table})


@analysis("random-table")
def random_table(cells):
    """Other numbers each time."""
    import numpy as np

    table = counted(cells)
    table["noise"] = np.random.default_rng().normal(size=len(table))
    return harbench.AnalysisResult({"cells": table})


@analysis("random-figure")
def random_figure(cells):
    """Another drawing each time."""
    figure = drawn()
    figure.axes[0].set_title(f"call {next(_calls)}")
    return harbench.AnalysisResult({"cells": counted(cells)}, (), {"cells": figure})


@analysis("path-as-name")
def path_as_name(cells):
    """A figure whose name leads elsewhere."""
    return harbench.AnalysisResult({"cells": counted(cells)}, (), {"../cells": drawn()})


@analysis("two-words-as-name")
def two_words_as_name(cells):
    """A figure whose name no shell takes as it stands."""
    return harbench.AnalysisResult({"cells": counted(cells)}, (), {"all cells": drawn()})


@analysis("note-of-letters")
def note_of_letters(cells):
    """Forgot the comma: a text, not a tuple of texts."""
    return harbench.AnalysisResult({"cells": counted(cells)}, ("All is counted."))


@analysis("changes-the-store")
def changes_the_store(cells):
    """Corrects a record."""
    path = Path(cells[0].folder) / "record.json"
    path.write_text(path.read_text() + "\n")
    return harbench.AnalysisResult({"cells": counted(cells)})


@analysis("adds-to-the-store")
def adds_to_the_store(cells):
    """Keeps its own copy beside the cell."""
    (Path(cells[0].folder) / "mine.txt").write_text("seen")
    return harbench.AnalysisResult({"cells": counted(cells)})


@analysis("sets-threads")
def sets_threads(cells):
    """Leaves torch with other settings."""
    import torch

    torch.set_num_threads(torch.get_num_threads() + 1)
    return harbench.AnalysisResult({"cells": counted(cells)})


@analysis("leaves-figures")
def leaves_figures(cells):
    """Draws with pyplot and closes nothing."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([1, 2])
    return harbench.AnalysisResult({"cells": counted(cells)}, (), {"cells": figure})


@analysis("trains-nothing", trains=True)
def trains_nothing(cells, train):
    """Says that it trains."""
    return harbench.AnalysisResult({"cells": counted(cells)})


@analysis("no-default-of-analysis")
def no_default(cells, threshold):
    """An option without a default."""
    return harbench.AnalysisResult({"cells": counted(cells)})


@analysis("summary-of-two-lines", summary="counts\ncells")
def summary_of_two_lines(cells):
    """Two lines where a list has one."""
    return harbench.AnalysisResult({"cells": counted(cells)})


@harbench.hookimpl
def register_analyses(register):
    for each in ANALYSES:
        register(each)
