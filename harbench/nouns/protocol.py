"""Protocols: what is trained on what, and how a stream becomes windows.

These are settings as benchmarks.yaml writes them; :mod:`harbench.data` gives them their meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Settings(BaseModel):
    """Base of everything that benchmarks.yaml may set: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


Ratio = tuple[
    Annotated[float, Field(gt=0)], Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0)]
]


class FixedSplit(Settings):
    """Recordings named one by one, or by patterns such as ``S2-ADL*``."""

    kind: Literal["fixed"] = "fixed"
    train: tuple[str, ...] = Field(min_length=1)
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = Field(min_length=1)


class LeaveOneOutSplit(Settings):
    """A fold for each subject (LOSO) or session: tested on it, trained on all others.

    ``validation`` further groups (the ones that follow the tested group, in order, around the
    circle) are held out for validation.
    """

    kind: Literal["leave-one-out"] = "leave-one-out"
    by: Literal["subject", "session", "recording"] = "subject"
    validation: int = Field(default=1, ge=0)


class GroupSplit(Settings):
    """k folds of whole subjects, sessions or recordings: every group is tested once."""

    kind: Literal["groups"] = "groups"
    folds: int = Field(default=5, ge=2)
    by: Literal["subject", "session", "recording"] = "subject"
    validation: int = Field(default=1, ge=0, description="groups of the next fold held out")
    seed: int | None = Field(default=None, description="shuffles the groups; None keeps order")


class BlockSplit(Settings):
    """Each recording cut into contiguous blocks, which go to train, validation and test.

    Windows never cross a border between blocks, so no two parts share a sample. The subjects
    are the same in all parts.
    """

    kind: Literal["blocks"] = "blocks"
    ratio: Ratio = (8.0, 1.0, 1.0)
    blocks: int = Field(default=10, ge=3)
    seed: int = 0


class RandomWindowSplit(Settings):
    """Windows drawn at random. **Leaky** where windows overlap: neighbours share samples.

    Kept because much of the literature used it, so that its inflation can be measured.
    """

    kind: Literal["random-windows"] = "random-windows"
    ratio: Ratio = (8.0, 1.0, 1.0)
    seed: int = 0


Split = Annotated[
    FixedSplit | LeaveOneOutSplit | GroupSplit | BlockSplit | RandomWindowSplit,
    Field(discriminator="kind"),
]


class MostOf(Settings):
    """The majority class, where at least ``most_of`` of the window is of it; else no window."""

    most_of: float = Field(gt=0.0, le=1.0)


class Protocol(Settings):
    """Which recordings train, validate and test, and how they are cut into windows.

    Args:
        split: Name of one of the dataset's splits; ``loso``, also where the dataset names none
            so; or a split written out. None is the dataset's first.
        task: Name of one of the dataset's tasks; None is its first.
        window: Length: samples (24), a time ("800 ms", "1.5 s"), or ``paper``: the window that
            each model's own paper uses.
        step: From one window's start to the next: samples, a time, or a share of the window
            ("50%", rounded down to samples).
        within: What a window stays inside: a ``recording`` (and its part of the split), or a
            ``segment`` of it, a run of samples of one label, so that no window holds two
            labels. Runs that are not labelled give no windows. Knowing where segments end takes
            the labels: scores are of activities cut out by hand, as some papers report them.
        label: The class of a window: of its ``last`` sample, its ``majority`` (the lower class
            number on a tie), or ``{most_of: 0.6}``. Windows whose label is -1 are dropped.
        fill: Gaps: ``none``, ``forward`` (the last value seen) or ``linear`` (as the literature
            does; looks into the future of the recording).
        normalise: ``z-score`` and ``min-max`` with statistics of the training windows, ``fixed``
            with the limits that the literature fixed, or ``none``. What is still missing then
            becomes the training mean (0 in raw units for ``fixed`` and ``none``).
        null: Whether the NULL class is a class (``keep``) or its windows are left out (``drop``).
        channels: Names or patterns (``IMU RLA *``), or None for all.
    """

    split: Split | str | None = None
    task: str | None = None
    window: int | str = "1 s"
    step: int | str = "50%"
    within: Literal["recording", "segment"] = "recording"
    label: Literal["last", "majority"] | MostOf = "majority"
    fill: Literal["none", "forward", "linear"] = "forward"
    normalise: Literal["z-score", "min-max", "fixed", "none"] = "z-score"
    null: Literal["keep", "drop"] = "keep"
    channels: tuple[str, ...] | None = None

    @field_validator("window", "step")
    @classmethod
    def _length(cls, value: int | str, info: Any) -> int | str:
        from harbench.nouns.lengths import check_length

        return check_length(value, info.field_name)
