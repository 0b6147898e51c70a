"""A training that was killed after any epoch and resumed ends with the bits of one that was not."""

import errno
import hashlib
import json
import os
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from harbench.nouns import Cosine, Model, Plateau, Recipe, Step
from harbench.training import checkpoints
from harbench.training.cell import train_cell
from harbench.training.checkpoints import Checkpoint, seconds_between
from toys import toy_plugin

pytestmark = pytest.mark.usefixtures("one_thread")

IDENTITY = {"key": "abc", "device": "cpu"}


class KilledError(Exception):
    pass


def dropout(n_channels, n_times, n_classes):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(n_channels * n_times, 12), nn.Dropout(0.4), nn.ReLU(),
        nn.Linear(12, n_classes),
    )  # fmt: skip


class Recurrent(nn.Module):
    """Has a buffer that state_dict leaves out and training changes, and draws in numpy."""

    def __init__(self, n_channels, n_classes):
        super().__init__()
        self.lstm = nn.LSTM(n_channels, 6, batch_first=True)
        self.out = nn.Linear(6, n_classes)
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x):
        h = self.lstm(x.transpose(1, 2))[0][:, -1]
        if self.training:
            self.seen += 1
            noise = np.random.normal(size=h.shape) + random.gauss(0, 1)
            h = h + 0.1 * torch.from_numpy(noise).float() + 0.001 * self.seen
        return self.out(h)


def recurrent(n_channels, n_times, n_classes):
    return Recurrent(n_channels, n_classes)


def tied(n_channels, n_times, n_classes):
    half = nn.Linear(n_channels * n_times, n_channels * n_times)
    return nn.Sequential(nn.Flatten(), half, nn.ReLU(), half, nn.LazyLinear(n_classes))


def named(build):
    return Model(build.__name__, "", build, toy_plugin.RECIPE, toy_plugin.TOY.citation)


EPOCHS = 5
BASE = {"batch_size": 32, "epochs": EPOCHS, "learning_rate": 0.02}
CASES = {
    "sgd, momentum, plateau": (
        toy_plugin.small,
        {
            "optimizer": "sgd",
            "momentum": 0.9,
            "nesterov": True,
            "schedule": Plateau(patience=0, factor=0.5),
        },
    ),
    "plain sgd, step": (toy_plugin.small, {"optimizer": "sgd", "schedule": Step(every=2)}),
    "adam, cosine": (toy_plugin.small, {"optimizer": "adam", "schedule": Cosine()}),
    "adamw, dropout": (dropout, {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 1.0}),
    "rmsprop, recurrent": (recurrent, {"optimizer": "rmsprop", "momentum": 0.5, "decay": 0.9}),
    "class weights, smoothing": (
        dropout,
        {"class_weights": "balanced", "label_smoothing": 0.1, "monitor": "loss"},
    ),
    "last": (toy_plugin.small, {"keep": "last"}),
    "early stopping": (
        toy_plugin.small,
        {"optimizer": "sgd", "learning_rate": 1.0, "patience": 2, "epochs": 12},
    ),
}


def ended(model, fold, recipe, checkpoint=None, stop_after=None):
    """All that a training gives: bits of weights and predictions, curve, kept epoch."""
    heard = []

    def on_epoch(epoch):
        heard.append(epoch.number)
        if epoch.number == stop_after:
            raise KilledError

    trained = train_cell(model, fold, recipe, {}, 3, "cpu", on_epoch, checkpoint)
    training = trained.training
    return {
        "weights": {n: v.numpy().tobytes() for n, v in trained.weights.items()},
        "probabilities": trained.probabilities.tobytes(),
        "curve": training.curve,
        "kept": training.kept_epoch,
        "stopped": training.stopped_early,
    }, (training.resumed_after, heard)


