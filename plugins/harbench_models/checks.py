"""What the builders of this package refuse, in one voice."""

from __future__ import annotations

from collections.abc import Sequence

import harbench


def check_window(model: str, n_times: int, minimum: int) -> None:
    """Refuse a window that is too short for the layers.

    Raises:
        ModelError: naming the model, the window and the shortest one that it takes.
    """
    if n_times < minimum:
        raise harbench.ModelError(
            f"{model} cannot take windows of {n_times} samples",
            where=f"model '{model}'",
            expected=f"at least {minimum} samples for the options given",
            fix=f"--set protocol.window={minimum}"
            f" (or `window: {minimum}` under `protocol:` in benchmarks.yaml)",
        )


def check_choice(model: str, option: str, value: object, choices: Sequence[str]) -> None:
    """Refuse an option that is none of its choices.

    Raises:
        ModelError: naming the option, the value and the choices.
    """
    if value not in choices:
        raise harbench.ModelError(
            f"option {option} is {value!r}",
            where=f"model '{model}'",
            expected=f"one of {', '.join(choices)}",
        )


def check_whole(model: str, **options: object) -> None:
    """Refuse options that are not whole numbers of at least 1.

    Raises:
        ModelError: naming the option and the value.
    """
    for option, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise harbench.ModelError(
                f"option {option} is {value!r}",
                where=f"model '{model}'",
                expected="a whole number of at least 1",
            )


def check_share(model: str, option: str, value: object, *, one: bool = False) -> None:
    """Refuse an option that is not a share: 0 <= value < 1, or 0 < value <= 1 with ``one``.

    Raises:
        ModelError: naming the option and the value.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 < value <= 1 if one else 0 <= value < 1):  # type: ignore[operator]
        raise harbench.ModelError(
            f"option {option} is {value!r}",
            where=f"model '{model}'",
            expected="a number above 0, at most 1" if one else "a number from 0 to below 1",
        )
