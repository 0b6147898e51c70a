"""Reading OPPORTUNITY's files, for the first and for the second time."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from bench.opportunity import cached_stream, columns, files_in, simulated
from bench.rows import OURS, Done, Place, Row, Side, Work


def _harbench(place: Place) -> Work:
    from harbench.data.stream import open_stream

    dataset, files = simulated(), files_in(place)
    os.environ["HARBENCH_CACHE"] = str(place.scratch / "cache")
    return lambda: Done(len(open_stream(dataset, files).signals))


def _alone(place: Place) -> Work:
    """In this process: what others take would not be counted."""
    from harbench.data.stream import open_stream

    dataset, files = simulated(), files_in(place)
    os.environ["HARBENCH_CACHE"] = str(place.scratch / "cache")
    return lambda: Done(len(open_stream(dataset, files, jobs=1).signals))


def _pandas(place: Place) -> Work:
    import numpy as np
    import pandas as pd

    files, wanted = sorted(files_in(place).glob("*.dat")), columns()

    def work() -> Done:
        frames = [
            pd.read_csv(file, sep=" ", header=None, usecols=wanted, dtype=np.float32)
            for file in files
        ]
        return Done(sum(len(frame) for frame in frames))

    return work


def _polars(place: Place) -> Work:
    import polars

    files, wanted = sorted(files_in(place).glob("*.dat")), columns()
    types = {f"column_{column + 1}": polars.Float32 for column in range(250)}

    def work() -> Done:
        frames = [
            polars.read_csv(
                file, separator=" ", has_header=False, columns=wanted, schema_overrides=types,
                null_values="NaN",
            )
            for file in files
        ]  # fmt: skip
        return Done(sum(len(frame) for frame in frames))

    return work


def _pyarrow(place: Place) -> Work:
    import pyarrow
    from pyarrow import csv

    files, wanted = sorted(files_in(place).glob("*.dat")), [f"f{i}" for i in columns()]
    read = csv.ReadOptions(autogenerate_column_names=True)
    parse = csv.ParseOptions(delimiter=" ")
    convert = csv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pyarrow.float32()),
        null_values=["NaN"],
    )
    pyarrow.set_cpu_count(len(os.sched_getaffinity(0)))

    def work() -> Done:
        tables = [csv.read_csv(file, read, parse, convert) for file in files]
        return Done(sum(table.num_rows for table in tables))

    return work


WHAR = "BENCH_WHAR_DATASETS"


def some_for_whar(place: Place) -> Path:
    """Two of the files, where whar-datasets looks for them: all of them take it half an hour."""
    folder = place.scratch / "whar" / "OpportunityUCIDataset" / "dataset"
    folder.mkdir(parents=True)
    for name in ("S1-ADL4.dat", "S2-ADL4.dat"):
        (folder / name).symlink_to(files_in(place) / name)
    return place.scratch / "whar"


def _whar(place: Place) -> Work:
    sys.path.insert(0, os.environ[WHAR])
    module = importlib.import_module("whar_datasets.config.cfg_opportunity")
    folder = some_for_whar(place)

    def work() -> Done:
        _, _, sessions = module.parse_opportunity(str(folder), "Locomotion")
        return Done(sum(len(frame) for frame in sessions.values()))

    return work


def _second(place: Place) -> Work:
    from harbench.data.stream import open_stream

    cached_stream(place)
    dataset, files = simulated(), files_in(place)
    return lambda: Done(len(open_stream(dataset, files).signals))


def _parquet(place: Place) -> Work:
    import numpy as np
    import pandas as pd

    path = place.folder / f"opportunity-{place.scale:g}.parquet"
    if not path.is_file():
        stream = cached_stream(place)
        frame = pd.DataFrame(np.array(stream.signals))
        frame.columns = [str(name) for name in frame.columns]
        frame = frame.assign(**{task: np.array(of) for task, of in stream.labels.items()})
        frame.to_parquet(path, engine="pyarrow")

    def work() -> Done:
        frame = pd.read_parquet(path, engine="pyarrow")
        return Done(len(frame.iloc[:, :-2].to_numpy(np.float32)))

    return work


ROWS = (
    Row(
        "read", "read OPPORTUNITY's 24 files: 113 channels and labels, into the cache", "rows",
        "wall",
        (
            Side(OURS, _harbench),
            # Within 1.3 times the fastest of them.
            Side("pandas", _pandas, ("pandas",), goal=1 / 1.3),
            Side("polars", _polars, ("polars",), goal=1 / 1.3),
            Side("pyarrow", _pyarrow, ("pyarrow",), goal=1 / 1.3),
        ),
    ),
    Row(
        "read-cpu", "reading the files, in one process", "rows", "cpu",
        (
            Side(OURS, _alone),
            Side("whar-datasets", _whar, ("shortuuid", "tqdm", "dotenv", "pywt"), WHAR, goal=15),
        ),
    ),
    Row(
        "second-start", "second start: dataset ready to train", "rows", "wall",
        (Side(OURS, _second), Side("cached parquet", _parquet, ("pyarrow",), goal=20)),
        at_most=0.2,
    ),
)  # fmt: skip
