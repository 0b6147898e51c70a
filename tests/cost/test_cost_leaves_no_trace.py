"""Measuring changes nothing: neither the network, nor torch, nor what is printed."""

import pytest
import torch
from torch import nn

from harbench.cost import count, latency, measure


class Custom(nn.Module):
    """Containers of its own, which thop leaves buffers on, and parts in unequal modes."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.recurrent = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 2)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        states, _ = self.recurrent(self.features(x).transpose(1, 2))
        return self.head(states[:, -1])


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_state_dict_hooks")


def everything(net: nn.Module) -> dict:
    return {
        "state": {name: value.clone() for name, value in net.state_dict().items()},
        "modes": {name: part.training for name, part in net.named_modules()},
        "hooks": {
            (name, kind): list(getattr(part, kind))
            for name, part in net.named_modules()
            for kind in HOOKS
        },
        "attributes": {name: sorted(vars(part)) for name, part in net.named_modules()},
        "buffers": [name for name, _ in net.named_buffers()],
        "gradients": {name: (p.requires_grad, p.grad) for name, p in net.named_parameters()},
        "identity": [id(p) for p in net.parameters()],
    }


@pytest.mark.parametrize(
    "measured",
    [count, measure, lambda *given: latency(*given, runs=3, seconds=0)],
    ids=["count", "measure", "latency"],
)
def test_the_network_stays_as_it_is(measured):
    net = Custom().train()
    net.features[1].eval()  # thop's own clean-up would wake it
    net.head.weight.requires_grad_(False)
    net.features[0].register_forward_hook(lambda *_: None)
    before = everything(net)
    measured(net, 3, 12)
    after = everything(net)
    state = before.pop("state"), after.pop("state")
    assert list(state[0]) == list(state[1])
    assert all(torch.equal(state[0][name], state[1][name]) for name in state[0])
    assert before == after
    assert not net.calls


def test_torch_stays_as_it_is():
    def settings():
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.get_default_dtype(),
            bytes(torch.get_rng_state().numpy()),
        )

    net = Custom()
    before = settings()
    measure(net, 3, 12)
    assert settings() == before


def test_a_network_that_draws_while_it_predicts_leaves_the_generator_alone():
    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.rand(1)

    net = Noisy(4, 2)
    state = torch.get_rng_state()
    measure(net, 3, 4)
    assert torch.equal(torch.get_rng_state(), state)


class Looking(Custom):
    """Cannot be counted on the meta device."""

    def forward(self, x):
        return super().forward(x) if x.sum().item() < 1e9 else x


@pytest.mark.parametrize("network", [Custom, Looking])
def test_nothing_is_printed(network, capfd, recwarn):
    count(network(), 3, 12)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert not recwarn.list


def test_counting_twice_gives_the_same():
    net = Custom()
    assert count(net, 3, 12) == count(net, 3, 12)
