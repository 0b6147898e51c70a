"""Clusters that run already, on this machine, behind TLS, and as jobs of a queueing system."""

import os
import sys
from pathlib import Path

import pytest

from harbench.cluster import connecting
from harbench.cluster.connecting import connected
from harbench.cluster.sending import Supply
from harbench.config.cluster import ClusterSettings, TlsFiles
from harbench.data.stream import open_stream
from harbench.errors import ClusterError, ConfigError
from toys.certificates import OPENSSL, certificates, dask_environment
from toys.dask_cluster import dask_cluster
from toys.toy_plugin import TOY
from toys.waiting import LIMIT_S, until

with_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl, which signs, is not here")


def is_alive(pid):
    try:
        # A zombie is dead: its parent has not looked yet.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_cluster_of_this_machine_is_reached_from_it_alone_and_ends_with_us():
    with connected(ClusterSettings(address="local:2", threads=3)) as found:
        assert found.address.startswith("tcp://127.0.0.1:")
        assert found.dashboard is None or "//127.0.0.1:" in found.dashboard
        assert not found.come_and_go
        threads = found.client.nthreads()
        assert len(threads) == 2 and set(threads.values()) == {3}
        assert all(address.startswith("tcp://127.0.0.1:") for address in threads)
        pids = found.client.run(os.getpid).values()
        # Every port that scheduler and workers listen at, as the system tells.
        hosts = {host for pid in [*pids, os.getpid()] for host in listening(pid)}
        assert hosts == {"127.0.0.1"}
    until(lambda: not any(map(is_alive, pids)), "the workers to end")


def listening(pid):
    """Addresses at which a process listens."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(entry))
        except OSError:
            continue
    for table, size in (("tcp", 8), ("tcp6", 32)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                address = words[1][:size]
                assert size == 8, address
                yield ".".join(str(b) for b in bytes.fromhex(address)[::-1])


def test_with_gpus_one_worker_has_the_machine():
    with connected(ClusterSettings(address="local", gpu=0.5)) as found:
        [threads] = found.client.nthreads().values()
        assert threads == connecting.usable_processors()


def test_workers_come_and_go_as_there_is_work():
    with connected(ClusterSettings(address="local", workers=(0, 2))) as found:
        assert found.come_and_go
        found.want(5)
        until(lambda: len(found.client.nthreads()) == 2, "two workers")
        found.want(0)
        until(lambda: len(found.client.nthreads()) == 0, "all of them to go")


def test_where_nobody_answers(monkeypatch):
    monkeypatch.setattr(connecting, "_ANSWER_S", 0.5)
    with (
        pytest.raises(ClusterError, match="no scheduler of Dask answers at tcp:") as e,
        connected(ClusterSettings(address="tcp://127.0.0.1:9")),
    ):
        pass
    assert e.value.exit_code == 2 and "dask scheduler" in e.value.fix


@pytest.mark.parametrize(
    ("module", "settings", "package"),
    [
        ("distributed", {"address": "tcp://127.0.0.1:9"}, "harbench[cluster]"),
        ("dask_jobqueue", {"jobqueue": "slurm", "workers": 1}, "dask-jobqueue"),
    ],
)
def test_what_is_not_installed_is_said_with_the_command(monkeypatch, module, settings, package):
    monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(ClusterError, match="is not installed") as e,
        connected(ClusterSettings(**settings)),
    ):
        pass
    assert e.value.fix == f"pip install '{package}'"


@pytest.fixture
def tls(tmp_path):
    return certificates(tmp_path / "tls")


@with_openssl
def test_certificates_are_passed_through(tls, installed_environment, workplace, tmp_path):
    environment = {**installed_environment, **dask_environment(tls)}
    digest = open_stream(TOY, workplace.folder / "files").digest
    with dask_cluster(tmp_path / "cluster", environment) as cluster:
        assert cluster.address.startswith("tls://")
        settings = ClusterSettings(address=cluster.address, tls=TlsFiles(**tls))
        with connected(settings) as found:
            for name in "ab":
                cluster.start_worker(name)
            until(lambda: len(found.client.nthreads()) == 2, "two workers")
            # Data goes from worker to worker behind the same certificates.
            supply = Supply(found.client)
            coming = [supply.deliver("toy", digest, w) for w in found.client.nthreads()]
            how = sorted(arrival.result(LIMIT_S).how for arrival in coming)
            assert how == ["client", "worker"]


@with_openssl
def test_certificates_of_others_are_refused(tls, installed_environment, tmp_path, monkeypatch):
    monkeypatch.setattr(connecting, "_ANSWER_S", 1.0)
    others = certificates(tmp_path / "others")
    environment = {**installed_environment, **dask_environment(tls)}
    with dask_cluster(tmp_path / "cluster", environment) as cluster:
        for settings in (
            ClusterSettings(address=cluster.address, tls=TlsFiles(**others)),
            ClusterSettings(address=cluster.address.replace("tls://", "tcp://")),
        ):
            with pytest.raises(ClusterError, match="no scheduler"), connected(settings):
                pass


def test_a_certificate_that_is_not_there(tmp_path):
    files = TlsFiles(ca_file=tmp_path / "no", cert=tmp_path / "no", key=tmp_path / "no")
    with (
        pytest.raises(ConfigError, match="cannot be read") as e,
        connected(ClusterSettings(address="tls://127.0.0.1:9", tls=files)),
    ):
        pass
    assert e.value.where == "cluster.tls.ca_file"


SBATCH = """#!/bin/bash
# Runs a job here and now, as a queue with room would.
cp "$1" {folder}/job-$$.sh
setsid bash {folder}/job-$$.sh > {folder}/job-$$.log 2>&1 &
echo $! > {folder}/pid-$$
echo "Submitted batch job $$"
"""
SCANCEL = """#!/bin/bash
for job in "$@"; do kill -- -$(cat {folder}/pid-$job); rm {folder}/pid-$job; done
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch, installed_environment):
    """A queue of this machine behind Slurm's commands; the folder of its jobs."""
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    folder, programs = tmp_path / "jobs", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (programs / name).write_text(text.format(folder=folder))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    if paths := installed_environment.get("PYTHONPATH"):
        monkeypatch.setenv("PYTHONPATH", paths)
    yield folder
    assert not list(folder.glob("pid-*")), "a job was left in the queue"


