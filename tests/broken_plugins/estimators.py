"""Estimators that are each broken in one way. The rest of each is in order."""

import numpy as np

import harbench

MODELS = []


def model(name, **facts):
    """Register the class as an estimator: the builder returns an object of it."""

    def add(kind):
        citation = harbench.Citation("Nobody, 2026.", url="https://example.org/nobody")

        def build(n_channels, n_times, n_classes):
            return kind()

        summary = "nearest centre of the channels' means and deviations"
        MODELS.append(
            harbench.Model(name, summary, build, None, citation, kind="estimator", **facts)
        )
        return kind

    return add


@model("sound-centres")
class Centres:
    """Nothing is wrong."""

    def features(self, x):
        return np.concatenate([x.mean(axis=2), x.std(axis=2)], axis=1)

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        found = self.features(x)
        self.centres = np.stack([found[y == k].mean(axis=0) for k in self.classes_])
        return self

    def distances(self, x):
        return ((self.features(x)[:, None] - self.centres) ** 2).sum(axis=2)

    def predict_proba(self, x):
        far = self.distances(x)
        near = np.exp(far.min(axis=1, keepdims=True) - far)
        return near / near.sum(axis=1, keepdims=True)


@model("no-probabilities")
class NoProbabilities(Centres):
    """Only decides."""

    predict_proba = None


@model("column-missing")
class ColumnMissing(Centres):
    """One column too few."""

    def predict_proba(self, x):
        return super().predict_proba(x)[:, 1:]


@model("not-normalised")
class NotNormalised(Centres):
    """Its rows do not sum to 1."""

    def predict_proba(self, x):
        return np.exp(-self.distances(x) / 100)


@model("all-classes-needed")
class AllClassesNeeded(Centres):
    """Takes the classes for 0, 1, 2 ... without a gap."""

    def fit(self, x, y):
        self.classes_ = np.arange(y.max() + 1)
        found = self.features(x)
        self.centres = np.stack(
            [found[y == k].sum(axis=0) / max(0, (y == k).sum()) for k in self.classes_]
        )
        return self


@model("own-randomness")
class OwnRandomness(Centres):
    """Draws from a generator that no seed determines."""

    def fit(self, x, y):
        super().fit(x, y)
        self.centres = self.centres + 0.01 * np.random.default_rng().normal(size=self.centres.shape)
        return self


@model("scales-in-place")
class ScalesInPlace(Centres):
    """Normalises the windows that it is given."""

    def fit(self, x, y):
        x -= x.mean()
        return super().fit(x, y)


@model("scales-the-test")
class ScalesTheTest(Centres):
    """Takes the mean of the windows out that it is to predict."""

    def features(self, x):
        found = super().features(x)
        return found - found.mean(axis=0)


@model("not-picklable")
class NotPicklable(Centres):
    """Keeps a lambda."""

    def fit(self, x, y):
        self.scale = lambda value: value
        return super().fit(x, y)


@model("guesses")
class Guesses(Centres):
    """Learns nothing, as the majority class does: a warning."""

    def features(self, x):
        return np.zeros((len(x), 1))


@model("counts-in-words", counts=lambda estimator: harbench.Counts(parameters="many"))
class CountsInWords(Centres):
    """Its own count is no number."""


@model("short-sighted", min_times=2)
class ShortSighted(Centres):
    """Says 2, and takes differences four samples apart."""

    def features(self, x):
        if x.shape[2] < 5:
            raise ValueError("windows are too short")
        return super().features(x[:, :, 4:] - x[:, :, :-4] * 0)


@harbench.hookimpl
def register_models(register):
    for each in MODELS:
        register(each)
