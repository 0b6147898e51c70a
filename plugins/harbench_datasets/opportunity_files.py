"""The 24 files of OPPORTUNITY: their names, rows, bytes and hashes, and where they lie in a folder.

Rows: printed by the notebook that TimeEval prepared the data with. Bytes and sha256: the
git-lfs pointers of a public copy. The totals agree with what other projects report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TABLE = """\
S1-ADL1  51116 51803164 2b247432acbe4d3970f052c1e3e7ff8d2fc98ba5c49f95e2a0d63a32c553aab8
S1-ADL2  32224 32761206 cb7951936acb4637e27b3c8c95480341354a93ba90a5cce232526279d2f127ba
S1-ADL3  33273 33899243 118378e10af6bf042a65f7d14234993b9e1229ef12b4dc75afff1a79760f7132
S1-ADL4  32955 34242592 283cf48e4114b4fb05a7def13c29b5497a0e02947ca5855d831fc68b72eec1c8
S1-ADL5  30127 30729238 8519f3a4c09ee10c67215aef53520152355ddadf0d70b5b708998478b0c53a1c
S1-Drill 54966 56321443 26b5e4d9f40243cc64471592bf86a5a282b0bde864b1efcdd5699d5a7f00bf42
S2-ADL1  42797 43165447 38d76a30b49b6fff3dcc77cec676a19de5c252ed14c10b7400b4666997fa7f1f
S2-ADL2  30182 30710584 b30f15e8a1927cd19427e2b1028bc787df06810466fd548523fc6a11e2d01aed
S2-ADL3  34232 34808274 64eca28aa6cefc38e6362510f95d2a770d3a4e6c8b2326fd6608d7c10707240e
S2-ADL4  32748 33124185 25cd0d6eb7e0fd9a9786d213ffdac131f06a5279e24d78ff50b1621a3fa205d1
S2-ADL5  31826 32398053 2300842180e2640aa9512d602c0a7ba6ee1a4ef1999889b34bceb110dc5c5c0d
S2-Drill 53398 54381079 98e7ed170e860457198fd1346f4b284d7ae5983e5de78d3924273ec47fa8e78f
S3-ADL1  37223 37810795 1b15fc4766ba9a79f8ec97c15bb4cb128e7a2fd2c08f8dcb60dec65ca543e699
S3-ADL2  27825 28329759 a61b0418486f07114719d30ea6bf119e530f233d36d8eee7da542946b0358f4a
S3-ADL3  26717 27222179 ad976087c3c428f75d5a83df82640935323b3923eb8256466c99e7d2c556590a
S3-ADL4  27681 27972830 e2502620983c38ecb78b21ca232516decc64753ad476ea242d3cbebcba20e637
S3-ADL5  26495 27048082 8c66c65e561c4b2a8fb36d40cbca36cee246d6fad6072b097fcb3ee0ed8620fa
S3-Drill 70928 72116889 3f5c13d4e52ea96f218040480e68bdf279818e7ea99d7dba7a78c12f2e21f7f1
S4-ADL1  41588 42129019 9a9a6fedd1889f9210ff3ecc0d9ee9da602bd11a3a86f629ac06273a9b8bb98a
S4-ADL2  27737 28272896 022be538306b443096667f37909d2a4a6f69222ddd2381a63160efc6ef146a04
S4-ADL3  25132 26254876 f81f5d19cf3f76e531e2af5aab2333f6a776d82202869c740ee7791c1095fd7f
S4-ADL4  22230 22661204 d2f5bd0e2f770ef8cbc0e1b11cab1ea9fe537d1bef3586dc92c395fd47b1426d
S4-ADL5  30527 31116303 1ace7199f8a5285691a58326ded0a2932ea56d8f43da537ff23db0ad359e7ef6
S4-Drill 45460 46154259 9076c861d9b5ad94345abf61659064f8e7b94e73d29518ab30e156a30555a3bd
"""

# Of the old archive at UCI; the members lie in the same place in every packing that is known.
ARCHIVE_FOLDER = "OpportunityUCIDataset/dataset"

# A folder of simulated files holds these two besides; either of them gives it away.
MANIFEST = "simulation.json"
MARKER = "SIMULATED.txt"


@dataclass(frozen=True)
class DataFile:
    """One run of one subject.

    Args:
        session: "S1-ADL1": the recording's name; the file is ``S1-ADL1.dat``.
        rows: Samples, one a line.
        size: Bytes.
        sha256: Of the bytes.
    """

    session: str
    rows: int
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """File name."""
        return f"{self.session}.dat"

    @property
    def subject(self) -> str:
        """ "S1" ... "S4"."""
        return self.session.split("-")[0]

    @property
    def is_drill(self) -> bool:
        """Whether it is the run of 20 repetitions of a fixed sequence."""
        return self.session.endswith("-Drill")


def _parse(line: str) -> DataFile:
    session, rows, size, sha256 = line.split()
    return DataFile(session, int(rows), int(size), sha256)


# Subject by subject, ADL1 ... ADL5, then Drill.
FILES: tuple[DataFile, ...] = tuple(_parse(line) for line in _TABLE.splitlines())


def places(folder: Path) -> tuple[Path, ...]:
    """Where the files may lie in a folder: in it, or where the archive has them."""
    return (folder, folder / ARCHIVE_FOLDER, folder / "dataset")


def best_place(folder: Path) -> Path:
    """The one of :func:`places` that holds the most of the 24 files; the first on a tie."""
    return max(places(folder), key=lambda place: len(FILES) - len(missing_in(place)))


def missing_in(place: Path) -> list[str]:
    """Names of the files that are not there, in order."""
    return [file.name for file in FILES if not (place / file.name).is_file()]


def listed(names: Iterable[str], at_most: int = 5) -> str:
    """ "a, b, c and 7 more"."""
    names = list(names)
    shown = ", ".join(names[:at_most])
    return shown if len(names) <= at_most else f"{shown} and {len(names) - at_most} more"
