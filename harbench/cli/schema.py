"""``harbench schema``: the JSON Schema of benchmarks.yaml, for editors."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of benchmarks.yaml, for completion and checks in an editor."""
    from harbench.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
