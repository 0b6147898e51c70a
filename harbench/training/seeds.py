"""Randomness: one seed a cell, a stream of its own for each purpose."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from harbench.errors import ModelError

# torch sets the attribute's class at run time, where mypy cannot see it.
_MEMORY: Any = torch.utils.deterministic


def derived(seed: int, purpose: str) -> int:
    """A 63-bit seed for one purpose, so that more draws for one never shift those of another."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def seed_everything(seed: int, purpose: str) -> None:
    """Seed the global generators of Python, NumPy and torch (all devices) for one purpose."""
    value = derived(seed, purpose)
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)


def be_deterministic(*, refuse: bool = True) -> None:
    """One thread, and only algorithms that give the same bits every time.

    Sums over several threads depend on their number. On CUDA, cuBLAS needs a fixed workspace; an
    operation without a deterministic form raises; see :func:`refused_as_such`.

    Args:
        refuse: False lets such an operation run, with a warning of torch's.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=not refuse)
    torch.backends.cudnn.benchmark = False


def be_fast() -> None:
    """One thread still, and otherwise whatever torch and cuDNN find fastest.

    cuDNN tries its algorithms on the first batch of each shape; which is fastest may be another one
    the next time, and so may be the bits.
    """
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True


@contextmanager
def refused_as_such(device: torch.device) -> Iterator[None]:
    """Inside it an operation that has no deterministic form is told with what lets it run.

    Raises:
        ModelError: torch refused one; see :func:`torch.use_deterministic_algorithms`.
    """
    try:
        yield
    except RuntimeError as error:
        operation, refused, _ = str(error).partition(" does not have a deterministic")
        if not refused:
            raise
        raise ModelError(
            f"{operation} has no deterministic form on {device.type}",
            where="recipe.algorithms",
            expected="operations that give the same bits every time",
            fix="--set recipe.algorithms=fast",
        ) from error


def fill_new_memory(fill: bool) -> None:
    """Whether torch fills with NaN what an operation is about to write.

    With that, a network that reads what nobody wrote fails, and does so every time. It costs an
    eighth of a convolution.
    """
    _MEMORY.fill_uninitialized_memory = fill


@contextmanager
def new_memory_as_before() -> Iterator[None]:
    """After it, :func:`fill_new_memory` is as it was."""
    before = _MEMORY.fill_uninitialized_memory
    try:
        yield
    finally:
        fill_new_memory(before)
