"""Nothing is unpickled that is not pinned, no YAML builds an object, no name leads anywhere."""

from __future__ import annotations

import ast
import pickle
import re
import shutil
from pathlib import Path

import pytest

import harbench_datasets.spar as spar
from harbench import Source, SourceFile
from harbench.config import load
from harbench.data.folders import dataset_folder
from harbench.errors import ConfigError, DataError
from harbench.nouns import Member
from harbench.nouns.names import is_name
from harbench.plugins import load_plugins

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    p
    for room in ("harbench", "plugins", "examples")
    for p in ROOT.glob(f"{room}/**/*.py")
    if "tests" not in p.parts[len(ROOT.parts) :]
)

# Modules that run what a file says.
UNPICKLERS = {"cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def called(tree):
    """(name of what is called, names of its keyword arguments) of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_only_spar_unpickles_and_only_what_it_has_hashed():
    assert len(SOURCES) > 100
    allowed, loads = [], []
    for path in SOURCES:
        tree = ast.parse(path.read_bytes())
        assert not UNPICKLERS.intersection(imported(tree)), path
        for function, keywords in called(tree):
            assert function not in ("eval", "exec", "torch.load", "yaml.load"), path
            assert not function.endswith((".read_pickle", ".loadmat", "unsafe_load")), path
            if function in ("pickle.load", "pickle.loads", "pickle.Unpickler"):
                loads.append((path.name, function))
            # NumPy's default is False.
            if keywords.get("allow_pickle", "False") != "False":
                allowed.append((path.name, function, keywords["allow_pickle"]))
    assert allowed == [("spar.py", "np.load", "True")]
    # Of bytes that harbench has just made itself: in memory, or in its own other process, over a
    # pipe that nobody else holds. Or of what Dask has carried between a client and its workers: who
    # reaches a Dask cluster can have it run anything without a pickle of ours (docs/cluster.md).
    assert set(loads) == {
        ("estimator_checks.py", "pickle.loads"),
        ("foreman.py", "pickle.loads"),
        ("reader_process.py", "pickle.load"),
        ("reader_process.py", "pickle.loads"),
        ("running.py", "pickle.loads"),
        ("side_by_side.py", "pickle.load"),
        ("worker.py", "pickle.loads"),
    }


class Exploit:
    def __reduce__(self):
        return (Path.write_text, (Path("exploited"), "x"))


def test_a_pickle_of_other_bytes_is_refused_before_it_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / spar.FILE
    path.write_bytes(pickle.dumps(Exploit()))
    with pytest.raises(DataError, match="it is a pickle and is not opened"):
        list(spar.read(Source("watch", (SourceFile(path, None),))))
    assert not (tmp_path / "exploited").exists()
    pickle.loads(path.read_bytes())
    assert (tmp_path / "exploited").exists()  # it would have been


@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_spar_with_one_other_byte_is_refused(tmp_path, monkeypatch, where):
    (source,) = spar.sources(tmp_path)
    path = tmp_path / spar.FILE
    shutil.copyfile(source.files[0].path, path)
    with path.open("r+b") as file:
        at = int(where * (path.stat().st_size - 1))
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    monkeypatch.setattr(spar.np, "load", lambda *a, **k: pytest.fail("unpickled"))
    with pytest.raises(DataError, match="not the file that seglearn"):
        list(spar.read(Source("watch", (SourceFile(path, None),))))


OBJECTS = [
    "!!python/object/apply:os.system ['touch exploited']",
    "!!python/object/new:os.system ['touch exploited']",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/tuple [1]",
    "!!timestamp 2001-12-14",
    "!!binary aGk=",
    "!!set {a, b}",
]


@pytest.mark.parametrize("value", OBJECTS)
def test_no_tag_builds_an_object(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    path = Path("b.yaml")
    path.write_text(f"benchmarks:\n  q:\n    dataset: d\n    title: {value}\n    models: [m]\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert re.match(r"b\.yaml:4:12: tag '.*' is not read", str(caught.value))
    assert not Path("exploited").exists()


HOSTILE = [
    "", ".", "..", "../../x", "/etc", "/etc/passwd", "a/b", "a\\b", "C:x", "~", "~root", "-rf",
    ".hidden",
    "a\0b", "a\nb", "a\n", "\x1b[2J", "a b", " a", "a ", "x" * 101, "x" * 5000, "é", "a\u202eb",
    "%00", "$HOME",
    "a=b", "a*", "a?", "a;b", "'a'", '"a"',
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name)[:20])
def test_a_name_is_a_plain_file_name_wherever_it_comes_from(tmp_path, monkeypatch, name):
    assert not is_name(name)
    with pytest.raises(ConfigError):
        dataset_folder(name)
    monkeypatch.chdir(tmp_path)
    quoted = '"' + "".join(f"\\U{ord(c):08x}" for c in name) + '"'
    for text in (
        f"benchmarks: {{{quoted}: {{dataset: d, models: [m]}}}}",
        f"benchmarks: {{q: {{dataset: d, models: [{quoted}]}}}}",
        f"benchmarks: {{q: {{dataset: d, models: {{{quoted}: {{model: m}}}}}}}}",
        f"benchmarks: {{q: {{dataset: d, models: [m], analyses: [{quoted}]}}}}",
        f"benchmarks: {{q: {{dataset: d, models: [m], analyses: {{{quoted}: {{analysis: a}}}}}}}}",
    ):
        Path("b.yaml").write_text(text)
        with pytest.raises(ConfigError, match=r"b\.yaml:1:\d+: .*(cannot name|not YAML)") as caught:
            load(Path("b.yaml"))
        assert str(caught.value).isprintable()


NAMED = """
import harbench
def build(n_channels, n_times, n_classes): raise AssertionError
@harbench.hookimpl
def register_models(register):
    register(harbench.Model(name={name!r}, summary="", build=build, recipe=harbench.Recipe(),
                            citation=harbench.Citation("")))
"""


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: repr(name)[:20])
def test_a_third_party_model_of_such_a_name_is_not_loaded(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("theirs.py").write_text(NAMED.format(name=name))
    registry = load_plugins([Path("theirs.py")])
    assert name not in registry.models
    (reason,) = [b.reason for b in registry.broken if "theirs" in str(b.origin)]
    # A long one is cut off.
    assert f"is given the name {name!r}"[:300] in reason
    Path("theirs.py").write_text(NAMED.format(name="fine"))
    assert "fine" in load_plugins([Path("theirs.py")]).models


@pytest.mark.parametrize(
    "target", ["../x", "/etc/x", "a/../../x", "a//x", "./x", "a\\x", "C:x", "a\0x"]
)
def test_no_member_of_an_archive_goes_outside(target):
    with pytest.raises(ValueError, match="no path below"):
        Member("Set/x", 1, "0" * 64, target=target)


@pytest.mark.parametrize("path", ["..", "Set/..", "Set/.", "Set/", "a\\..\\x", "C:x", "a\0"])
def test_no_member_is_called_so_that_it_goes_outside(path):
    with pytest.raises(ValueError, match="no path below"):
        Member(path, 1, "0" * 64)
