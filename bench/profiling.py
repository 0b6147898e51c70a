"""Where the time of ``table1`` goes: ``python -m bench profile``, each network by itself.

One cell of each network, by the settings of ``benchmarks.yaml`` but for its epochs, on a simulated
OPPORTUNITY, on one thread. A first run, of a few training steps under torch's profiler, says which
layers take the forward and the backward pass. A second run takes processor time part by part:
harbench's functions and torch's steps are wrapped while it runs, and a part that is called inside
another is taken off it. Its seconds of forward and backward are shared out as the first run says.

``BENCH_BEFORE`` names another checkout of harbench, which is profiled by this same file.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEFORE = "BENCH_BEFORE"
_MARK = "bench-profile "
_STEPS = 12  # under torch's profiler
_EPOCHS = {"resnet-like": 30}  # of so small a network one would be a part of its cell among others

FUNCTIONS = (
    ("plan", "harbench.plan.planning:plan"),
    ("read", "harbench.data.stream:open_stream"),
    ("cut windows", "harbench.data.splits:folds_of"),
    ("prepare", "harbench.data.prepared:prepare"),
    ("choose layout", "harbench.training.lowering:lowering_of"),
    ("training, rest", "harbench.training.loop:train"),
    ("evaluate", "harbench.training.loop:evaluate"),
    ("predict", "harbench.training.loop:logits_of"),
)
"""Part -> function. One that a checkout does not have is no part of it."""

PARTS = (
    "plan", "read", "cut windows", "prepare", "choose layout", "gather windows",
    "forward", "backward", "optimiser", "training, rest", "evaluate", "predict", "store", "rest",
)  # fmt: skip

LAYERS = ("convolution", "batch norm", "LSTM", "matrix product", "other")
"""Convolutions over one sample are matrix products where layers run channels-last."""

_WHOLE = ("choose layout", "evaluate", "predict")
"""Parts of which nothing is taken off: gathering windows for an evaluation is evaluation."""


class Clock:
    """Processor seconds by part; what is called inside a part is not counted in it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.parts = ["rest"]
        self._since = time.process_time()

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self.parts[-1]] += now - self._since
        self._since = now

    def enter(self, part: str) -> None:
        """It begins."""
        self._turn()
        self.parts.append(self.parts[-1] if self.parts[-1] in _WHOLE else part)

    def leave(self) -> None:
        """It ends."""
        self._turn()
        self.parts.pop()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part from here to there."""
        self.enter(name)
        try:
            yield
        finally:
            self.leave()

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, as a part."""

        @wraps(function)
        def wrapped(*given: Any, **named: Any) -> Any:
            with self.part(part):
                return function(*given, **named)

        return wrapped

    def timed_iterator(
        self, part: str, function: Callable[..., Iterator[Any]]
    ) -> Callable[..., Iterator[Any]]:
        """A generator, each of whose steps is a part."""

        @wraps(function)
        def wrapped(*given: Any, **named: Any) -> Iterator[Any]:
            source = function(*given, **named)
            while True:
                with self.part(part):
                    found = next(source, None)
                if found is None:
                    return
                yield found

        return wrapped


def _replaced(name: str, change: Callable[[Any], Any]) -> None:
    """Change a function of harbench wherever it was imported to; nothing where it is not there."""
    module, _, attribute = name.partition(":")
    try:
        original = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return
    changed = change(original)
    for each in list(sys.modules.values()):
        if getattr(each, "__name__", "").startswith("harbench"):
            for key, value in list(vars(each).items()):
                if value is original:
                    setattr(each, key, changed)


def _wrap(clock: Clock) -> None:
    import torch

    from harbench.results import Store
    from harbench.training.batches import WindowBatches

    for part, name in FUNCTIONS:
        _replaced(name, lambda function, part=part: clock.timed(part, function))
    _replaced("harbench.training.cell:build", lambda build: _watched(build, clock))
    gather = WindowBatches._gather
    WindowBatches._gather = clock.timed_iterator("gather windows", gather)  # type: ignore[method-assign]
    for write in ("write", "write_cost", "write_benchmark"):
        setattr(Store, write, clock.timed("store", getattr(Store, write)))
    torch.autograd.backward = clock.timed("backward", torch.autograd.backward)
    steps = importlib.import_module("torch.optim.optimizer")
    steps.register_optimizer_step_pre_hook(lambda *_: clock.enter("optimiser"))
    steps.register_optimizer_step_post_hook(lambda *_: clock.leave())


