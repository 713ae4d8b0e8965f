"""One file over HTTP into a growing part file: continued where it was cut, never longer than announced.

The server is not trusted: only http and https are followed, a part is continued only by a server that says it
continues at that byte, and no more is written than the file should have.
"""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from babysit.show import Show
from babysit.version import VERSION

CHUNK = 256 * 1024
SILENCE_SECONDS = 30.0
FRUITLESS = 3
"""Attempts without a new byte before a host is given up."""


class Refused(Exception):  # noqa: N818 - a finding about a host, collected and shown with the others
    """Why a host did not give the file."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Where a file goes and how long it is: `path` the part file, `size` its bytes once whole.

    `pause` seconds before the second attempt; `silence` seconds without a byte after which a connection is cut.
    """

    path: Path
    size: int
    show: Show
    pause: float = 1.0
    silence: float = SILENCE_SECONDS


def receive(url: str, transfer: Transfer) -> bool:
    """Brings the part file to its full length; says whether it may be pieced together from several connections.

    Raises:
        Refused: with the reason. What has come so far stays for the next attempt.
        OSError: when the part file cannot be written.
    """
    if _length(transfer.path) > transfer.size:
        transfer.path.unlink()
    begun = most = _length(transfer.path)
    connections = fruitless = 0
    while _length(transfer.path) != transfer.size:
        if fruitless:
            time.sleep(transfer.pause * 2 ** (fruitless - 1))
        connections += 1
        try:
            _attempt(url, transfer)
        except _CutError as cut:
            if isinstance(cut, _NotContinuedError):
                transfer.path.unlink(missing_ok=True)
            now = _length(transfer.path)
            fruitless = 0 if now > most else fruitless + 1
            most = max(most, now)
            if fruitless == FRUITLESS:
                raise Refused(f"{cut}; {now:,} of {transfer.size:,} bytes are here") from cut
    return begun > 0 or connections > 1


class _CutError(Exception):
    """The connection did not last; trying again may help."""


class _NotContinuedError(_CutError):
    """The server does not continue where the part ends; trying again from nothing may help."""


def _attempt(url: str, transfer: Transfer) -> None:
    """One connection: asks for what is missing and writes what comes."""
    offset = _length(transfer.path)
    headers = {"User-Agent": f"babysit/{VERSION}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    with _opened(url, headers, transfer.silence) as response:
        start = _start(response, offset, transfer.size)
        with transfer.path.open("r+b" if start else "wb") as stream:
            stream.truncate(start)
            stream.seek(start)
            _copy(response, stream, start, transfer)


def _opened(url: str, headers: dict[str, str], silence: float) -> http.client.HTTPResponse:
    try:
        return _opener().open(urllib.request.Request(url, headers=headers), timeout=silence)
    except urllib.error.HTTPError as error:
        error.close()
        said = f"the server says {error.code} {_plain(error.reason)}"
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _NotContinuedError("the server has nothing more of it") from error
        if error.code in (408, 429) or error.code >= 500:
            raise _CutError(said) from error
        raise Refused(said) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, socket.gaierror):
            raise Refused("there is no such host, or no connection") from error
        if isinstance(reason, ConnectionRefusedError):
            raise Refused("the host does not answer (connection refused)") from error
        if isinstance(reason, TimeoutError):
            raise _CutError("the host does not answer in time") from error
        raise _CutError(f"the connection failed ({_plain(reason)})") from error


def _start(response: http.client.HTTPResponse, offset: int, size: int) -> int:
    """The byte at which the server really begins; a length other than the published one is refused."""
    length = response.headers.get("Content-Length", "")
    announced = int(length) if re.fullmatch(r"\d{1,18}", length, re.ASCII) else None
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", response.headers.get("Content-Range", ""), re.ASCII)
        if found is None or int(found[1]) != offset:
            raise _NotContinuedError("the server continues at another byte than asked")
        if found[2] not in ("*", str(size)):
            raise Refused(f"the file there is {int(found[2]):,} bytes long and not {size:,} as published")
        return offset
    if response.status != http.HTTPStatus.OK:
        raise Refused(f"the server says {response.status} {_plain(response.reason)}")
    if announced is not None and announced != size:
        raise Refused(f"the file there is {announced:,} bytes long and not {size:,} as published")
    return 0


def _copy(response: http.client.HTTPResponse, stream: BinaryIO, done: int, transfer: Transfer) -> None:
    while True:
        try:
            chunk = response.read1(CHUNK)
        except (http.client.HTTPException, OSError) as error:
            stalled = isinstance(error, TimeoutError)
            raise _CutError("the connection went silent" if stalled else "the connection was cut") from error
        if not chunk:
            break
        if done + len(chunk) > transfer.size:
            raise Refused(f"more than the published {transfer.size:,} bytes came")
        stream.write(chunk)
        done += len(chunk)
        transfer.show.downloading(transfer.path.stem, done, transfer.size)
    if done < transfer.size:
        raise _CutError("the connection was cut")


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith(("http://", "https://")):
            raise Refused(f"it leads on to {_plain(newurl)}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> urllib.request.OpenerDirector:
    """http and https alone: the usual opener also reads file: and ftp:."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _plain(said: object) -> str:
    """What a server says, fit for a terminal: its first line, of printable characters."""
    line = (str(said).splitlines() or [""])[0]
    return "".join(letter for letter in line if letter.isprintable())[:100]


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
