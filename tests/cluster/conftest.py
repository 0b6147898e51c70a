import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from toys.dask_cluster import dask_cluster
from toys.on_cluster import ClusterPlace


@pytest.fixture
def cluster(installed_environment, tmp_path):
    """A scheduler on loopback, without workers."""
    with dask_cluster(tmp_path / "cluster", installed_environment) as found:
        yield found


@pytest.fixture
def place(workplace, cluster) -> ClusterPlace:
    """A benchmark to be trained on that scheduler's workers."""
    return ClusterPlace(workplace, cluster)
