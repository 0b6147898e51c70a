"""The precision of a recipe: float32, or bfloat16 where torch's autocast holds that it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from harbench.errors import HarbenchError, ModelError
from harbench.nouns.recipe import Precision


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Matrix products inside it are of bfloat16 where ``precision`` is ``bf16``.

    Weights, their gradients and the optimiser's state stay float32, as in Micikevicius et al.
    2018, section 3.1. bfloat16 has float32's range, so that no loss is scaled.

    Args:
        precision: Of the recipe.
        device: Where the network runs: the CPU or CUDA.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def logits_in(precision: Precision, model: nn.Module, x: Tensor) -> Tensor:
    """What the network says of windows, float32 whatever it was computed in.

    Args:
        precision: Of the recipe.
        model: On the device of the windows.
        x: float32 [batch, n_channels, n_times].
    """
    if precision == "float32":
        found: Tensor = model(x)
        return found
    # One block for one call: autocast keeps cast weights until the block ends.
    with autocast(precision, x.device):
        found = model(x)
    return found.float() if isinstance(found, Tensor) else found


@contextmanager
def first_step(precision: Precision) -> Iterator[None]:
    """Around the first training step: an operation that has no bfloat16 form is told as such.

    Raises:
        ModelError: the step raised, and the recipe's precision is not float32.
    """
    try:
        yield
    except HarbenchError:
        raise
    except Exception as error:  # a network's own code may raise anything
        if precision == "float32":
            raise
        first = str(error).partition("\n")[0]
        raise ModelError(
            f"the network's first step failed in {precision}: {type(error).__name__}: {first}",
            where="recipe.precision",
            expected="operations that have a bfloat16 form",
            fix="--set recipe.precision=float32",
        ) from error


def refuse_infinite(precision: Precision, logits: Tensor) -> None:
    """Refuse logits of a first step in bfloat16 that are no numbers.

    In float32 the loss says it; here it may be the precision's fault.

    Raises:
        ModelError: one is infinite or NaN.
    """
    if precision != "float32" and not bool(torch.isfinite(logits).all()):
        raise ModelError(
            f"the network's first logits are not finite in {precision}",
            where="recipe.precision",
            expected="finite logits: sums that bfloat16's 8 bits can hold",
            fix="--set recipe.precision=float32",
        )
