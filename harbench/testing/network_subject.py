"""A network under check: built, fed, and trained once on the toy windows for all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from harbench.testing.checks import NotCheckedError
from harbench.testing.model_checks import ModelSubject
from harbench.testing.toy_windows import N_CHANNELS, N_CLASSES, toy_windows
from harbench.training.seeds import seed_everything

STEPS = 120
RATES = (2e-3, 1e-2, 3e-4)
"""Learning rates of Adam that are tried in turn on the toy windows."""

GOOD = 0.9
"""Share of unseen toy windows that a network must tell right."""


@dataclass(frozen=True)
class ToyTraining:
    """What a short training on the toy windows showed.

    Args:
        accuracy: On windows that it was not trained on, the best of the rates.
        rate: That it was reached with.
        gradients: Parameter -> the largest gradient in any step; None where there never was one.
        not_finite: The first parameter whose gradient was not a number, and in which step.
    """

    accuracy: float
    rate: float
    gradients: Mapping[str, float | None]
    not_finite: str = ""


class NetworkSubject(ModelSubject):
    """A model whose builder gives a network."""

    def build(self, n_channels: int, n_times: int, n_classes: int, *, seed: int = 0) -> nn.Module:
        """The network as harbench builds it; whatever the builder raises passes through."""
        seed_everything(seed, "weights")
        module: nn.Module = self.thing.build(n_channels, n_times, n_classes)
        return module

    def network(self, seed: int = 0) -> nn.Module:
        """A network for the toy windows that is known to work.

        Raises:
            NotCheckedError: it does not; the checks ``builds``, ``shapes`` and ``finite`` say why.
        """
        if not self._works:
            raise NotCheckedError("it has no logits to look at; see the checks that failed before")
        return self.build(N_CHANNELS, self.window, N_CLASSES, seed=seed)

    @cached_property
    def _works(self) -> bool:
        try:
            net = self.build(N_CHANNELS, self.window, N_CLASSES)
            for mode in (net.train(), net.eval()):
                logits = mode(self.x.clone())
                if logits.shape != (len(self.x), N_CLASSES) or not torch.isfinite(logits).all():
                    return False
        except (Exception, SystemExit):  # noqa: BLE001 - the check of it says what
            return False
        return True

    @cached_property
    def x(self) -> Tensor:
        """Eight toy windows; to be cloned by who hands them to a network."""
        return torch.from_numpy(toy_windows(8, self.window, seed=1)[0])

    @cached_property
    def toy(self) -> ToyTraining:
        """The network after a short training on the toy windows.

        Raises:
            NotCheckedError: there is no network that works.
        """
        x, y = map(torch.from_numpy, toy_windows(48, self.window, seed=2))
        unseen, true = map(torch.from_numpy, toy_windows(48, self.window, seed=3))
        best: ToyTraining | None = None
        for rate in RATES:
            found = self._train(rate, (x, y), (unseen, true))
            if best is None or found.accuracy > best.accuracy:
                best = found
            if best.accuracy >= GOOD or best.not_finite:
                break
        assert best is not None
        return best

    def _train(
        self, rate: float, seen: tuple[Tensor, Tensor], unseen: tuple[Tensor, Tensor]
    ) -> ToyTraining:
        net = self.network()
        parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
        gradients: dict[str, float | None] = dict.fromkeys(parameters)
        if not parameters:
            return ToyTraining(0.0, rate, gradients)
        optimiser = torch.optim.Adam(parameters.values(), lr=rate)
        accuracy, x, y = 0.0, *seen
        for step in range(STEPS):
            net.train()
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(net(x.clone()), y)
            torch.autograd.backward([loss])
            for name, parameter in parameters.items():
                if parameter.grad is not None:
                    size = float(parameter.grad.abs().max())
                    if size != size or size == float("inf"):
                        return ToyTraining(accuracy, rate, gradients, f"{name} in step {step + 1}")
                    gradients[name] = max(gradients[name] or 0.0, size)
            optimiser.step()
            if step % 10 == 9:
                with torch.no_grad():
                    right = net.eval()(unseen[0].clone()).argmax(1) == unseen[1]
                accuracy = max(accuracy, float(right.float().mean()))
                if accuracy >= GOOD:
                    break
        return ToyTraining(accuracy, rate, gradients)
