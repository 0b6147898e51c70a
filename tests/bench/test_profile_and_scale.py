"""python -m bench profile and scale: their clocks, their tables, and the pages with them."""

import importlib
import math
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch):
    """The modules of bench, which no installed package has."""
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"bench.{name}")


@pytest.fixture
def clock(bench, monkeypatch):
    """A clock of profiling, and the time that it sees."""
    profiling = bench("profiling")
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(profiling.time, "process_time", lambda: now.time)
    return profiling.Clock(), now


def test_a_part_inside_another_is_taken_off_it(clock):
    found, now = clock

    def inner():
        now.time += 3

    def outer():
        now.time += 1
        found.timed("gather windows", inner)()
        now.time += 1

    found.timed("training, rest", outer)()
    now.time += 5
    with found.part("store"):
        pass
    assert found.seconds == {"training, rest": 2, "gather windows": 3, "rest": 5, "store": 0}


def test_all_that_an_evaluation_does_is_evaluation(clock):
    found, now = clock

    def windows():
        for number in (1, 2):
            now.time += number
            yield number

    gather = found.timed_iterator("gather windows", windows)
    with found.part("evaluate"):
        assert list(gather()) == [1, 2]
    assert list(gather()) == [1, 2]
    assert found.seconds == {"evaluate": 3, "gather windows": 3, "rest": 0}
    with pytest.raises(ZeroDivisionError):
        found.timed("plan", lambda: 1 / 0)()
    assert found.parts == ["rest"]


def test_layers_by_the_names_that_torch_gives(bench):
    layer_of = bench("profiling").layer_of
    names = {
        "convolution": ("aten::conv1d", "ConvolutionBackward0", "_ConvolutionBackward"),
        "batch norm": ("aten::batch_norm", "NativeBatchNormBackward0"),
        "LSTM": ("aten::lstm", "MkldnnRnnLayerBackward0"),
        "matrix product": ("aten::linear", "AddmmBackward0", "MmBackward0", "aten::mm"),
        "other": ("aten::relu", "ReluBackward0", "torch::autograd::AccumulateGrad"),
    }
    for layer, some in names.items():
        assert [layer_of(name) for name in some] == [layer] * len(some)


def test_shares_are_of_the_steps_that_torch_saw(bench):
    import torch
    from torch.profiler import ProfilerActivity, profile, record_function

    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        layer, x = torch.nn.Conv1d(8, 8, 3), torch.randn(8, 8, 64, requires_grad=True)
        with record_function("bench-forward"):
            y = layer(x).relu()
        torch.autograd.backward(y.sum())
    shares = bench("profiling")._shares(profiled.events())
    for way in ("forward", "backward"):
        assert sum(shares[way].values()) == pytest.approx(1)
        assert shares[way]["convolution"] > 0 and shares[way]["other"] > 0
        assert shares[way]["LSTM"] == shares[way]["batch norm"] == 0


def found_by(bench, seconds):
    layers = {layer: float(layer == "LSTM") for layer in bench("profiling").LAYERS}
    return {
        "seconds": {"forward": seconds, "backward": 2 * seconds, "plan": seconds},
        "layers": {"forward": layers, "backward": layers},
        "windows": {"train": 10, "test": 5},
        "epochs": 1,
    }


def test_the_profile_shows_before_and_now(bench):
    page = bench("profile_page")
    now = page.lines_of("deepconvlstm", "now", found_by(bench, 1.0), 0.1)
    before = page.lines_of("deepconvlstm", "before", found_by(bench, 2.0), 0.1)
    assert {line["part"]: line["percent"] for line in now if float(line["cpu_s"])} == {
        "plan": "25.0", "forward: LSTM": "25.0", "backward: LSTM": "50.0",
    }  # fmt: skip
    old = page.lines_of("deepconvlstm", "now", found_by(bench, 9.0), 0.1)
    lines = page.merged(page.merged([], old), before)
    lines = page.merged(lines, now)
    text = page.text_of(lines)
    assert "| **CPU s in all** | 8 → 4 |" in text
    assert "| backward: LSTM | 50.0 → 50.0 |" in text
    assert "| backward: LSTM | 50.0 |" in page.text_of(now)


