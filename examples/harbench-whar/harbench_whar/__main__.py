"""``python -m harbench_whar``: lets whar-datasets download and parse a dataset.

This is the only place that runs whar-datasets. It may ask for an account where a dataset's home
does; what it accepts there is between the user and that home.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harbench.nouns.names import plain
from harbench_whar import datasets, table
from harbench_whar.sessions import FILES

INSTALL = 'pip install "git+https://github.com/teco-kit/whar-datasets.git"'


def prepare(dataset: str, folder: Path, *, download: bool = True) -> Path:
    """Download, unpack and parse a dataset into sessions with whar-datasets.

    Args:
        dataset: As whar-datasets calls it.
        folder: Gets a folder of that name.
        download: Whether to fetch; else its files must lie unpacked in ``<dataset>/data``.

    Returns:
        The dataset's folder.
    """
    from whar_datasets import PreProcessingPipeline, WHARDatasetID, get_dataset_cfg

    config = get_dataset_cfg(WHARDatasetID(dataset), datasets_dir=str(folder))
    parse, parsed = config.parse, []

    @wraps(parse)
    def listening(*arguments: Any) -> Any:
        parsed.append(parse(*arguments))
        return parsed[-1]

    config.parse = listening
    try:
        downloading, extracting, parsing, _windowing = PreProcessingPipeline(config).steps
        if download:
            downloading.run(False)
            extracting.run(False)
        # Not from its cache: only a parser that runs says what it calls the activities.
        parsing.run(True)
    finally:
        config.parse = parse
    activities = parsed[0][0]
    said = dict(zip(activities["activity_id"], activities["activity_name"], strict=True))
    if names := parsers_names(said, config.available_activities):
        write_activities(folder / dataset / FILES[1], names)
    else:
        print(
            f"the parser of {dataset} has other names than whar-datasets' configuration, which "
            "gives them by number; check them against the data",
            file=sys.stderr,
        )
    return folder / dataset


def parsers_names(said: Mapping[int, str], configured: Sequence[str]) -> dict[int, str] | None:
    """Activity number -> configured name, by the names that the parser gave.

    whar-datasets replaces the parser's names by those of its configuration, in order. Where a
    parser numbers activities as they come, that gives the walking of HAPT the name "Lie To Sit".

    Returns:
        None where the parser has a name that the configuration does not have.
    """
    known = {plain(name): name for name in configured}
    if not all(plain(name) in known for name in said.values()):
        return None
    return {int(number): known[plain(name)] for number, name in said.items()}


def write_activities(file: Path, names: Mapping[int, str]) -> None:
    """Write activity_df.csv, whole or not at all."""
    new = file.with_suffix(".new")
    with new.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["", "activity_id", "activity_name"])
        table.writerows([row, number, names[number]] for row, number in enumerate(sorted(names)))
    new.replace(file)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 2 where something is missing or unknown."""
    parser = argparse.ArgumentParser(prog="python -m harbench_whar")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("prepare", help="download and parse a dataset with whar-datasets")
    one.add_argument("dataset", choices=[row["id"] for row in datasets.listed()])
    one.add_argument("folder", type=Path, help="gets a folder of the dataset's name")
    one.add_argument(
        "--no-download", action="store_true", help="its unpacked files are in DATASET/data"
    )
    commands.add_parser("versions", help="what is installed, and what this package was made with")
    given = parser.parse_args(arguments)
    if given.command == "versions":
        for library, commit in (("models", table.COMMIT), ("datasets", datasets.COMMIT)):
            try:
                here = version(f"whar-{library}")
            except PackageNotFoundError:
                here = "importable" if find_spec(f"whar_{library}") else "not installed"
            print(f"whar-{library}: {here}; made with commit {commit}")
        return 0
    if find_spec("whar_datasets") is None:
        print(f"whar-datasets is not installed\n  try: {INSTALL}", file=sys.stderr)
        return 2
    print(prepare(given.dataset, given.folder, download=not given.no_download))
    return 0


if __name__ == "__main__":
    sys.exit(main())
