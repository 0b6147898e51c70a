"""Losses against their formulas, and what a step makes small against the plain cross-entropy."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from harbench.errors import ModelError
from harbench.nouns import Recipe, TrainingBatch
from harbench.training.objective import Objective
from harbench_training import focal

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def logits_and_labels(n=200, n_classes=5, seed=0, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(n, n_classes, generator=generator)
    return logits.requires_grad_(), torch.randint(n_classes, (n,), generator=generator)


def gradient(value, of):
    (found,) = torch.autograd.grad(value, of)
    return found


def test_focal_with_gamma_0_is_cross_entropy():
    logits, y = logits_and_labels()
    ours = focal.build((1,) * 5, gamma=0)(logits, y)
    theirs = functional.cross_entropy(logits, y, reduction="none")
    assert torch.equal(ours, theirs)
    assert torch.equal(gradient(ours.sum(), logits), gradient(theirs.sum(), logits))


@pytest.mark.parametrize("gamma", [0.5, 1, 2, 5])
def test_focal_is_its_formula(gamma):
    logits, y = logits_and_labels()
    # In float32 the cross-entropy of a window that is certain has lost its digits already.
    exact = logits.detach().double()
    ours = focal.build((1,) * 5, gamma=gamma)(exact, y)
    p = torch.softmax(exact, 1).numpy()[np.arange(len(y)), y.numpy()]
    np.testing.assert_allclose(ours, -((1 - p) ** gamma) * np.log(p), rtol=1e-6)


def test_focal_of_the_papers_example():
    """Section 3.2: with gamma = 2, p = 0.9 counts 100 times less than cross-entropy says."""
    logits = torch.tensor([[0.9, 0.1]], dtype=torch.float64).log()
    y = torch.tensor([0])
    plain = functional.cross_entropy(logits, y)
    assert plain / focal.build((1, 1))(logits, y)[0] == pytest.approx(100)


def test_focal_of_a_certain_window_has_a_gradient():
    for gamma in (0.5, 2.0):
        logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
        loss = focal.build((1, 1), gamma=gamma)(logits, torch.tensor([0, 0]))
        assert torch.isfinite(loss).all()
        assert torch.isfinite(gradient(loss.sum(), logits)).all()


def test_focal_refuses_what_gamma_cannot_be():
    for gamma in (-1, "2", None, True, float("nan")):
        with pytest.raises(ValueError, match="option gamma is"):
            focal.build((1, 1), gamma=gamma)


@pytest.fixture
def weighed(toy_fold):
    """An objective of three classes, and a batch of logits."""
    logits, y = logits_and_labels(n_classes=3)

    def weighed(recipe, loss=None):
        return Objective(recipe, toy_fold, loss, CPU), logits, y

    return weighed


CLASS_WEIGHTS = torch.tensor([1.0, 5.0, 0.5])
RECIPES = {
    "plain": ({}, {}),
    "weights": ({"class_weights": (1.0, 5.0, 0.5)}, {"weight": CLASS_WEIGHTS}),
    "smoothing": ({"label_smoothing": 0.2}, {"label_smoothing": 0.2}),
    "both": (
        {"class_weights": (1.0, 5.0, 0.5), "label_smoothing": 0.2},
        {"weight": CLASS_WEIGHTS, "label_smoothing": 0.2},
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_without_a_loss_it_is_torchs_cross_entropy(weighed, name):
    settings, torchs = RECIPES[name]
    objective, logits, y = weighed(Recipe(**settings))
    plain = functional.cross_entropy(logits, y, **torchs)
    assert torch.equal(objective(logits, TrainingBatch(logits, y)), plain)


@pytest.mark.parametrize("name", RECIPES)
def test_a_mixed_window_counts_as_both_of_its_classes(weighed, name):
    settings, torchs = RECIPES[name]
    objective, logits, y = weighed(Recipe(**settings))
    other = y.roll(1)
    plain = [functional.cross_entropy(logits, labels, **torchs) for labels in (y, other)]

    def mixed(share):
        batch = TrainingBatch(logits, y, other, torch.full((len(y),), share))
        return objective(logits, batch)

    torch.testing.assert_close(mixed(1.0), plain[0])
    torch.testing.assert_close(mixed(0.0), plain[1])
    if "weight" not in torchs:
        # Zhang et al. 2018: lambda * loss(y) + (1 - lambda) * loss(other).
        torch.testing.assert_close(mixed(0.3), 0.3 * plain[0] + 0.7 * plain[1])
        # For cross-entropy that is the loss of the mixed class, as their equation 2 has it.
        target = 0.3 * functional.one_hot(y, 3) + 0.7 * functional.one_hot(other, 3)
        torch.testing.assert_close(
            mixed(0.3), functional.cross_entropy(logits, target.float(), **torchs)
        )


def test_class_weights_weigh_a_plugins_loss_as_torch_weighs_its_own(weighed):
    def cross_entropy(logits, y):
        return functional.cross_entropy(logits, y, reduction="none")

    objective, logits, y = weighed(Recipe(class_weights=(1.0, 5.0, 0.5)), cross_entropy)
    torch.testing.assert_close(
        objective(logits, TrainingBatch(logits, y)),
        functional.cross_entropy(logits, y, CLASS_WEIGHTS),
    )


def test_focal_with_class_weights_is_the_papers_alpha(weighed):
    objective, logits, y = weighed(
        Recipe(class_weights=(1.0, 5.0, 0.5)), focal.build((1,) * 3, gamma=2)
    )
    alpha = CLASS_WEIGHTS[y]
    by_hand = alpha * focal.build((1,) * 3, gamma=2)(logits, y)
    torch.testing.assert_close(
        objective(logits, TrainingBatch(logits, y)), by_hand.sum() / alpha.sum()
    )


def test_a_loss_that_is_no_number_a_window_is_named(weighed):
    objective, logits, y = weighed(Recipe(), lambda logits, y: logits)
    with pytest.raises(ModelError, match=r"the loss returned \[200, 3\] for a batch of 200"):
        objective(logits, TrainingBatch(logits, y))


def test_weights_follow_the_training_windows_alone(toy_fold):
    recipe = Recipe(class_weights="balanced")
    other = dataclasses.replace(toy_fold, test=toy_fold.test[:1], validation=toy_fold.test)
    logits, y = logits_and_labels(n_classes=3)
    values = [Objective(recipe, fold, None, CPU)(logits, TrainingBatch(logits, y))
              for fold in (toy_fold, other)]  # fmt: skip
    assert torch.equal(*values)
