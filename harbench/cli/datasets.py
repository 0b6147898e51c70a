"""``harbench datasets``: what there is, what is here, and how to get the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harbench.cli.context import names_of, print_facts, print_rows, registry

if TYPE_CHECKING:
    from harbench.nouns import Channel, Dataset, Split

app = typer.Typer(invoke_without_command=True, help="List the datasets, show one, fetch one.")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A dataset.", autocompletion=names_of("datasets")),
]


@app.callback()
def list_datasets(context: typer.Context) -> None:
    """List the datasets, show one, fetch its files, or simulate them."""
    if context.invoked_subcommand:
        return
    datasets = registry().datasets
    rows = [
        (
            dataset.name,
            _state(dataset),
            f"{dataset.rate_hz:g}",
            str(len(dataset.channels)),
            ", ".join(f"{task.name} ({len(task.classes)})" for task in dataset.tasks),
            datasets.origin(dataset.name).package,
            dataset.title,
        )
        for dataset in datasets
    ]
    print_rows(("dataset", "files", "Hz#", "channels#", "tasks (classes)", "from", "title"), rows)


@app.command()
def show(
    name: Name,
    channels: Annotated[bool, typer.Option("--channels", help="List every channel.")] = False,
) -> None:
    """Show what a dataset is, where its files are, and how to cite it."""
    from harbench.data.folders import dataset_folder

    shelf = registry().datasets
    dataset = shelf.get(name)
    facts = [("name", dataset.name), ("title", dataset.title)]
    if dataset.simulates:
        facts.append(("SIMULATED", f"imitates {dataset.simulates}; no person wore these sensors"))
    facts += [
        ("files", _state(dataset, long=True)),
        ("folder", str(dataset_folder(name))),
        ("licence", dataset.licence),
        ("cite", dataset.citation.text),
    ]
    if dataset.citation.doi:
        facts.append(("", f"https://doi.org/{dataset.citation.doi}"))
    if dataset.citation.url:
        facts.append(("", dataset.citation.url))
    if dataset.url:
        facts.append(("home", dataset.url))
    facts += [("rate", f"{dataset.rate_hz:g} Hz"), ("channels", str(len(dataset.channels)))]
    facts += [("channels", line) for line in _sensors(dataset.channels)]
    for task in dataset.tasks:
        null = "no NULL class" if task.null is None else f"NULL is '{task.classes[task.null]}'"
        classes = ", ".join(task.classes)
        facts.append(("tasks", f"{task.name}: {len(task.classes)} classes, {null}: {classes}"))
    facts += [("splits", f"{key}: {_split(split)}") for key, split in dataset.splits.items()]
    if dataset.archive:
        facts += [("downloads", url) for url in dataset.archive.urls]
    facts += [("notes", note) for note in dataset.notes]
    facts.append(("plugin", str(shelf.origin(name))))
    print_facts(facts)
    if channels:
        typer.echo()
        heads = ("number#", "channel", "sensor", "position", "modality", "axis", "unit")
        print_rows(
            heads,
            [
                (str(c.number), c.name, c.sensor, c.position, c.modality, c.axis, c.unit)
                for c in dataset.channels
            ],
        )


@app.command()
def fetch(
    name: Name,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR_OR_ZIP",
            help="Take the files from here instead of the web: a folder, or the zip file.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="Put them here instead of harbench's data folder."
        ),
    ] = None,
) -> None:
    """Download a dataset and verify every file by its sha256.

    An interrupted download goes on where it stopped. Files that are there and right are kept.
    """
    from harbench.data.folders import dataset_folder

    dataset = registry().datasets.get(name)
    folder = to.expanduser().absolute() if to else dataset_folder(name)
    if dataset.archive is None:
        dataset.sources(folder)  # says itself how to get what is missing
        typer.echo(f"{name}: nothing to fetch, its files are here")
        return
    from harbench.cli.fetch_progress import fetch_progress
    from harbench.data.fetch import fetch as bring

    with fetch_progress() as reporter:
        report = bring(dataset, folder, source=source, reporter=reporter)
    number = len(report.fetched) + len(report.kept)
    typer.echo(
        f"{name}: {number} files verified in {folder} "
        f"({len(report.fetched)} fetched, {len(report.kept)} already there)"
    )
    if to:
        typer.echo(f"a benchmark reads them there with the key  path: {folder}")


@app.command()
def simulate(
    name: Name,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder to write; by default NAME-sim in the data folder."
        ),
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.0001, help="Length, as a share of the real recordings.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other signals.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier simulation.")
    ] = False,
) -> None:
    """Write files in a dataset's own format, with invented signals and known answers."""
    from harbench.cli.simulation import write_simulation
    from harbench.data.folders import dataset_folder

    datasets = registry().datasets
    dataset = datasets.get(name)
    # "opportunity" and the dataset that imitates it both stand for the same simulation.
    imitations = [d for d in datasets if d.simulates == name and d.simulate]
    simulator = dataset if dataset.simulate or not imitations else imitations[0]
    default = name if dataset.simulates else f"{name}-sim"
    folder = out.expanduser().absolute() if out else dataset_folder(default)
    files = write_simulation(simulator, folder, scale=scale, seed=seed, overwrite=overwrite)
    typer.echo(f"{name}: {files} simulated files in {folder} (scale {scale:g}, seed {seed})")


def _state(dataset: Dataset, *, long: bool = False) -> str:
    """Whether the files are here; asked of the plugin, without reading them."""
    from harbench.data.folders import dataset_folder
    from harbench.errors import DataMissingError, HarbenchError

    try:
        sources = dataset.sources(dataset_folder(dataset.name))
    except DataMissingError as error:
        return f"missing: {error}" if long else "missing"
    except HarbenchError as error:
        return f"wrong: {error}" if long else "wrong"
    except Exception as error:  # noqa: BLE001 - one dataset's fault must not hide the others
        return f"fault: {type(error).__name__}: {error}" if long else "fault"
    count = sum(len(source.files) for source in sources)
    return f"ready: {count} {'file' if count == 1 else 'files'}" if long else "ready"


def _sensors(channels: tuple[Channel, ...]) -> list[str]:
    """A line for each sensor: ``BACK (back): accelerometer 3, gyroscope 3``."""
    sensors: dict[tuple[str, str], dict[str, int]] = {}
    for channel in channels:
        modalities = sensors.setdefault((channel.sensor, channel.position), {})
        modalities[channel.modality] = modalities.get(channel.modality, 0) + 1
    return [
        f"{sensor} ({position}): {', '.join(f'{m} {n}' for m, n in modalities.items())}"
        for (sensor, position), modalities in sensors.items()
    ]


def _split(split: Split) -> str:
    """``fixed: train s01-*, s02-*; test s09-*``."""
    parts = []
    for key, value in split.model_dump(exclude={"kind"}, exclude_none=True).items():
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        if text:
            parts.append(f"{key} {text}")
    if split.kind == "random-windows":
        parts.append("LEAKY where windows overlap")
    return f"{split.kind}: {'; '.join(parts)}"
