"""Each broken network and estimator fails the check that is meant for it, and no other."""

import re
from functools import partial
from pathlib import Path

import pytest

from harbench.plugins import load_plugins
from harbench.testing.checking import find

pytestmark = pytest.mark.usefixtures("one_thread")

PLUGINS = Path(__file__).parents[1] / "broken_plugins"

# They start processes; what they look for has tests of its own below.
DEAR = {"import-changes-nothing", "import-is-light", "worker"}

# model -> check that must fail -> what it must say. Checks with "~" must warn.
NETWORKS = {
    "sound": {},
    "wrong-shape": {"shapes": r"returns \[2, 4\] for a batch of 2 windows"},
    "wrong-axis": {"shapes": "for 6 channels, 24 samples and 3 classes it raises RuntimeError"},
    "not-a-module": {
        "builds": "the builder returns type",
        "shapes": "it raises TypeError",
    },
    "nan": {
        "finite": "logits are NaN for windows of zeros, in train mode",
        "~min-times": "a window of 1 samples gives logits that are not finite",
    },
    "double": {"finite": "logits are torch.float64"},
    "in-place": {"input-unchanged": "changes its input in train mode"},
    "dead-parameter": {"gradients": r"reaches parameter 'unused.weight' \(and of 1 more\)"},
    "detached": {"gradients": r"reaches parameter 'net.0.weight' \(and of 1 more\)"},
    "minimum-too-low": {"min-times": "stated minimum of 2 samples it raises RuntimeError"},
    "minimum-too-high": {"~min-times": "min_times is 12, and a window of 11 samples works too"},
    "own-generator": {"seed": "built twice with one seed, '5.weight' has other weights"},
    "numpy-weights": {"~seed": "drawn by random or numpy.random"},
    "seeds-itself": {
        "seed": "two seeds give the same weights",
        "global-state": "changes the seed of torch's generator",
    },
    "sets-torch": {
        "global-state": r"torch.set_num_threads\(\d -> 3\), torch.set_flush_denormal\(False -> True"
    },
    "dropout-in-eval": {"eval-repeats": "two calls with the same windows give other logits"},
    "counts-calls": {"eval-repeats": "predicting in eval mode changes 'calls'"},
    "looks-at-the-batch": {"batch-independence": "windows predicted two by two get other logits"},
    "squeezes": {"batch-of-one": r"a batch of one window gives \[3\]"},
    "hidden-mode": {"~train-and-eval": "no dropout or batch norm module says why"},
    "unsaved-weights": {"save-and-load": "the saved weights give other logits"},
    "shared-weights": {"save-and-load": "Some tensors share memory"},
    "learns-nothing": {
        "learns": r"tells 3\d % of unseen windows right \(chance is 33 %\)",
        "gradients": "no gradient ever reaches parameter 'net.0.weight'",
    },
    "functional": {"~cost": "saw only"},
    "no-default": {
        "options": "option 'depth' of the builder has no default",
        "builds": "TypeError",
        "shapes": "TypeError",
    },
    "odd-default": {"options": r"'kernels' of the builder has the default frozenset\("},
    "no-citation": {"metadata": "it has no citation"},
    "long-summary": {"metadata": "summary has 3 lines"},
    "no-source": {"source": "the source of 'no_source' cannot be read"},
    "only-at-home": {},
}  # fmt: skip

# What may be skipped: a check says nothing where there is nothing to look at.
SKIPPED = {
    "wrong-shape": "all",
    "wrong-axis": "all",
    "not-a-module": "all",
    "no-default": "all",
    "dropout-in-eval": {"batch-independence"},
}


def report(file, kind, name, *, without=frozenset(DEAR), folder=None):
    paths = (PLUGINS / file,)
    [item] = find(name, kind, partial(load_plugins, paths), paths)
    subject = item.subject(folder)
    return [check(subject) for check in item.checks() if check.name not in without]


def assert_found(results, expected, skipped=frozenset({"licence"})):
    """Exactly these checks fail or warn, for exactly these reasons, and say what to do."""
    found = {
        ("~" if r.outcome == "warned" else "") + r.name: r
        for r in results
        if r.outcome in ("failed", "warned")
    }
    assert sorted(found) == sorted(expected), "\n".join(map(str, found.values()))
    for name, reason in expected.items():
        assert re.search(reason, found[name].found), found[name].found
        assert found[name].expected
        assert found[name].fix
    if skipped != "all":
        assert {r.name for r in results if r.outcome == "skipped"} == {"licence"} | set(skipped)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_broken_network(name):
    results = report("networks.py", "model", name)
    assert len(results) == 20
    assert_found(results, NETWORKS[name], SKIPPED.get(name, ()))


def test_every_broken_network_is_tried():
    names = {model.name for model in load_plugins([PLUGINS / "networks.py"]).models}
    assert set(NETWORKS) <= names
    broken = [m.name for m in load_plugins([PLUGINS / "networks.py"]).models if m.name in NETWORKS]
    assert len(broken) == len(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [("sound", None), ("only-at-home", "a small cell fails: .*RuntimeError: no display")],
)
def test_a_worker_process(name, reason):
    results = report("networks.py", "model", name, without=())
    expected = {"worker": reason} if reason else {}
    assert_found(results, expected)


ESTIMATORS = {
    "sound-centres": {},
    "no-probabilities": {
        "builds": "NoProbabilities, which has no method 'predict_proba'",
    },
    "column-missing": {"predicts": r"returns \[5, 2\] for 5 windows of 3 classes"},
    "not-normalised": {"probabilities": "for windows of noise, rows sum to"},
    "all-classes-needed": {"absent-class": "rows of probabilities do not sum to 1"},
    "own-randomness": {"seed": "fitted twice with one seed, probabilities differ by"},
    "scales-in-place": {"input-unchanged": "fit changes x"},
    "scales-the-test": {"batch-of-one": "windows predicted beside other windows get other"},
    "not-picklable": {"pickles": "it cannot be pickled: "},
    "guesses": {"~learns": r"it tells 33 % of unseen toy windows right \(chance is 33 %\)"},
    "counts-in-words": {"counts": "counts gives 'many' parameters"},
    "short-sighted": {"min-times": "stated minimum of 2 samples it raises ValueError: windows are"},
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_broken_estimator(name):
    results = report("estimators.py", "model", name)
    assert len(results) == 16
    skipped = "all" if name in ("no-probabilities", "column-missing") else ()
    assert_found(results, ESTIMATORS[name], skipped)


def test_every_broken_estimator_is_tried():
    names = [model.name for model in load_plugins([PLUGINS / "estimators.py"]).models]
    assert set(ESTIMATORS) <= set(names)
