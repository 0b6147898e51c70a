"""Workers on addresses of their own; the cable of one is pulled, and plugged in again."""

import pytest

from toys.dask_cluster import DaskCluster
from toys.network import Network
from toys.on_cluster import ClusterPlace
from toys.waiting import LIMIT_S, until

pytestmark = pytest.mark.slow

YAML = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 10, patience: 10000}
    seeds: 12
    models: [{slow: {options: {seconds: 0.02}}}]
cluster: {silence: 3, tries: 100}
"""


@pytest.fixture
def network():
    try:
        found = Network(2)
    except OSError as error:
        pytest.skip(f"network namespaces cannot be had here: {error}")
    yield found
    found.close()


def test_a_worker_that_is_cut_off_and_back(network, workplace, installed_environment, tmp_path):
    inside = network.inside(network.hub)
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = DaskCluster(folder, installed_environment, *inside, host="10.213.7.1")
    try:
        for number in range(2):
            cluster.start_worker(
                f"w{number}",
                inside=network.inside(network.name(number)),
                host=network.address(number),
            )
            # Who is not known yet is not missed.
            name = f"w{number}"
            until(lambda name=name: "Registered to:" in cluster.log(name), f"{name} to register")
        workplace.yaml(YAML)
        place = ClusterPlace(workplace, cluster)
        err = workplace.folder / "err"
        client = place.command("run", "benchmarks.yaml", "--out", "there", inside=inside, err=err)

        def said(text):
            assert client.poll() is None or text in err.read_text(), err.read_text()
            return text in err.read_text()

        until(lambda: said("NF "), "the first cell")
        network.cut(1)
        until(lambda: said("worker w1 is not used: no sign of life"), "that it is missed")
        network.mend(1)
        until(lambda: said("worker w1 is back"), "that it is back")
        client.communicate(timeout=LIMIT_S)
        assert client.returncode == 0, err.read_text()
        assert err.read_text().count("NF ") == 12
        verified = place.command("verify", "there", on_cluster=False)
        out, _ = verified.communicate(timeout=LIMIT_S)
        assert verified.returncode == 0, out
    finally:
        cluster.close()