@pytest.mark.parametrize("case", CASES)
def test_resumed_after_any_epoch_the_bits_are_the_same(toy_fold, tmp_path, case):
    build, changes = CASES[case]
    model, recipe = named(build), Recipe(**{**BASE, **changes})
    whole, _ = ended(model, toy_fold, recipe)
    n_epochs = len(whole["curve"])
    if case == "early stopping":
        assert whole["stopped"] and 3 <= n_epochs < recipe.epochs
    for epoch in range(2, n_epochs + 1):
        checkpoint = Checkpoint(tmp_path / f"{epoch}", IDENTITY, every=0)
        with pytest.raises(KilledError):
            ended(model, toy_fold, recipe, checkpoint, stop_after=epoch)
        # What came between draws from every generator.
        torch.rand(7), np.random.rand(7), random.random()
        checkpoint = Checkpoint(tmp_path / f"{epoch}", IDENTITY, every=0)
        found, (resumed_after, heard) = ended(model, toy_fold, recipe, checkpoint)
        assert found == whole, epoch
        assert resumed_after == epoch - 1
        assert heard == list(range(epoch - 1, n_epochs + 1))


def test_stopped_again_and_again(toy_fold, tmp_path):
    model, recipe = named(dropout), Recipe(**BASE)
    whole, _ = ended(model, toy_fold, recipe)
    for epoch in range(2, EPOCHS + 1):
        with pytest.raises(KilledError):
            checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=0)
            ended(model, toy_fold, recipe, checkpoint, stop_after=epoch)
    assert ended(model, toy_fold, recipe, checkpoint)[0] == whole
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.fixture
def stopped(toy_fold, tmp_path):
    """The file of a training that was stopped after its third epoch, and how it would end."""
    model, recipe = named(toy_plugin.small), Recipe(**BASE)
    path = tmp_path / "abc.checkpoint"
    with pytest.raises(KilledError):
        ended(model, toy_fold, recipe, Checkpoint(path, IDENTITY, every=0), stop_after=4)
    whole, _ = ended(model, toy_fold, recipe)

    def go_on(identity=IDENTITY, other=model):
        return ended(other, toy_fold, recipe, Checkpoint(path, identity, every=1e9))

    go_on.path, go_on.whole = path, whole
    return go_on


def test_it_is_really_used(stopped):
    assert stopped()[1][0] == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[:40],
        lambda b: b[: len(b) // 2],
        lambda b: b[:-1],
        lambda b: b + b"\0",
        lambda b: bytes([b[0] ^ 1]) + b[1:],
        lambda b: b[:-1] + bytes([b[-1] ^ 128]),
        lambda b: b[:80] + bytes([b[80] ^ 4]) + b[81:],
        lambda b: b"\n" + b,
        lambda b: b"\0" * len(b),
    ],
)
def test_a_damaged_file_is_removed_and_never_used(stopped, damage):
    stopped.path.write_bytes(damage(stopped.path.read_bytes()))
    found, (resumed_after, _) = stopped()
    assert (found, resumed_after) == (stopped.whole, 0)
    assert not stopped.path.exists()


@pytest.mark.parametrize(
    "identity", [{**IDENTITY, "key": "abd"}, {**IDENTITY, "device": "cuda"}, {"key": "abc"}]
)
def test_a_file_of_another_training_is_removed_and_never_used(stopped, identity):
    found, (resumed_after, _) = stopped(identity)
    assert (found, resumed_after) == (stopped.whole, 0)
    assert not stopped.path.exists()


def test_a_file_of_another_network_is_not_used(stopped):
    assert stopped(other=named(dropout))[1][0] == 0
    assert not stopped.path.exists()


def test_a_later_format_is_not_read(stopped, monkeypatch):
    monkeypatch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
    assert stopped()[1][0] == 0


def test_the_file_is_no_pickle(stopped):
    digest, content = stopped.path.read_bytes().split(b"\n", 1)
    assert len(digest) == 64
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert json.loads(header["__metadata__"]["identity"]) == {**IDENTITY, "format": 1}
    assert "model/0.weight" in header


def test_short_trainings_write_nothing(toy_fold, tmp_path):
    ended(named(dropout), toy_fold, Recipe(**BASE), Checkpoint(tmp_path / "a" / "c", IDENTITY))
    assert list(tmp_path.iterdir()) == []