def options(folder, **more):
    return {
        "cores": 2,
        "memory": "1GB",
        "queue": "gpu",
        "walltime": "00:20:00",
        "job_extra_directives": ["--gres=gpu:1"],
        "worker_extra_args": ["--host", "127.0.0.1"],
        "local_directory": str(folder),
        "scheduler_options": {"host": "127.0.0.1"},
        **more,
    }


def test_workers_are_jobs_with_the_options_passed_through(slurm):
    settings = ClusterSettings(jobqueue="slurm", workers=2, options=options(slurm))
    with connected(settings) as found:
        assert found.come_and_go and found.address.startswith("tcp://127.0.0.1:")
        until(lambda: len(found.client.nthreads()) == 2, "two jobs")
        assert set(found.client.nthreads().values()) == {2}
        jobs = [path.read_text() for path in slurm.glob("job-*.sh")]
    assert len(jobs) == 2
    for line in ("#SBATCH -p gpu", "#SBATCH -t 00:20:00", "#SBATCH --gres=gpu:1"):
        assert all(line in job.splitlines() for job in jobs)


def test_jobs_come_and_go_as_there_is_work(slurm):
    settings = ClusterSettings(jobqueue="slurm", workers=(0, 2), options=options(slurm))
    with connected(settings) as found:
        # Two cells side by side fit one job of two threads.
        found.want(2)
        until(lambda: len(found.client.nthreads()) == 1, "a job")
        found.want(0)
        until(lambda: not found.client.nthreads(), "no job")


def test_options_that_the_class_refuses(slurm):
    settings = ClusterSettings(jobqueue="slurm", workers=1, options=options(slurm, coers=3))
    with (
        pytest.raises(ConfigError, match=r"SLURMCluster refuses these options: .*coers") as e,
        connected(settings),
    ):
        pass
    assert e.value.where == "cluster.options"


def test_no_scheduler_of_ours_listens_to_everybody(slurm):
    given = options(slurm)
    del given["scheduler_options"]
    settings = ClusterSettings(jobqueue="slurm", workers=1, options=given)
    with pytest.raises(ConfigError, match="on which network") as e, connected(settings):
        pass
    assert "interface" in e.value.expected
