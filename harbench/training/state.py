"""All that a training's next epoch depends on, as tensors and JSON, and back again."""

from __future__ import annotations

import copy
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harbench.training.curve import Best, Epoch
from harbench.training.optimisers import Schedule


@dataclass(frozen=True)
class Saved:
    """A training between two epochs.

    Args:
        tensors: Name -> tensor on the CPU, contiguous, sharing memory with nothing.
        facts: All else; JSON-like.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class NotResumableError(Exception):
    """The training has state that cannot be saved; the text says which."""


class TrainingState:
    """The live parts of a training.

    Args:
        model: On ``device``.
        optimiser, schedule: Of its parameters.
        draws: Generators by name: "order" draws the windows, "augmentation" what is done to them.
        device: Where it is trained.
    """

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        draws: Mapping[str, torch.Generator],
        device: torch.device,
    ) -> None:
        self._model = model
        self._optimiser = optimiser
        self._schedule = schedule
        self._draws = dict(draws)
        self._device = device
        self._hidden = _hidden_state(model)

    def snapshot(self, curve: list[Epoch], best: Best | None) -> Saved:
        """The state after the last epoch of ``curve``.

        Raises:
            NotResumableError: the network keeps state that is neither parameter nor buffer.
        """
        if _hidden_state(self._model) != self._hidden:
            raise NotResumableError("the network changes more than its parameters and buffers")
        tensors = {f"model/{name}": value for name, value in _tensors(self._model).items()}
        tensors |= {f"best/{name}": value for name, value in (best.weights if best else {}).items()}
        numbers: dict[str, Any] = {}
        optimiser = self._optimiser.state_dict()
        for index, state in optimiser["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimiser/{index}/{name}"] = value
                else:
                    numbers.setdefault(str(index), {})[name] = value
        for name, generator in self._draws.items():
            tensors[f"random/{name}"] = generator.get_state()
        tensors["random/torch"] = torch.get_rng_state()
        if self._device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self._device)
        name, keys, position, has_gauss, cached = np.random.get_state()
        tensors["random/numpy"] = torch.from_numpy(np.asarray(keys).view(np.int32))
        if not all(isinstance(value, Tensor) for value in tensors.values()):
            raise NotResumableError("the network has state that is no tensor")
        facts = {
            "curve": [vars(epoch) for epoch in curve],
            "best": None if best is None else [best.monitored, best.epoch],
            "optimiser": {"numbers": numbers, "groups": optimiser["param_groups"]},
            "schedule": self._schedule.state(),
            "numpy": [name, position, has_gauss, cached],
            "python": random.getstate(),
        }
        copies = {name: value.detach().cpu().clone() for name, value in tensors.items()}
        return Saved({name: value.contiguous() for name, value in copies.items()}, facts)

    def fits(self, saved: Saved) -> bool:
        """Whether that is a state of this very training; nothing is changed."""
        here = {f"model/{name}": value for name, value in _tensors(self._model).items()}
        there = {n: v for n, v in saved.tensors.items() if n.startswith("model/")}
        return here.keys() == there.keys() and all(
            (here[name].shape, here[name].dtype) == (value.shape, value.dtype)
            for name, value in there.items()
        )

    def restore(self, saved: Saved) -> tuple[list[Epoch], Best | None]:
        """Go back to a saved state; the curve and the best epoch so far."""
        tensors, facts = saved.tensors, saved.facts
        with torch.no_grad():
            for name, value in _tensors(self._model).items():
                value.copy_(tensors[f"model/{name}"])
        self._restore_optimiser(tensors, facts["optimiser"])
        self._schedule.restore(facts["schedule"])
        self._restore_generators(tensors, facts)
        curve = [Epoch(**epoch) for epoch in facts["curve"]]
        if facts["best"] is None:
            return curve, None
        # A state_dict knows the versions of its modules; a plain dict would not.
        weights = copy.deepcopy(self._model.state_dict())
        kept = {n.removeprefix("best/"): v for n, v in tensors.items() if n.startswith("best/")}
        for name, value in kept.items():
            weights[name].copy_(value)
        monitored, epoch = facts["best"]
        return curve, Best(monitored, epoch, weights if kept else {})

    def _restore_optimiser(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        state: dict[int, dict[str, Any]] = {
            int(index): dict(numbers) for index, numbers in facts["numbers"].items()
        }
        for name, value in tensors.items():
            if name.startswith("optimiser/"):
                _, index, entry = name.split("/", 2)
                # A clone lies in memory as torch aligns it, as it did before.
                state.setdefault(int(index), {})[entry] = value.clone()
        present = self._optimiser.state_dict()["param_groups"]
        groups = [
            # JSON has no tuples.
            {k: tuple(v) if isinstance(now.get(k), tuple) else v for k, v in group.items()}
            for now, group in zip(present, facts["groups"], strict=True)
        ]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})

    def _restore_generators(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        for name, generator in self._draws.items():
            generator.set_state(tensors[f"random/{name}"].clone())
        torch.set_rng_state(tensors["random/torch"].clone())
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random/cuda"].clone(), self._device)
        name, position, has_gauss, cached = facts["numpy"]
        keys = tensors["random/numpy"].numpy().view(np.uint32)
        np.random.set_state((name, keys, position, has_gauss, cached))
        version, internal, gauss = facts["python"]
        random.setstate((version, tuple(internal), gauss))


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, those that state_dict leaves out too, each once."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def _hidden_state(model: nn.Module) -> str:
    """Digest of what modules hold beside parameters and buffers: counters, carried-over tensors.

    A network that changes such things while it is trained cannot be resumed from its tensors.
    """
    known = {id(value) for value in _tensors(model).values()}
    digest = hashlib.sha256()
    for name, module in model.named_modules():
        for attribute, value in sorted(vars(module).items()):
            # torch's own registries, and the mode, which the loop sets.
            if attribute in _OWN or attribute.endswith("_hooks"):
                continue
            digest.update(f"{name}/{attribute}:{_described(value, known)}\n".encode())
    return digest.hexdigest()


_OWN = {"training", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}


def _described(value: Any, known: set[int]) -> str:
    if isinstance(value, Tensor):
        if id(value) in known:
            return "registered"
        content = value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        return f"{tuple(value.shape)} {hashlib.sha256(content).hexdigest()}"
    if isinstance(value, torch.Generator):
        return _described(value.get_state(), known)
    if isinstance(value, random.Random):
        return repr(value.getstate())
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.ndarray):
        return f"{value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, bool | int | float | complex | str | bytes | None):
        return repr(value)
    if isinstance(value, dict):
        return repr([(repr(k), _described(v, known)) for k, v in value.items()])
    if isinstance(value, set | frozenset):
        return repr(sorted(_described(v, known) for v in value))
    if isinstance(value, list | tuple):
        return repr([_described(v, known) for v in value])
    return type(value).__qualname__
