"""Deterministic algorithms unless the recipe says fast, and what then is said of it."""

import pytest
import torch
from torch import nn

from harbench.errors import ModelError
from harbench.nouns import Model, Recipe
from harbench.training.cell import train_cell
from toys import toy_plugin
from toys.stopped import bits

FAST = Recipe(batch_size=16, epochs=1, algorithms="fast")


class Putting(nn.Module):
    """torch has no deterministic form of put_, on any device."""

    def __init__(self, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        x = x.flatten(1)
        where = torch.zeros(1, dtype=torch.int64)
        return self.head(x) + torch.zeros(1).put_(where, torch.ones(1))


@pytest.fixture(autouse=True)
def _undone(one_thread):
    before = torch.backends.cudnn.benchmark
    yield
    torch.backends.cudnn.benchmark = before


def model_of(builder):
    return Model("toy-net", "", builder, toy_plugin.RECIPE, toy_plugin.TOY.citation)


PUTTING, SMALL = model_of(Putting), model_of(toy_plugin.small)


def test_an_operation_that_promises_no_bits_is_refused_by_name(toy_fold):
    with pytest.raises(ModelError, match="put_ has no deterministic form on cpu") as found:
        train_cell(PUTTING, toy_fold, Recipe(epochs=1), {}, 0)
    assert found.value.where == "recipe.algorithms"
    assert found.value.fix == "--set recipe.algorithms=fast"


def test_where_the_recipe_says_so_it_is_trained(toy_fold):
    trained = train_cell(PUTTING, toy_fold, FAST, {}, 0)
    assert trained.probabilities.shape == (len(toy_fold.test), 3)
    assert torch.get_num_threads() == 1
    assert torch.backends.cudnn.benchmark
    # The next cell of the same process is its own.
    train_cell(SMALL, toy_fold, Recipe(epochs=1), {}, 0)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cudnn.benchmark


def test_what_a_network_raises_itself_stays_what_it_is(toy_fold):
    class Broken(Putting):
        def forward(self, x):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine$"):
        train_cell(model_of(Broken), toy_fold, FAST, {}, 0)


def test_on_the_cpu_the_bits_are_those_of_deterministic_algorithms(toy_fold):
    exact = FAST.model_copy(update={"algorithms": "deterministic"})
    fast, usual = (train_cell(SMALL, toy_fold, r, {}, 0) for r in (FAST, exact))
    assert bits(fast) == bits(usual)
