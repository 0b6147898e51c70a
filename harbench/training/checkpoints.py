"""The file from which a training goes on after its process was killed."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from harbench.training.curve import Best, Epoch
from harbench.training.state import NotResumableError, Saved, TrainingState

FORMAT = 1
"""Raised when the content of the file changes; a file of another format is not read."""

EVERY_S = 10.0
"""Seconds between two checkpoints, at least; $HARBENCH_CHECKPOINT_SECONDS says otherwise."""

_SHARE = 0.005
"""Of the time, that writing may take: a large network on a slow disk is saved less often."""


def seconds_between() -> float:
    """What the environment says, or the usual."""
    try:
        return max(0.0, float(os.environ["HARBENCH_CHECKPOINT_SECONDS"]))
    except (KeyError, ValueError):
        return EVERY_S


class Checkpoint:
    """The state of one training in one file: sha256 of the rest, newline, safetensors.

    The file is written under another name and renamed, so that it is whole or not there. What is
    torn, damaged or of another training is removed and never used.

    Args:
        path: Of the file; its folder is made when the first is written.
        identity: What must be equal for the same bits: key, device, versions. JSON-like.
        every: Seconds between two; 0 saves after every epoch, whatever it takes.
        on_trouble: Told in one sentence, once, why no checkpoint can be written.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        every: float = EVERY_S,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path
        self._identity = json.loads(json.dumps({"format": FORMAT, **identity}))
        self._every = self._wait = every
        self._on_trouble = on_trouble
        self._possible = True
        self._last = time.monotonic()

    def resume(self, state: TrainingState) -> tuple[list[Epoch], Best | None] | None:
        """Bring a training to where it was; None (and nothing changed) without a usable file."""
        saved = self._load()
        if saved is not None and state.fits(saved):
            return state.restore(saved)
        self.remove()
        return None

    def after_epoch(self, state: TrainingState, curve: list[Epoch], best: Best | None) -> None:
        """Save, if it is time. A disk that is full never ends a training."""
        if not self._possible or time.monotonic() - self._last < self._wait:
            return
        began = time.monotonic()
        try:
            self._write(self._content(state.snapshot(curve, best)))
        except OSError as error:
            self._say(f"no checkpoint can be written: {error.strerror or error}")
        except (NotResumableError, SafetensorError, TypeError, ValueError, KeyError) as error:
            self._possible = False
            self._say(f"it cannot be resumed if it is stopped: {error}")
        self._last = time.monotonic()
        if self._every:
            self._wait = max(self._every, (self._last - began) / _SHARE)

    def remove(self) -> None:
        """The training is done, or the file is of no use."""
        with suppress(OSError):
            self.path.unlink()

    def _content(self, saved: Saved) -> bytes:
        metadata = {
            "identity": json.dumps(self._identity, sort_keys=True),
            "facts": json.dumps(saved.facts),
        }
        content = save(saved.tensors, metadata)
        return hashlib.sha256(content).hexdigest().encode() + b"\n" + content

    def _write(self, content: bytes) -> None:
        temporary = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            with suppress(OSError):
                temporary.unlink()

    def _load(self) -> Saved | None:
        try:
            digest, _, content = self.path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return None
        try:
            # safetensors reads metadata only of files; the header is 8 bytes of length and JSON.
            length = int.from_bytes(content[:8], "little")
            metadata = json.loads(content[8 : 8 + length])["__metadata__"]
            if json.loads(metadata["identity"]) != self._identity:
                return None
            facts = json.loads(metadata["facts"])
            return Saved(load(content), facts) if isinstance(facts, dict) else None
        except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError):
            # RuntimeError: JSON nested without end, or tensors that torch does not have.
            return None

    def _say(self, text: str) -> None:
        if self._on_trouble is not None:
            self._on_trouble(text)
            self._on_trouble = None
