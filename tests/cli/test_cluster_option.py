"""``--cluster`` and the ``cluster:`` block: what is refused before anything is started, what it
says without the extra, and that nothing else knows of it."""

import json
import os
import signal
import subprocess
import sys

import pytest

from toys.toy_plugin import write_toy_files
from toys.workplace import TOY_PLUGIN, hear_interrupts

REST = """
benchmarks:
  toy:
    dataset: toy
    path: files
    protocol: {window: 20, step: 10}
    recipe: {epochs: 2}
    seeds: 2
    models: [small]
"""
BLOCKED = """
import sys
for name in ("distributed", "dask", "dask_jobqueue"):
    sys.modules[name] = None
from harbench.cli import main
main()
"""


@pytest.fixture
def here(cli, tmp_path):
    """A folder with toy files, and a file of benchmarks without a block."""
    write_toy_files(tmp_path / "files")
    (tmp_path / "b.yaml").write_text(REST)
    return tmp_path


def run(cli, *words):
    return cli("--plugin", TOY_PLUGIN, "run", "b.yaml", *words)


@pytest.mark.parametrize("command", [("run", "b.yaml"), ("ablate",), ("analyse", "ablation")])
def test_an_address_that_is_none_is_refused_by_every_command(cli, here, command):
    ended = cli("--plugin", TOY_PLUGIN, *command, "--cluster", "host:8786")
    assert ended.code == 2 and "--cluster: 'host:8786' is no address of a cluster" in ended.err
    assert not (here / "results").exists()


@pytest.mark.parametrize("block", [False, True])
def test_jobs_are_not_for_clusters(cli, here, block):
    if block:
        (here / "b.yaml").write_text(f"cluster: {{address: 'tcp://127.0.0.1:9'}}\n{REST}")
    ended = run(cli, "--jobs", "2", *(() if block else ("--cluster", "tcp://127.0.0.1:9")))
    assert ended.code == 2 and ended.err.startswith(
        "error: --jobs: how many cells run side by side"
    )
    assert "--cluster none" in ended.err


def test_a_share_of_a_gpu_is_not_for_the_cpu(cli, here):
    (here / "b.yaml").write_text(f"cluster: {{address: local, gpu: 0.5}}\n{REST}")
    ended = run(cli)
    assert ended.code == 2 and "cluster.gpu: a cell takes 0.5 of a GPU" in ended.err


def test_a_plan_needs_no_cluster(cli, here):
    (here / "b.yaml").write_text(f"cluster: {{address: 'tcp://127.0.0.1:9'}}\n{REST}")
    ended = run(cli, "--dry-run")
    assert ended.code == 0 and "small" in ended.out


def test_none_leaves_the_block_aside_and_a_block_without_a_place_waits(cli, here, quick_latency):
    (here / "b.yaml").write_text(f"cluster: {{address: 'tcp://127.0.0.1:9'}}\n{REST}")
    assert run(cli, "--cluster", "none", "--jobs", "0").code == 0
    (here / "b.yaml").write_text(f"cluster: {{threads: 2}}\n{REST}")
    ended = run(cli, "--jobs", "0")
    assert ended.code == 0 and "2 cells were in results/ already" in ended.err


def test_where_nobody_answers_it_is_told_before_anything_is_measured(cli, here, monkeypatch):
    connecting = pytest.importorskip("harbench.cluster.connecting")
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr(connecting, "_ANSWER_S", 0.5)
    ended = run(cli, "--cluster", "tcp://127.0.0.1:9")
    assert ended.code == 2
    assert "--cluster: no scheduler of Dask answers at tcp://127.0.0.1:9" in ended.err
    assert "Traceback" not in ended.err
    assert not list((here / "results" / "costs").glob("*"))


def test_without_the_extra_it_says_what_to_install(child, here):
    words = ("--plugin", TOY_PLUGIN, "run", "b.yaml")
    ended = child(*words, "--cluster", "local", code=BLOCKED)
    assert ended.returncode == 2
    assert "a cluster needs distributed, which is not installed" in ended.stderr
    assert "try: pip install 'harbench[cluster]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_extra_nothing_else_changes(child, here):
    words = ("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0", "--json")
    ended = child(*words, code=BLOCKED)
    assert ended.returncode == 0, ended.stderr
    [table] = json.loads(ended.stdout)
    assert not table["failed"]


WATCH = """
import sys
from harbench.cli import main
try:
    main()
finally:
    print("IMPORTED", sorted({"dask", "distributed"} & set(sys.modules)), file=sys.stderr)
"""


def test_a_run_on_this_machine_imports_no_dask(child, here):
    words = ("--plugin", TOY_PLUGIN, "run", "b.yaml", "--jobs", "0")
    assert child(*words, code=WATCH).stderr.splitlines()[-1] == "IMPORTED []"


@pytest.mark.slow
def test_the_same_records_as_on_this_machine(child, here):
    """One command for both; what it prints and stores differs in nothing but times."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    words = ("--plugin", TOY_PLUGIN, "run", "b.yaml")
    ours = child(*words, "--jobs", "1", "--out", "ours")
    theirs = child(*words, "--cluster", "local:2", "--out", "theirs")
    assert (ours.returncode, theirs.returncode) == (0, 0), theirs.stderr
    assert "cluster: scheduler tcp://127.0.0.1:" in theirs.stderr
    records = {
        folder: {p.parent.name: p.read_bytes() for p in (here / folder).rglob("record.json")}
        for folder in ("ours", "theirs")
    }
    assert len(records["ours"]) == 2 and records["ours"] == records["theirs"]
    verified = subprocess.run(
        [sys.executable, "-c", "from harbench.cli import main; main()", "verify", "theirs"],
        cwd=here, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.slow
def test_ctrl_c_stops_a_cluster_of_this_machine_without_a_word_of_dask(installed_environment, here):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    (here / "b.yaml").write_text(REST.replace("epochs: 2", "epochs: 1000000"))
    process = subprocess.Popen(
        [sys.executable, "-c", "from harbench.cli import main; main()", "--plugin",
         str(TOY_PLUGIN), "run", "b.yaml", "--cluster", "local:2"],
        cwd=here, env={**installed_environment, "HARBENCH_CACHE": str(here / "cache")},
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=hear_interrupts, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    try:
        while "cost of small" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        # To all of its group, as a terminal does.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130, said + err
    assert "stopped; 0 of 2 cells are kept in results/" in err
    assert "Traceback" not in said + err and "distributed" not in said + err
