"""Damaged files, each read right or refused in a sentence, and soon.

    HARBENCH_THOROUGH=1 pytest tests/fuzz/test_fuzz.py

tries more than a hundred thousand; else it is the first tenth of those of each parser.
"""

from __future__ import annotations

import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from targets import Target, all_targets

from harbench.errors import HarbenchError
from toys.thorough import THOROUGH

AT_LEAST = 100_000 if THOROUGH else 10_000
LONGEST_S = 5.0
MOST_MEMORY = 1_500_000_000


class HangError(BaseException):
    """Not an Exception, so that no parser's ``except`` takes it for damage."""


@contextmanager
def watchdog() -> Iterator[None]:
    """Each case sets the timer anew. Processor time: a busy machine makes no fault."""

    def hang(*_: object) -> None:
        raise HangError(f"not done after {LONGEST_S:g} s of processor time")

    before = signal.signal(signal.SIGPROF, hang)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def outcome(target: Target, content: bytes) -> str:
    """ "accepted", "refused", or what went wrong."""
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    try:
        return "accepted" if target.run(content) else "refused"
    except HarbenchError as error:
        return "refused" if presentable(error) else f"fault: cannot be printed: {error!r}"
    # Whatever it is, it is what we look for.
    except (Exception, HangError) as error:  # noqa: BLE001
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"fault: {type(error).__name__}: {str(error)[:200]} ({frame.filename}:{frame.lineno})"
        )
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def presentable(error: HarbenchError) -> bool:
    """Visible characters only: what stands in a file must not move the cursor. And not a book."""
    lines = str(error).split("\n")
    return all(line.isprintable() for line in lines) and len(lines) <= 12 and len(lines[0]) < 2000


def tried(target: Target) -> int:
    return target.cases if THOROUGH else -(-target.cases // 10)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_no_damage_ends_otherwise_than_in_a_result_or_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HARBENCH_CACHE", str(tmp_path / "cache"))
    counts: dict[str, Counter[str]] = {}
    faults: dict[str, list[str]] = {}
    lines = []
    targets = all_targets(tmp_path)
    cases = {target.name: tried(target) for target in targets}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings(), watchdog():
        warnings.simplefilter("error")
        for target in targets:
            began = time.perf_counter()
            counts[target.name] = Counter()
            for number in range(cases[target.name]):
                content = target.content(number)
                what = outcome(target, content)
                counts[target.name][what.split(":")[0]] += 1
                if what.startswith("fault"):
                    # To see it again: Target.content(number) of the target of that name.
                    first = f"{target.name}, case {number}: {what[7:]}; {content[:80]!r}"
                    faults.setdefault(f"{target.name} {what[-60:]}", []).append(first)
            seconds = time.perf_counter() - began
            lines.append(f"{target.name:26s} {dict(counts[target.name])} {seconds:.1f} s")
    total = sum(sum(count.values()) for count in counts.values())
    with capsys.disabled():
        print("", *lines, f"{total:,} cases", sep="\n")
    shown = [f"{found[0]} ({len(found)} times)" for found in faults.values()]
    assert not shown, "\n".join(shown)
    assert total >= AT_LEAST
    for target in targets:
        # A parser that refuses or accepts all was not fuzzed.
        assert counts[target.name].total() == cases[target.name]
        taken, refused = (counts[target.name][what] for what in ("accepted", "refused"))
        assert not target.both or min(taken, refused) > 0, target.name
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    assert grown < MOST_MEMORY, f"a damaged file made the process grow by {grown:,} bytes"
