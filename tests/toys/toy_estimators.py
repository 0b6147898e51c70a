"""A plugin in one file with estimators beside the toy network."""

from __future__ import annotations

import harbench


def forest(n_channels: int, n_times: int, n_classes: int, *, trees: int = 5):
    """Of the means and standard deviations."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    from harbench_models.window_statistics import statistics_step

    return make_pipeline(statistics_step(("mean", "std")), RandomForestClassifier(trees))


def prior(n_channels: int, n_times: int, n_classes: int):
    """The commonest class."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def slow(n_channels: int, n_times: int, n_classes: int):
    """Takes a second to fit."""
    import time

    class Slow:
        def fit(self, x, y):
            time.sleep(1)
            self.classes_ = sorted(set(y.tolist()))
            return self

        def predict_proba(self, x):
            import numpy as np

            return np.full((len(x), len(self.classes_)), 1 / len(self.classes_))

    return Slow()


def count(fitted):
    """A number to recognise."""
    return harbench.Counts(parameters=1234, macs=567, note="counted by hand")


@harbench.hookimpl
def register_models(register) -> None:
    cite = harbench.Citation("Nobody, 2026")
    kind = {"recipe": None, "citation": cite, "kind": "estimator"}
    register(harbench.Model("toy-forest", "a forest", forest, **kind))
    register(harbench.Model("toy-prior", "the commonest", prior, counts=count, **kind))
    register(harbench.Model("toy-slow", "takes a second", slow, **kind))
