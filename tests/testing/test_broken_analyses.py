"""Each broken analysis fails the check that is meant for it, and no other."""

import pytest
from test_broken_models import PLUGINS, assert_found, report

from harbench.plugins import load_plugins

pytestmark = pytest.mark.usefixtures("one_thread")

# analysis -> check that must fail -> what it must say. Checks with "~" must warn.
ANALYSES = {
    "sound-count": {},
    "sound-trains": {},
    "breaks": {"runs": "it raises KeyError: 'no such thing'"},
    "refuses": {"runs": "it refuses two ordinary cells: it needs 30 seeds"},
    "returns-a-table": {"runs": "it returns DataFrame"},
    "no-table": {"tables": "it has no table"},
    "empty-table": {"tables": "table 'cells' is empty"},
    "columns-alike": {"tables": r"has the columns \['windows', 'windows'\]"},
    "random-table": {"same-again": "run again, table 'cells' has other values"},
    "random-figure": {"same-again": "run again, figure 'cells' is drawn otherwise"},
    "path-as-name": {"runs": r"a figure's name is no plain file name: '\.\./cells'"},
    "two-words-as-name": {"figures": "a figure is called 'all cells'"},
    "note-of-letters": {"notes": "its notes are 'All is counted.'"},
    "changes-the-store": {"store-unchanged": r"it changes cells/.*/record.json in the results"},
    "adds-to-the-store": {"store-unchanged": "it writes cells/.*/mine.txt into the results"},
    "sets-threads": {"global-state": r"it changes torch.set_num_threads\(\d -> \d\)"},
    "leaves-figures": {"~global-state": "it leaves figures of matplotlib.pyplot open"},
    "trains-nothing": {"~trains": "registered with trains=True, and asks for no training"},
    "no-default-of-analysis": {
        "options": "option 'threshold' of the analysis has no default",
        "runs": "it raises TypeError",
    },
    "summary-of-two-lines": {"metadata": "summary has 2 lines"},
}

SKIPPED = {
    "sound-trains": {"global-state"},
    "trains-nothing": {"global-state"},
    **dict.fromkeys(
        ("breaks", "refuses", "returns-a-table", "path-as-name", "no-default-of-analysis"), "all"
    ),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_a_broken_analysis(name):
    results = report("analyses.py", "analysis", name)
    assert len(results) == 14
    assert_found(results, ANALYSES[name], SKIPPED.get(name, ()))


def test_every_broken_analysis_is_tried():
    names = [analysis.name for analysis in load_plugins([PLUGINS / "analyses.py"]).analyses]
    assert set(ANALYSES) <= set(names)
