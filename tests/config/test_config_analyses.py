"""``analyses:`` is written as ``models:`` is."""

import pytest

from harbench.config import AnalysisEntry, load
from harbench.config.loading import dump, loads
from harbench.errors import ConfigError

FILE = "benchmarks: {q: {dataset: d, models: [m], analyses: %s}}"
TWO = (
    AnalysisEntry(entry="per-class"),
    AnalysisEntry(entry="few", analysis="ablation", options={"k": (1, 2)}),
)


@pytest.mark.parametrize(
    "written",
    [
        "[per-class, {few: {analysis: ablation, options: {k: [1, 2]}}}]",
        "{per-class: , few: {analysis: ablation, options: {k: [1, 2]}}}",
    ],
)
def test_lists_and_mappings_say_the_same(write, written):
    [benchmark] = load(write(FILE % written)).benchmarks
    assert benchmark.analyses == TWO
    assert loads(dump(benchmark), "text").benchmarks == (benchmark,)


@pytest.mark.parametrize("written", ["", "[]", "{}"])
def test_there_may_be_none(write, written):
    assert load(write(FILE % written)).benchmarks[0].analyses == ()


def test_they_can_be_set_and_be_defaults(write):
    path = write("defaults: {analyses: [per-class]}\n" + FILE % "[few]" + "\n")
    [benchmark] = load(
        path, ["analyses.few.options.k=3", "analyses.few.analysis=ablation"]
    ).benchmarks
    assert benchmark.analyses == (
        AnalysisEntry(entry="few", analysis="ablation", options={"k": 3}),
    )
    other = write("defaults: {analyses: [per-class]}\nbenchmarks: {q: {dataset: d, models: [m]}}")
    assert load(other).benchmarks[0].analyses == (AnalysisEntry(entry="per-class"),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("per-class", "analyses is 'per-class' (expected a list of analysis names, or a mapping"),
        ("[a, a]", "entry 'a' is given twice"),
        ("[{a: {}, b: {}}]", "an analysis's name, or one entry with its settings"),
        ("[{a: {option: {}}}]", "unknown key 'option' in analyses.a; did you mean 'options'"),
        ("['a b']", "'a b' cannot name an entry of analyses"),
        ("[{a: 3}]", "analyses.a is 3"),
    ],
)
def test_mistakes_have_a_sentence(write, written, said):
    with pytest.raises(ConfigError) as caught:
        load(write(FILE % written))
    assert said in str(caught.value)


def test_setting_an_analysis_that_is_not_there(write):
    with pytest.raises(
        ConfigError, match=r"no entry of analyses is called 'fw'; did you mean 'few'"
    ):
        load(write(FILE % "[few]"), ["analyses.fw.options.k=3"])


def test_an_empty_text_is_refused():
    with pytest.raises(ConfigError, match="there is nothing in it"):
        loads("", "text")
