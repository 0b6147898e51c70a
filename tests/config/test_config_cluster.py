"""The ``cluster:`` block: what it may say, and what is said of mistakes in it."""

from pathlib import Path

import pytest

from harbench.config import load
from harbench.config.cluster import ClusterSettings, at_address
from harbench.errors import ConfigError

REST = "\nbenchmarks: {q: {dataset: d, models: [m]}}\n"


def block(write, text, *overrides):
    return load(write(f"cluster: {text}{REST}"), overrides).cluster


def test_a_file_without_a_block_has_none(write):
    assert load(write(REST)).cluster is None
    assert block(write, "") is None


def test_every_key(write, here):
    found = block(
        write,
        "{jobqueue: slurm, workers: [2, 40], threads: 2, gpu: 0.25, memory: 4 GB, shared: data,"
        " tries: 2, silence: 9.5, tls: {ca_file: ca.pem, cert: /c/cert.pem, key: k.pem},"
        " options: {queue: gpu, walltime: '04:00:00', job_extra_directives: ['--gres=gpu:1']}}",
    )
    assert found.jobqueue == "SLURMCluster" and found.address is None and found.says_where
    assert found.options == {
        "queue": "gpu",
        "walltime": "04:00:00",
        "job_extra_directives": ["--gres=gpu:1"],
    }
    assert found.workers == (2, 40) and found.memory_bytes == 4 * 10**9
    # Paths count from the file.
    assert found.shared == here / "data"
    assert found.tls.ca_file == here / "ca.pem" and found.tls.cert == Path("/c/cert.pem")


@pytest.mark.parametrize(
    ("address", "local", "number"),
    [
        ("tcp://host.lab:8786", False, None),
        ("tcp://192.168.0.7:1", False, None),
        ("tcp://[fe80::1]:8786", False, None),
        ("local", True, None),
        ("local:12", True, 12),
    ],
)
def test_addresses(write, address, local, number):
    found = block(write, f"{{address: '{address}'}}")
    assert (found.address, found.is_local, found.local_workers) == (address, local, number)


