"""Downloading one large file: resumed after a cut, tried again after a fault, never mixed up.

What has arrived lies in a ``.part`` file; beside it a small JSON file says which bytes these are
(address, ETag, date, length). Only a continuation of the same bytes is appended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harbench.data.disk import check_room, write_all, writing

if TYPE_CHECKING:
    from requests import Response

CHUNK = 1 << 18
# Faults in a row that brought no new byte, and faults in all, before an address is given up.
TRIES = 5
MOST_TRIES = 100


class Reporter(Protocol):
    """What a long step tells whoever waits for it."""

    def say(self, text: str) -> None:
        """One line that stands by itself."""

    def bytes_done(self, what: str, done: int, total: int | None, *, kept: int = 0) -> None:
        """``done`` of ``total`` bytes of a step are done, ``kept`` of them by an earlier run."""


class Quiet:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Drop the line."""

    def bytes_done(self, what: str, done: int, total: int | None, *, kept: int = 0) -> None:
        """Drop the count."""


class UnreachableError(Exception):
    """An address gives no file; the text says why."""


class _FaultError(Exception):
    """A fault that may pass; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Resuming:
    """A downloader for :func:`pooch.retrieve` that continues where the last one stopped.

    Args:
        part: Where the bytes gather.
        room: Bytes that must stay free beside the download (to unpack it, say).
        reporter: Is told of progress and of faults.
        sleep: Waits between tries; tests pass their own.
        timeout: Seconds without a byte that count as a fault.
    """

    def __init__(
        self,
        part: Path,
        *,
        room: int = 0,
        reporter: Reporter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 30.0,
    ) -> None:
        self.part = part
        self.notes = part.with_name(part.name + ".json")
        self.room = room
        self.reporter = reporter or Quiet()
        self.sleep = sleep
        self.timeout = timeout

    def __call__(self, url: str, output_file: Any, pooch: Any = None) -> None:
        """Bring the file at ``url`` to ``output_file``.

        Raises:
            UnreachableError: the address gives no file, or not within the tries.
            DataError: the disk is full.
        """
        self.download(url)
        self.part.replace(output_file)
        self.notes.unlink(missing_ok=True)

    def download(self, url: str) -> None:
        """Bring the file at ``url`` to ``part``, whole."""
        if self._notes().get("url") != url:
            self.discard()
        best, in_a_row = self._have(), 0
        for _ in range(MOST_TRIES):
            try:
                self._try(url)
                return
            except _FaultError as fault:
                why, wait = str(fault), fault.wait
            have = self._have()
            in_a_row = 1 if have > best else in_a_row + 1
            best = max(best, have)
            if in_a_row >= TRIES:
                break
            pause = 2.0 ** (in_a_row - 1) if wait is None else wait
            self.reporter.say(f"{why}; trying again in {pause:g} s")
            self.sleep(pause)
        tries = f"{TRIES} times in a row" if in_a_row >= TRIES else f"after {MOST_TRIES} tries"
        raise UnreachableError(f"{why} ({tries})")

    def discard(self) -> None:
        """Forget what has arrived."""
        # The bytes first: notes without bytes are harmless, bytes without notes are not.
        self.part.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _notes(self) -> dict[str, Any]:
        try:
            notes = json.loads(self.notes.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def _try(self, url: str) -> None:
        have, notes = self._have(), self._notes()
        if have and have == notes.get("total"):
            return
        headers = {"User-Agent": "harbench", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            # A weak ETag (W/"...") cannot vouch for bytes (RFC 9110, section 13.1.5).
            etag = str(notes.get("etag") or "")
            if_range = notes.get("modified") if etag.startswith("W/") or not etag else etag
            if if_range:
                headers["If-Range"] = str(if_range)
        with self._get(url, headers) as response:
            total, start = self._judge(response, have, notes)
            if start is None:
                return
            check_room(self.part.parent, self.room + max(0, (total or 0) - start))
            if start == 0:
                self._start_afresh(url, response, total)
            self._receive(response, start, total)

    @contextmanager
    def _get(self, url: str, headers: dict[str, str]) -> Iterator[Response]:
        from urllib.parse import urlsplit

        import requests
        from urllib3.exceptions import ReadTimeoutError

        try:
            with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as response:
                yield response
        except requests.exceptions.SSLError as error:
            raise UnreachableError("its certificate is not accepted") from error
        except requests.exceptions.Timeout as error:
            raise _FaultError(f"no answer within {self.timeout:g} s") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise _FaultError(f"the connection was cut after {self._have():,} bytes") from error
        except requests.exceptions.ConnectionError as error:
            if isinstance(error.args[0] if error.args else None, ReadTimeoutError):
                raise _FaultError(f"no byte came within {self.timeout:g} s") from error
            raise _FaultError(f"no connection to {urlsplit(url).netloc}") from error
        except requests.exceptions.RequestException as error:
            raise UnreachableError(f"not an address to download from ({error})") from error

    def _judge(
        self, response: Response, have: int, notes: dict[str, Any]
    ) -> tuple[int | None, int | None]:
        """(length of the whole file, first byte of this answer); start None: all is here."""
        code, given = response.status_code, response.headers
        if code == 200:
            encoded = given.get("Content-Encoding", "identity") != "identity"
            length = given.get("Content-Length", "")
            return (int(length) if length.isdigit() and not encoded else None), 0
        if code == 206 and have:
            span, _, size = given.get("Content-Range", "").partition("/")
            total = int(size) if size.isdigit() else None
            same = all(
                notes.get(key) in (None, value)
                for key, value in (("total", total), *_validators(response).items())
                if value is not None
            )
            if same and span.startswith(f"bytes {have}-"):
                return total, have
            self.discard()
            raise _FaultError("the server's file has changed; starting again")
        if code == 416:
            if given.get("Content-Range") == f"bytes */{have}" and have:
                return have, None
            self.discard()
            raise _FaultError("the server's file is not the one begun; starting again")
        if code in (408, 425, 429) or code >= 500:
            after = given.get("Retry-After", "")
            wait = min(float(after), 60.0) if after.isdigit() else None
            raise _FaultError(f"the server answered {code} {response.reason}".rstrip(), wait)
        raise UnreachableError(f"the server answered {code} {response.reason}".rstrip())

    def _start_afresh(self, url: str, response: Response, total: int | None) -> None:
        self.discard()
        notes = {"url": url, "total": total, **_validators(response)}
        with writing(self.notes):
            self.notes.write_text(json.dumps(notes), "utf-8")

    def _receive(self, response: Response, start: int, total: int | None) -> None:
        done = start
        # A short body must not take its last chunk with it; its length is checked below.
        response.raw.enforce_content_length = False
        with writing(self.part):
            file = self.part.open("ab", buffering=0)
        with file:
            for chunk in response.iter_content(CHUNK):
                with writing(self.part):
                    write_all(file, chunk)
                done += len(chunk)
                self.reporter.bytes_done("download", done, total, kept=start)
        if total is not None and done < total:
            raise _FaultError(f"the connection was cut after {done:,} of {total:,} bytes")


def _validators(response: Response) -> dict[str, str | None]:
    return {
        "etag": response.headers.get("ETag"),
        "modified": response.headers.get("Last-Modified"),
    }
