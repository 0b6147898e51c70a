"""No test sample of any first-party dataset reaches the weights of a network trained on it."""

import pytest
import real_data

from harbench.data.audit import audit_fold
from harbench.data.gap_runs import gap_runs
from harbench.data.stream import open_stream
from harbench.nouns import BlockSplit, LeaveOneOutSplit, Model, Protocol, Recipe
from harbench_datasets.actrectut import ACTRECTUT, ACTRECTUT_WALK
from harbench_datasets.hapt import HAPT
from harbench_datasets.opportunity import SIMULATED
from harbench_datasets.spar import SPAR
from toys import toy_plugin
from toys.probe import Probe, disturbances

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Model("small", "", toy_plugin.small, toy_plugin.RECIPE, toy_plugin.TOY.citation)


def simulated(folder):
    SIMULATED.simulate(folder, 0.004, 0)
    return folder


CASES = [
    pytest.param(SPAR, lambda folder: None, Protocol(split="subjects"), id="spar"),
    pytest.param(
        ACTRECTUT,
        lambda folder: real_data.actrectut(),
        Protocol(split=LeaveOneOutSplit(validation=0)),
        id="actrectut",
    ),
    pytest.param(
        ACTRECTUT_WALK,
        lambda folder: real_data.actrectut(),
        Protocol(split=LeaveOneOutSplit(validation=0)),
        id="actrectut-walk",
    ),
    # Here parts share recordings.
    pytest.param(
        SIMULATED,
        simulated,
        Protocol(split=BlockSplit(blocks=6, ratio=(2, 1, 1)), fill="linear"),
        id="opportunity-blocks",
    ),
    pytest.param(SIMULATED, simulated, Protocol(split="paper", fill="linear"), id="opportunity"),
    pytest.param(
        HAPT, real_data.unpacked_hapt, Protocol(split="official"), id="hapt", marks=pytest.mark.slow
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "place", "protocol"), CASES)
def test_no_test_sample_reaches_the_weights(dataset, place, protocol, tmp_path, monkeypatch):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    stream = open_stream(dataset, place(tmp_path / "files"))
    length = round(dataset.rate_hz)
    # Few windows: what may leak does not depend on how many there are.
    step = max(length // 2, len(stream.signals) // 400)
    probe = Probe(SMALL, dataset, protocol, length, step, Recipe(epochs=1))
    found = audit_fold(
        probe.fold(stream),
        stream,
        protocol,
        length=length,
        channels=range(len(dataset.channels)),
        null=dataset.task(None).null,
        runs=lambda: gap_runs(stream),
    )
    assert not found.leaks
    weights, _ = probe.train(stream)
    for what, other in disturbances(probe, stream).items():
        assert probe.train(other)[0] == weights, what
