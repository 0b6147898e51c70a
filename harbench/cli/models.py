"""``harbench models``: what can be trained, where it was published, and what it costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harbench.cli.context import names_of, print_facts, print_rows, registry

if TYPE_CHECKING:
    from harbench.nouns import Model

app = typer.Typer(invoke_without_command=True, help="List the models, show one.")


@app.callback()
def list_models(context: typer.Context) -> None:
    """List the models, or show one with its layers and its cost."""
    if context.invoked_subcommand:
        return
    models = registry().models
    rows = [
        (
            model.name,
            model.kind,
            str(model.window or ""),
            str(model.min_times),
            models.origin(model.name).package,
            model.summary,
        )
        for model in models
    ]
    print_rows(("model", "kind", "window#", "shortest#", "from", "summary"), rows)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A model.", autocompletion=names_of("models")),
    ],
    channels: Annotated[int, typer.Option(min=1, help="Channels of the input.")] = 113,
    times: Annotated[
        int | None,
        typer.Option(
            min=1, help="Samples of a window; by default the paper's.", show_default=False
        ),
    ] = None,
    classes: Annotated[int, typer.Option(min=2, help="Classes.")] = 18,
) -> None:
    """Show a model's paper, recipe and published numbers, and build it: layers and cost."""
    shelf = registry().models
    model = shelf.get(name)
    print_facts([*_facts(model), ("plugin", str(shelf.origin(name)))])
    if model.published:
        typer.echo("\npublished")
        print_facts(_published(model))
    n_times = times or model.window or max(model.min_times, 24)
    typer.echo(f"\nbuilt for {channels} channels, {n_times} samples, {classes} classes")
    if model.kind == "estimator":
        _print_estimator(model, channels, n_times, classes)
    else:
        _print_built(model, channels, n_times, classes)


def _facts(model: Model) -> list[tuple[str, str]]:
    facts = [("name", model.name), ("kind", model.kind), ("summary", model.summary)]
    if model.stand_in:
        facts.append(("STAND-IN", model.stand_in))
    facts.append(("cite", model.citation.text))
    if model.citation.doi:
        facts.append(("cite", f"https://doi.org/{model.citation.doi}"))
    if model.citation.url:
        facts.append(("cite", model.citation.url))
    window = f"{model.window} samples" if model.window else "not stated by the paper"
    facts.append(("window", f"{window}; takes {model.min_times} and more"))
    facts += [("options", f"{key}: {value!r}") for key, value in model.options.items()]
    if model.recipe is not None:
        facts.append(("recipe", _settings(model.recipe.model_dump(exclude_none=True))))
    facts += [("notes", note) for note in model.notes]
    return facts


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key}: {{{_settings(value)}}}" if isinstance(value, dict) else f"{key}: {value}"
        for key, value in values.items()
    )


def _published(model: Model) -> list[tuple[str, str]]:
    facts = []
    for result in model.published:
        printed = ", ".join(f"{column} {text}" for column, text in result.printed.items())
        facts += [
            (result.row, f"{printed} ({result.source})"),
            (result.row, f"on {result.dataset}, {result.task}. {result.protocol}".rstrip()),
        ]
        facts += [
            (result.row, f"defect of {column}: {why}") for column, why in result.defects.items()
        ]
    return facts


def _print_built(model: Model, n_channels: int, n_times: int, n_classes: int) -> None:
    from harbench.cli.layers import layers_of
    from harbench.cost import measure

    module = model.build(n_channels, n_times, n_classes)
    rows = [
        (layer.name, layer.kind, " x ".join(map(str, layer.output)), f"{layer.parameters:,}")
        for layer in layers_of(module, n_channels, n_times)
    ]
    print_rows(("layer", "what", "output", "parameters#"), rows)
    cost = measure(module, n_channels, n_times)
    typer.echo()
    second = "not counted" if cost.macs_second is None else f"{cost.macs_second:,}"
    facts = [
        ("parameters", f"{cost.parameters:,} ({cost.parameters_with_buffers:,} with buffers)"),
        ("MACs", f"{cost.macs:,} a window; second counter: {second}"),
        ("", cost.counters_note),
        ("weights", f"{cost.weight_bytes:,} bytes"),
    ]
    if cost.latency_median_ms is not None and cost.latency_p95_ms is not None:
        median, p95 = cost.latency_median_ms, cost.latency_p95_ms
        facts.append(("latency", f"{median:.3g} ms a window (95 %: {p95:.3g} ms), one CPU thread"))
    print_facts(facts)


def _print_estimator(model: Model, n_channels: int, n_times: int, n_classes: int) -> None:
    from harbench.training.estimators import build_estimator

    built = build_estimator(model, n_channels, n_times, n_classes, {}, seed=0)
    # What scikit-learn prints of a pipeline takes several lines, and says where functions lie.
    lines = re.sub(r"<function (\S+) at 0x\w+>", r"\1", repr(built)).splitlines()
    print_facts(
        [
            *(("estimator" if number == 0 else "", line) for number, line in enumerate(lines)),
            ("cost", "depends on what it is fitted to: see the tables of harbench run"),
        ]
    )