def _watched(build: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    """Networks whose forward pass is a part, while they are trained."""

    def built(*given: Any, **named: Any) -> Any:
        module = build(*given, **named)
        open_parts: list[bool] = []

        def begin(*_: Any) -> None:
            open_parts.append(clock.parts[-1] == "training, rest")
            if open_parts[-1]:
                clock.enter("forward")

        def end(*_: Any) -> None:
            if open_parts.pop():
                clock.leave()

        module.register_forward_pre_hook(begin)
        module.register_forward_hook(end)
        return module

    return built


def _planned(files: Path, scratch: Path, network: str, seed: int, epochs: int = 1) -> Any:
    from harbench.config import load
    from harbench.plan import plan
    from harbench.plugins import load_plugins

    (table1,) = [b for b in load(Path("benchmarks.yaml")).benchmarks if b.name == "table1"]
    settings = table1.model_dump(mode="json", include={"protocol"}, exclude_unset=True)
    settings |= {"dataset": "opportunity-sim", "path": str(files), "models": [network]}
    settings |= {"recipe": {"epochs": epochs, "patience": None}, "seeds": [seed]}
    path = scratch / f"{network}-{seed}.yaml"
    path.write_text(json.dumps({"benchmarks": {"table1": settings}}))  # JSON is YAML
    return plan(load(path).benchmarks[0], load_plugins())


def _run(planned: Any, scratch: Path) -> None:
    from harbench.execute.local import InProcessExecutor
    from harbench.execute.run import (
        efforts_of,
        measure_costs,
        train_cells,
        work_of,
        write_manifests,
    )
    from harbench.results import Store

    store = Store(scratch / "results")
    work = work_of([planned], store)
    list(measure_costs(work, store, InProcessExecutor()))
    list(train_cells(work, efforts_of(work, [planned], store), store, InProcessExecutor()))
    write_manifests([planned], store)
    if not all(store.has(job.key) for job in work.cells):
        raise RuntimeError(
            f"it was not trained: {(store.failure(work.cells[0].key) or {}).get('reason')}"
        )


def profile_here(network: str, files: Path, scratch: Path) -> dict[str, Any]:
    """Seconds of each part, and the layers' shares of forward and backward, in this process."""
    import torch

    torch.set_num_threads(1)
    shares: dict[str, dict[str, float]] = {}
    _replaced("harbench.training.loop:train", lambda train: _few_steps(train, shares))
    # It reads the files and measures the network's cost as well, which are done once for all cells.
    _run(_planned(files, scratch, network, 1), scratch)
    _replaced("harbench.training.loop:train", lambda train: train.__wrapped__)
    clock = Clock()
    _wrap(clock)
    epochs = _EPOCHS.get(network, 1)
    planned = _planned(files, scratch, network, 0, epochs)
    _run(planned, scratch)
    with clock.part("rest"):
        pass
    (row,) = planned.rows
    windows = {part: sum(fold.windows[part] for fold in row.folds) for part in ("train", "test")}
    return {
        "seconds": dict(clock.seconds),
        "layers": shares,
        "windows": windows,
        "epochs": epochs,
    }


def _few_steps(train: Callable[..., Any], shares: dict[str, Any]) -> Callable[..., Any]:
    """The training of a few steps, under torch's profiler."""
    import numpy as np
    import torch
    from torch.profiler import ProfilerActivity, profile, record_function

    @wraps(train)
    def few(model: Any, data: Any, batches: Any, recipe: Any, *rest: Any, **named: Any) -> Any:
        some = data.train[np.arange(min(len(data.train), _STEPS * recipe.batch_size))]
        less = replace(data, train=some, validation=data.validation[np.arange(0)])
        opened: list[Any] = []

        def begin(*_: Any) -> None:
            opened.append(record_function("bench-forward").__enter__())

        hooks = (
            model.register_forward_pre_hook(begin),
            model.register_forward_hook(lambda *_: opened.pop().__exit__(None, None, None)),
        )
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            done = train(model, less, batches, recipe, *rest, **named)
        for hook in hooks:
            hook.remove()
        shares.update(_shares(profiled.events()))
        torch.set_num_threads(1)
        return done

    return few


def _shares(events: Iterable[Any]) -> dict[str, dict[str, float]]:
    """Forward and backward -> layers -> share of its time."""
    engine = "autograd::engine::evaluate_function: "
    found: dict[str, dict[str, float]] = {
        "forward": dict.fromkeys(LAYERS, 0.0),
        "backward": dict.fromkeys(LAYERS, 0.0),
    }
    for event in events:
        if event.name == "bench-forward":
            for inner in event.cpu_children:
                found["forward"][layer_of(inner.name)] += inner.cpu_time_total
            # Between torch's functions is Python.
            found["forward"]["other"] += event.self_cpu_time_total
        elif event.name.startswith(engine):
            name = event.name.removeprefix(engine)
            found["backward"][layer_of(name)] += event.cpu_time_total
    return {
        way: {layer: value / (sum(layers.values()) or 1) for layer, value in layers.items()}
        for way, layers in found.items()
    }


def layer_of(name: str) -> str:
    """Which of :data:`LAYERS` a function of torch belongs to, by its name."""
    name = name.lower().replace("_", "")
    for layer, words in (
        ("convolution", ("conv",)),
        ("batch norm", ("batchnorm",)),
        ("LSTM", ("rnn", "lstm")),
        ("matrix product", ("linear", "addmm", "matmul", "bmm", "mmbackward", "aten::mm")),
    ):
        if any(word in name for word in words):
            return layer
    return "other"


def measured(network: str, files: Path, checkout: Path) -> dict[str, Any]:
    """What :func:`profile_here` finds in a process of its own, of a checkout."""
    paths = [str(checkout), str(checkout / "plugins"), *(path for path in sys.path if path)]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "HARBENCH_CACHE": f"{scratch}/cache",
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        command = [
            sys.executable,
            "-P",
            str(Path(__file__).resolve()),
            network,
            str(files),
            scratch,
        ]
        ended = subprocess.run(
            command, env=environment, cwd=checkout, capture_output=True, text=True
        )
    for line in reversed(ended.stdout.splitlines()):
        if line.startswith(_MARK):
            found: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            return found
    lines = (ended.stderr.strip() or "no result").splitlines()
    raise RuntimeError(f"{network} in {checkout}: {lines[-1]}")


def parts_of(found: Mapping[str, Any]) -> dict[str, float]:
    """Part -> seconds; the forward and the backward pass by layers."""
    seconds: dict[str, float] = {}
    for part in PARTS:
        value = found["seconds"].get(part, 0.0)
        if part in found["layers"]:
            for layer in LAYERS:
                seconds[f"{part}: {layer}"] = value * found["layers"][part][layer]
        else:
            seconds[part] = value
    return seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for argument in ("network", "files", "scratch"):
        parser.add_argument(argument)
    asked = parser.parse_args()
    result = profile_here(asked.network, Path(asked.files), Path(asked.scratch))
    print(f"{_MARK}{json.dumps(result)}", flush=True)
