"""What the server of the worker processes loads ahead, and what it must not."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harbench.execute import ready
from harbench.execute.jobs import CellJob, Failed
from harbench.execute.local import ProcessExecutor
from harbench.execute.run import work_of
from harbench.plan import plan

PLUGIN = """
import os
import sys
import harbench

{trouble}

@harbench.hookimpl
def register_models(register):
    pass
"""

# As the server does it: one module after the other, then workers are forked.
SERVER = """
import json, os, sys
from pathlib import Path
from harbench.execute import ready
file = Path("plugin.py")
def found():
    return ready.registry((file,)) is not None
said = {"loaded": found(), "asked": "HARBENCH_WORKERS_LOAD" in os.environ}
said["threads"] = len(os.listdir("/proc/self/task"))
said["others"] = ready.registry(()) is not None
said["origins"] = [str(o) for o in ready.registry((file,)).loaded] if said["loaded"] else []
text = file.read_text()
file.write_text(text + "#")
said["changed"] = found()
file.write_text(text)
os.chdir("/")
file = Path(HERE) / "plugin.py"
said["elsewhere"] = found()
print(json.dumps(said))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")


def served(folder, trouble="") -> dict[str, object]:
    (folder / "plugin.py").write_text(PLUGIN.format(trouble=textwrap.dedent(trouble)))
    code = SERVER.replace("HERE", repr(str(folder)))
    with ready.asked([Path("plugin.py")]):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert "HARBENCH_WORKERS_LOAD" not in os.environ
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_server_has_the_plugins_that_its_workers_will_ask_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = served(tmp_path)
    assert said["loaded"]
    assert any("plugin.py" in origin for origin in said["origins"])
    # Nobody that it starts is asked as well.
    assert not said["asked"]
    # Other files, another content, another folder: whoever asks loads for himself.
    assert (said["others"], said["changed"], said["elsewhere"]) == (False, False, False)


@pytest.mark.parametrize(
    "trouble",
    [
        "import threading; threading.Thread(target=__import__('time').sleep, args=(60,),"
        " daemon=True).start()",
        "kept = open(__file__)",
        # CUDA that was initialised before a fork is of no use after it.
        "sys.modules['torch'] = __import__('types').SimpleNamespace(\n"
        "    cuda=__import__('types').SimpleNamespace(is_initialized=lambda: True))",
    ],
    ids=["thread", "open file", "cuda"],
)
def test_a_plugin_that_cannot_be_forked_is_left_to_the_workers(tmp_path, monkeypatch, trouble):
    monkeypatch.chdir(tmp_path)
    said = served(tmp_path, trouble)
    assert not said["loaded"]
    assert said["threads"] == 1


def test_a_thread_that_goes_is_no_hindrance(tmp_path, monkeypatch):
    """Nor is the one that watches over plugins: the system lists it a little longer than Python."""
    monkeypatch.chdir(tmp_path)
    said = served(
        tmp_path,
        "import threading; threading.Thread(target=lambda: None).start()",
    )
    assert said["loaded"]


def test_a_broken_plugin_is_left_to_the_workers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not served(tmp_path, "1 / 0")["loaded"]


def test_who_was_not_asked_loads_nothing():
    assert ready.registry(()) is None


TALKATIVE = """
import harbench

def talkative(n_channels, n_times, n_classes):
    import torch
    raise ValueError(
        f"initialised {torch.cuda.is_initialized()}, forked {torch.cuda._is_in_bad_fork()}"
    )

@harbench.hookimpl
def register_models(register):
    recipe = harbench.Recipe(epochs=1)
    register(harbench.Model("talkative", "tells", talkative, recipe, harbench.Citation("-")))
"""


def test_workers_find_a_gpu_untouched_and_cells_on_one_run_side_by_side(workplace, monkeypatch):
    """Of --device cuda --jobs 2, what can be seen without one."""
    from toys.workplace import TOY_PLUGIN

    plugin = workplace.folder / "talkative.py"
    plugin.write_text(TALKATIVE)
    files = (TOY_PLUGIN, plugin)
    text = """
    benchmarks:
      toy: {dataset: toy, path: files, protocol: {window: 20, step: 10}, seeds: 2,
            models: [talkative]}
    """
    from harbench.plugins import load_plugins

    planned = [plan(one, load_plugins(files)) for one in workplace.benchmarks(text)]
    work = work_of(planned, workplace.store, device="cpu", plugin_files=files)
    # be_deterministic() and device_named() come before the network is built, on every device.
    failed = [e for e in ProcessExecutor(2).run(work.cells) if isinstance(e, Failed)]
    assert len(failed) == 2
    for event in failed:
        assert "initialised False, forked False" in event.reason
    on_gpu = [CellJob(job.cell, "cuda", files) for job in work.cells]
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has one: its cells would be trained")
    failed = [e for e in ProcessExecutor(2).run(on_gpu) if isinstance(e, Failed)]
    assert [e.job.device for e in failed] == ["cuda"] * 2
    for event in failed:
        assert "this torch sees no CUDA device" in event.reason
