"""The command line: one file a command, each a thin caller of the rooms.

A command's module imports typer and nothing else that takes time; what its command needs it
imports inside the function. So ``harbench --help`` stays fast.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

BUG = 70  # EX_SOFTWARE of sysexits.h


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the program.

    Exit codes: 0 done; 2 a mistake that the user can mend; 70 a bug of harbench or of a plugin;
    130 interrupted. A command may have more.

    Args:
        arguments: Instead of those of the process.
    """
    from harbench.cli.context import settings
    from harbench.errors import HarbenchError

    try:
        from harbench.cli.app import app

        app(arguments if arguments is None else list(arguments), prog_name="harbench")
    except HarbenchError as error:
        if settings().debug:
            raise
        print(_printable(f"error: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if settings().debug:
            raise
        kind = type(error).__name__
        text = _printable(" ".join(str(error).split()))
        print(
            f"error: harbench met a bug: {kind}{f': {text}' if text else ''}\n"
            "  run again with --debug for the traceback: harbench --debug ...",
            file=sys.stderr,
        )
        sys.exit(BUG)


def _printable(text: str) -> str:
    """What the text of a plugin may hold could move the cursor; lines stay lines."""
    from harbench.config.nodes import printable

    return "\n".join(map(printable, text.split("\n")))