def test_a_function_is_changed_wherever_it_was_imported_to(bench, monkeypatch):
    from harbench.execute import work
    from harbench.training import loop

    original = loop.evaluate
    monkeypatch.setattr(work, "evaluate", original, raising=False)
    profiling = bench("profiling")
    changed = object()
    profiling._replaced("harbench.training.loop:evaluate", lambda function: changed)
    assert loop.evaluate is work.evaluate is changed
    profiling._replaced("harbench.training.loop:evaluate", lambda function: original)
    assert loop.evaluate is original
    # Another checkout may not have it.
    profiling._replaced("harbench.training.nowhere:at_all", lambda function: changed)


def test_every_part_is_of_a_function_that_is_there(bench):
    profiling = bench("profiling")
    for part, name in profiling.FUNCTIONS:
        module, _, attribute = name.partition(":")
        assert callable(getattr(importlib.import_module(module), attribute)), name
        assert part in profiling.PARTS


@pytest.mark.slow
def test_a_profile_accounts_for_all_of_a_cell(bench, tmp_path):
    bench("opportunity").simulated().simulate(tmp_path / "files", 0.01, 0)
    profiling = bench("profiling")
    seconds = profiling.parts_of(profiling.measured("resnet-like", tmp_path / "files", ROOT))
    for part in ("prepare", "gather windows", "optimiser", "evaluate", "predict", "store"):
        assert seconds[part] > 0
    assert seconds["backward: convolution"] > seconds["backward: LSTM"] == 0


def test_exponents_by_hand(bench):
    exponent = bench("scale_page").exponent
    sizes = [1, 2, 4, 8]
    assert exponent(sizes, [3 * n for n in sizes]) == pytest.approx(1)
    assert exponent(sizes, [n**2 / 7 for n in sizes]) == pytest.approx(2)
    assert exponent(sizes, [5] * 4) == pytest.approx(0)
    assert math.isnan(exponent([1], [1]))
    assert math.isnan(exponent([1, 2], [0, 1]))


def test_what_grows_is_measured_at_each_size_by_turns(bench, monkeypatch, tmp_path):
    page, measuring = bench("scale_page"), bench("measuring")
    (series,) = [s for s in bench("scaling").SERIES if s.name == "planning"]
    asked = []

    def measure(row, side, folder, scale):
        asked.append(row.name)
        amount = float(row.name.rpartition("-")[2])
        return measuring.Cost(amount, amount / 100 * len(asked), 0.0, amount * 1000, None)

    monkeypatch.setattr(page, "measure", measure)
    lines = page.measured(series, tmp_path, 3)
    assert asked == [row.name for row, _ in series.points] * 3
    n = len(series.points)
    # The middle round's.
    assert [float(line["cpu_s"]) for line in lines] == [
        pytest.approx(float(line["amount"]) / 100 * (n + 1 + place), rel=1e-3)
        for place, line in enumerate(lines)
    ]
    assert "| 1.00 | 1,000: " in page.text_of(lines)
    assert page.merged(lines, lines) == lines


def test_a_size_is_measured_in_a_process_of_its_own(bench, tmp_path):
    points = bench("scaling").POINTS
    row = points["scale-cells-10"]
    cost = bench("measuring").measure(row, row.sides[0], tmp_path, 0.01)
    assert cost.amount == 10
    assert cost.cpu > 0


@pytest.mark.parametrize(
    ("module", "file", "page"),
    [("profile_page", "profile.csv", "speed.md"), ("scale_page", "scale.csv", "scale.md")],
)
def test_the_page_has_the_table_of_its_csv(bench, module, file, page):
    table = bench(module)
    lines = bench("kept").read_csv(ROOT / "docs" / file)
    assert lines
    assert bench("kept").text_in(
        (ROOT / "docs" / page).read_text("utf-8"), table.MARK
    ) == table.text_of(lines)


def test_the_committed_tables_are_whole(bench):
    profile = bench("profile_page")
    lines = bench("kept").read_csv(ROOT / "docs" / "profile.csv")
    networks = dict.fromkeys(line["network"] for line in lines)
    assert list(networks) == profile.table1()
    assert {line["state"] for line in lines} == {"before", "now"}
    for network in networks:
        for state in ("before", "now"):
            own = [x for x in lines if (x["network"], x["state"]) == (network, state)]
            assert sum(float(line["percent"]) for line in own) == pytest.approx(100, abs=2)
    grown = bench("kept").read_csv(ROOT / "docs" / "scale.csv")
    assert list(dict.fromkeys(line["series"] for line in grown)) == [
        series.name for series in bench("scaling").SERIES
    ]