def test_a_block_is_no_part_of_the_benchmarks(write):
    with_block = load(write(f"cluster: {{address: local, gpu: 1}}{REST}"))
    assert with_block.benchmarks == load(write(REST)).benchmarks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "3",
            "b.yaml:1:10: cluster is 3 (expected a mapping, such as {address: local})",
        ),
        (
            "{adress: local}",
            "b.yaml:1:11: unknown key 'adress' in cluster; did you mean 'address'? (expected one "
            "of address, jobqueue, options, workers, tls, threads, gpu, memory, shared, tries, "
            "silence)",
        ),
        (
            "{address: 'host:8786'}",
            "b.yaml:1:20: cluster.address: 'host:8786' is no address of a cluster; did you mean "
            "'tcp://host:8786'? (expected tcp://HOST:PORT, tls://HOST:PORT, local or local:N)",
        ),
        (
            "{address: 'local:0'}",
            "b.yaml:1:20: cluster.address: 'local:0' is no address of a cluster "
            "(expected tcp://HOST:PORT, tls://HOST:PORT, local or local:N)",
        ),
        (
            "{jobqueue: slumr}",
            "b.yaml:1:21: cluster.jobqueue: 'slumr' is no queueing system; did you mean 'slurm'? "
            "(expected one of slurm, pbs, lsf, sge, oar, moab, htcondor)",
        ),
        ("{threads: 0}", "b.yaml:1:20: cluster.threads is 0 (expected at least 1)"),
        ("{threads: two}", "b.yaml:1:20: cluster.threads is 'two' (expected a whole number)"),
        (
            "{gpu: 1.5}",
            "b.yaml:1:16: cluster.gpu: 1.5 GPUs cannot be had (expected a share, or whole ones)",
        ),
        (
            "{memory: '4'}",
            "b.yaml:1:19: cluster.memory: '4' is no size (expected such as 500MB, 4GB or 16GiB)",
        ),
        ("{memory: 4}", 'b.yaml:1:19: cluster.memory is 4 (expected a text, in quotes: "4")'),
        ("{tls: {cert: a, key: b}}", "b.yaml:1:11: cluster.tls lacks 'ca_file'"),
        (
            "{address: local, jobqueue: pbs}",
            "b.yaml:1:10: cluster: address and jobqueue exclude each other",
        ),
        (
            "{options: {queue: a}}",
            "b.yaml:1:10: cluster: options are those of a jobqueue, and there is none",
        ),
        (
            "{address: 'tcp://a:1', workers: 3}",
            "b.yaml:1:10: cluster: workers cannot be asked for at 'tcp://a:1': its workers are its "
            "own",
        ),
        (
            "{address: 'local:2', workers: 3}",
            "b.yaml:1:10: cluster: workers cannot be asked for at 'local:2': local:N says the "
            "number",
        ),
        (
            "{jobqueue: sge}",
            "b.yaml:1:10: cluster: jobqueue lacks workers: how many are asked for",
        ),
        (
            "{address: 'local:2', gpu: 1}",
            "b.yaml:1:10: cluster: with gpu each worker of local:N would count every GPU as its "
            "own (expected local)",
        ),
        (
            "{jobqueue: sge, workers: [5, 2]}",
            "b.yaml:1:10: cluster: workers: at least is more than at most",
        ),
        (
            "{address: 'tls://a:1'}",
            "b.yaml:1:10: cluster: tls:// needs certificates (expected tls: {ca_file, cert, key})",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(refused, text, said):
    assert refused(f"cluster: {text}{REST}") == [said]


def test_a_mistake_in_the_block_is_told_beside_others(refused):
    lines = refused("cluster: {tries: 0}\nbenchmarks: {q: {dataset: d, models: [m], seeds: 0}}\n")
    assert [line.split(":")[1] for line in lines] == ["1", "2"]


def test_set_changes_the_block_and_makes_one(write, here, refused):
    assert block(write, "{address: local}", "cluster.threads=3").threads == 3
    assert load(write(REST), ["cluster.address=local:2"]).cluster.local_workers == 2
    assert (
        load(write(REST), ["cluster={jobqueue: sge, workers: 1}"]).cluster.jobqueue == "SGECluster"
    )
    assert block(write, "{address: local}", "cluster.shared=x").shared == here / "x"
    [line] = refused(f"cluster: {{}}{REST}", "cluster.thread=3")
    assert line.startswith("--set cluster.thread=3: unknown key 'thread' in cluster")


def test_the_command_line_says_another_place(write):
    assert at_address("local:2") == ClusterSettings(address="local:2")
    slurm = block(
        write, "{jobqueue: slurm, workers: 9, threads: 2, options: {queue: a}, silence: 5}"
    )
    assert at_address("tcp://a:1", slurm) == ClusterSettings(
        address="tcp://a:1", threads=2, silence=5
    )
    how = block(write, "{threads: 4, workers: [1, 2]}")
    assert not how.says_where
    assert at_address("local", how) == ClusterSettings(address="local", threads=4, workers=(1, 2))
    assert at_address("none", slurm) is None


def test_certificates_stay_with_tls(write):
    kept = block(write, "{address: 'tls://a:1', tls: {ca_file: a, cert: b, key: c}}")
    assert at_address("tls://b:2", kept).tls == kept.tls
    assert at_address("tcp://b:2", kept).tls is None


@pytest.mark.parametrize("address", ["host:8786", "http://a:1", "tls://a:1", "", "tcp://a:99999"])
def test_the_command_line_is_refused_by_its_name(address):
    with pytest.raises(ConfigError) as caught:
        at_address(address)
    assert caught.value.where == "--cluster" and "expected" in str(caught.value)