def test_time_between_two(toy_fold, tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 4))
    # In its place, not in everybody's module: other threads look at the clock, too.
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    written = []
    checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=10)
    monkeypatch.setattr(checkpoint, "_write", lambda content: written.append(len(content)))
    for _ in range(3):
        checkpoint.after_epoch(Snapshots(), [], None)
    assert len(written) == 1
    # It took 4 seconds: the next is due when that is a half per cent.
    for _ in range(190):
        checkpoint.after_epoch(Snapshots(), [], None)
    assert len(written) == 1
    for _ in range(12):
        checkpoint.after_epoch(Snapshots(), [], None)
    assert len(written) == 2


class Snapshots:
    def snapshot(self, curve, best):
        from harbench.training.state import Saved

        return Saved({"a": torch.zeros(1)}, {})


@pytest.mark.parametrize("step", ["mkdir", "fsync", "replace"])
def test_a_full_disk_is_said_once_and_training_goes_on(toy_fold, tmp_path, monkeypatch, step):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    where = {"mkdir": (Path, "mkdir"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[step]
    monkeypatch.setattr(*where, full)
    said = []
    checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=0, on_trouble=said.append)
    model, recipe = named(dropout), Recipe(**BASE)
    found, _ = ended(model, toy_fold, recipe, checkpoint)
    assert said == ["no checkpoint can be written: No space left on device"]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert ended(model, toy_fold, recipe)[0] == found


class Counting(nn.Module):
    """Depends on a number that is no tensor, so that its tensors alone cannot bring it back."""

    def __init__(self, n_inputs, n_classes):
        super().__init__()
        self.out, self.steps, self.carried = nn.Linear(n_inputs, n_classes), 0, []

    def forward(self, x):
        self.steps += self.training
        return self.out(x.flatten(1)) * (1 + 0.01 * self.steps)


class Carrying(Counting):
    def forward(self, x):
        self.carried = [self.out.weight.detach().clone()]
        return self.out(x.flatten(1))


@pytest.mark.parametrize("kind", [Counting, Carrying])
def test_a_network_with_other_state_is_not_resumed_but_said(toy_fold, tmp_path, kind):
    def build(n_channels, n_times, n_classes):
        return kind(n_channels * n_times, n_classes)

    said = []
    checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=0, on_trouble=said.append)
    ended(named(build), toy_fold, Recipe(**BASE), checkpoint)
    assert said == [
        "it cannot be resumed if it is stopped: the network changes more than its parameters "
        "and buffers"
    ]
    assert list(tmp_path.iterdir()) == []


def test_weights_used_twice_and_lazy_ones(toy_fold, tmp_path):
    model, recipe = named(tied), Recipe(**BASE)
    whole, _ = ended(model, toy_fold, recipe)
    checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=0)
    with pytest.raises(KilledError):
        ended(model, toy_fold, recipe, checkpoint, stop_after=3)
    assert ended(model, toy_fold, recipe, checkpoint)[0] == whole


def test_seconds_between_are_the_users(monkeypatch):
    monkeypatch.delenv("HARBENCH_CHECKPOINT_SECONDS", raising=False)
    assert seconds_between() == 10
    for said, meant in {"0": 0, "2.5": 2.5, "-1": 0, "often": 10}.items():
        monkeypatch.setenv("HARBENCH_CHECKPOINT_SECONDS", said)
        assert seconds_between() == meant


HEADERS = [
    "[" * 100_000,
    "{}",
    "[1]",
    json.dumps({"__metadata__": {}}),
    json.dumps({"__metadata__": {"identity": None, "facts": "{}"}}),
    json.dumps({"__metadata__": {"identity": "[" * 100_000, "facts": "{}"}}),
    json.dumps({"__metadata__": {"identity": json.dumps({**IDENTITY, "format": 1}), "facts": "3"}}),
    json.dumps({"__metadata__": {"identity": json.dumps({**IDENTITY, "format": 1})}}),
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_file_of_the_right_hash_that_is_no_checkpoint_is_not_used(tmp_path, header):
    checkpoint = Checkpoint(tmp_path / "c", IDENTITY, every=0)
    content = len(header).to_bytes(8, "little") + header.encode()
    checkpoint.path.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    assert checkpoint._load() is None
