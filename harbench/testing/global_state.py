"""Process-wide settings and generators: seen before and after, and put back."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


def torch_settings() -> dict[str, Any]:
    """torch's process-wide settings that change what other networks compute; empty without torch.

    Keys are what a user would call to set them.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    return {
        "torch.set_num_threads": torch.get_num_threads(),
        "torch.set_default_dtype": torch.get_default_dtype(),
        "torch.set_default_device": torch.get_default_device(),
        "torch.use_deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "torch.set_grad_enabled": torch.is_grad_enabled(),
        "torch.set_float32_matmul_precision": torch.get_float32_matmul_precision(),
        "torch.autograd.set_detect_anomaly": torch.is_anomaly_enabled(),
        "torch.set_flush_denormal": _flushes_denormals(torch),
        "torch.backends.cudnn.benchmark": torch.backends.cudnn.benchmark,
        "torch.backends.cudnn.enabled": torch.backends.cudnn.enabled,
    }


def _flushes_denormals(torch: Any) -> bool:
    # There is no getter: a product below the smallest normal number is 0 where they are flushed.
    tiny = torch.tensor([1e-30, 1e-10], dtype=torch.float32, device="cpu")
    return bool(tiny[0] * tiny[1] == 0)


def _restore_torch(before: dict[str, Any]) -> None:
    torch = sys.modules.get("torch")
    if torch is None or not before:
        return
    now = torch_settings()
    setters = {
        "torch.set_num_threads": torch.set_num_threads,
        "torch.set_default_dtype": torch.set_default_dtype,
        "torch.set_default_device": torch.set_default_device,
        "torch.use_deterministic_algorithms": torch.use_deterministic_algorithms,
        "torch.set_grad_enabled": torch.set_grad_enabled,
        "torch.set_float32_matmul_precision": torch.set_float32_matmul_precision,
        "torch.autograd.set_detect_anomaly": torch.autograd.set_detect_anomaly,
        "torch.set_flush_denormal": torch.set_flush_denormal,
    }
    for name, set_it in setters.items():
        if now[name] != before[name]:
            set_it(before[name])
    for name in ("benchmark", "enabled"):
        setattr(torch.backends.cudnn, name, before[f"torch.backends.cudnn.{name}"])


def settings_changed(before: dict[str, Any]) -> list[str]:
    """``torch.set_num_threads(1 -> 4)`` for each setting that is another one now."""
    now = torch_settings()
    return [
        f"{name}({before[name]} -> {now[name]})"
        for name in before
        if name in now and now[name] != before[name]
    ]


def generator_states() -> dict[str, Any]:
    """The states of the global generators, comparable."""
    kind, keys, position, has_gauss, cached = np.random.get_state()
    states: dict[str, Any] = {
        "random": random.getstate(),
        "numpy.random": (kind, np.asarray(keys).tobytes(), position, has_gauss, cached),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = (torch.initial_seed(), torch.get_rng_state().numpy().tobytes())
    return states


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put torch's settings, the global generators and the working folder back afterwards."""
    had_torch = "torch" in sys.modules
    settings = torch_settings()
    python, numpy = random.getstate(), np.random.get_state()
    torch_state = sys.modules["torch"].get_rng_state() if had_torch else None
    folder = Path.cwd()
    try:
        yield
    finally:
        _restore_torch(settings)
        random.setstate(python)
        np.random.set_state(numpy)
        if torch_state is not None:
            sys.modules["torch"].set_rng_state(torch_state)
        os.chdir(folder)
