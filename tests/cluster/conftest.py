import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from toys.dask_cluster import dask_cluster
from toys.on_cluster import ClusterPlace


@pytest.fixture
def cluster(request, installed_environment, tmp_path):
    """A scheduler on loopback, without workers; a test may give it variables."""
    environment = {**installed_environment, **getattr(request, "param", {})}
    with dask_cluster(tmp_path / "cluster", environment) as found:
        yield found


@pytest.fixture
def place(workplace, cluster) -> ClusterPlace:
    """A benchmark to be trained on that scheduler's workers."""
    return ClusterPlace(workplace, cluster)
