"""Downloads, against a server on this machine that does everything wrong that a server can do."""

from __future__ import annotations

import hashlib
import resource
import string
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from babysit.clock import Clock
from babysit.data import corrections, downloads, sources
from babysit.data.catalog import Item, catalog_of
from babysit.data.downloads import DATA_SETS, DataSet, Published, download
from babysit.data.sources import open_source
from babysit.data.transfer import Refused, Transfer, receive
from babysit.errors import UserError
from babysit.recipe import Recipe
from babysit.show import Silent
from babysit.tables import Table
from babysit.training import prepare

CONTENT = np.random.default_rng(0).integers(0, 256, 900_000, np.uint8).tobytes()


@dataclass
class Server:
    """What the server does, and what it was asked.

    `cuts` after how many bytes each next answer breaks off; `ranges` whether it continues where asked, and `shift`
    by how much it continues elsewhere; `length` the length it announces, none for -1; `redirect` where it leads on.
    """

    content: bytes = CONTENT
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    shift: int = 0
    status: int = 200
    length: int | None = None
    redirect: str = ""
    wait: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append((handler.path, wanted))
        if self.redirect and not handler.path.startswith("/moved"):
            handler.send_response(302)
            handler.send_header("Location", self.redirect)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.content):
            handler.send_error(416)
            return
        start = max(0, start + self.shift) if start else 0
        body = self.content[start:]
        status = 206 if wanted and self.ranges and self.status == 200 else self.status
        handler.send_response(status)
        if status == 206:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.length != -1:
            handler.send_header("Content-Length", str(len(body) if self.length is None else self.length))
        handler.end_headers()
        time.sleep(self.wait)
        cut = self.cuts.pop(0) if self.cuts else len(body)
        with suppress(OSError):  # who asked may have gone
            handler.wfile.write(body[:cut])
        handler.close_connection = True


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    """A server on a port of its own, until the test ends."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    behaviour = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        behaviour.address = f"http://127.0.0.1:{http.server_address[1]}/"
        yield behaviour
        http.shutdown()
        thread.join()


def published(name: str = "a.bin", content: bytes = CONTENT) -> Published:
    digests = hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest()
    return Published(name, len(content), *digests)


def data_set(*hosts: str, files: tuple[Published, ...] = ()) -> DataSet:
    return DataSet("https://example.org/page", hosts, files or (published(),))


def fetch(*hosts: str, files: tuple[Published, ...] = ()) -> Path:
    return download("toy", Silent(), data_set=data_set(*hosts, files=files), pause=0.0)


@pytest.fixture
def part(cache_home: Path) -> Path:
    """Where a beginning of the file lies."""
    path = cache_home / "downloads" / "toy" / "a.bin.part"
    path.parent.mkdir(parents=True)
    return path


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.moved: list[tuple[str, int, int]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def downloading(self, name: str, done: int, total: int) -> None:
        self.moved.append((name, done, total))


def test_a_file_comes_once_whole_and_is_told(server: Server, cache_home: Path) -> None:
    told = Told()
    download("toy", told, data_set=data_set(server.address), pause=0.0)
    folder = download("toy", told, data_set=data_set(server.address), pause=0.0)
    assert folder == cache_home / "downloads" / "toy" and (folder / "a.bin").read_bytes() == CONTENT
    assert server.asked == [("/a.bin", "")] and not list(folder.glob("*.part"))
    assert told.said == [f"Downloading toy (0.9 MB) into {folder}"] and told.moved[-1] == ("a.bin", 900_000, 900_000)
    assert [done for _, done, _ in told.moved] == sorted(done for _, done, _ in told.moved)


def test_a_cut_connection_is_continued_where_it_was_cut(server: Server) -> None:
    server.cuts = [100_000, 1, 300_000]
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ["", "bytes=100000-", "bytes=100001-", "bytes=400001-"]


def test_a_later_command_continues_what_an_earlier_one_began(server: Server, part: Path) -> None:
    server.cuts = [500_000, 0, 0, 0]
    with pytest.raises(UserError, match=r"connection was cut; 500,000 of 900,000 bytes are here.*it continues"):
        fetch(server.address)
    assert part.stat().st_size == 500_000
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/a.bin", "bytes=500000-")


def test_a_server_that_cannot_continue_begins_again(server: Server) -> None:
    server.cuts, server.ranges = [100_000, 200_000], False
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("shift", [-7, 7])
def test_a_server_that_continues_elsewhere_is_asked_from_the_start(server: Server, shift: int) -> None:
    server.cuts, server.shift = [100_000], shift
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ["", "bytes=100000-", ""]


def test_a_server_that_always_cuts_is_given_up(server: Server) -> None:
    server.cuts, server.ranges = [100_000] * 50, False
    with pytest.raises(UserError, match="connection was cut"):
        fetch(server.address)
    assert len(server.asked) == 4


@pytest.mark.parametrize("rest", [b"\0" * 500_000, CONTENT[::-1], b"\0" * 1_000_000], ids=["part", "whole", "too long"])
def test_a_beginning_that_is_of_another_file_is_thrown_away(server: Server, part: Path, rest: bytes) -> None:
    part.write_bytes(rest)
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT


def test_wrong_bytes_are_removed_and_told(server: Server, part: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(UserError, match=r"checksum does not match.*what came was removed") as caught:
        fetch(server.address)
    assert not part.exists() and not part.with_name("a.bin").exists()
    assert "https://example.org/page" in str(caught.value)


def test_both_checksums_must_fit(server: Server) -> None:
    wrong = replace(published(), md5="0" * 32)
    with pytest.raises(UserError, match="MD5"):
        fetch(server.address, files=(wrong,))


def test_the_next_host_is_asked_and_goes_on(server: Server) -> None:
    server.cuts = [400_000, 0, 0, 0]
    assert (fetch(server.address + "one/", server.address + "two/") / "a.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/two/a.bin", "bytes=400000-")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"status": 404}, "the server says 404"),
        ({"status": 403}, "the server says 403"),
        ({"status": 503}, "the server says 503"),
        ({"status": 204}, "the server says 204"),
        ({"length": 900_001}, "is 900,001 bytes long and not 900,000 as published"),
        ({"content": CONTENT[:-1]}, "is 899,999 bytes long"),
        ({"content": CONTENT + b"x", "length": -1}, "more than the published 900,000 bytes came"),
        ({"content": CONTENT[:-1], "length": -1}, "bytes are here"),
        ({"content": b""}, "nothing more of it"),
        ({"redirect": "file:///etc/passwd"}, "file:///etc/passwd"),
        ({"redirect": "ftp://127.0.0.1/x"}, "leads on to ftp://127.0.0.1/x, which is not followed"),
        ({"redirect": "http://127.0.0.1:1/x"}, "connection refused"),
        ({"redirect": "/a.bin"}, "infinite loop"),
    ],
)
def test_what_a_server_does_wrong_is_told(server: Server, harm, said: str) -> None:
    for name, value in harm.items():
        setattr(server, name, value)
    with pytest.raises(UserError, match=said) as caught:
        fetch(server.address)
    assert "a.bin could not be downloaded" in str(caught.value) and "\n" not in str(caught.value)


def test_an_honest_redirect_is_followed(server: Server) -> None:
    server.redirect = server.address + "moved/a.bin"
    server.cuts = [100_000]
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/moved/a.bin", "bytes=100000-")


def test_a_host_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(UserError, match=r"no such host, or no connection.*connection refused.*BABYSIT_DOWNLOADS"):
        fetch("http://nowhere.invalid/", "http://127.0.0.1:1/")
    for wrong in ("http://./", "http://[/", "http://127.0.0.1:port/"):
        with pytest.raises(UserError, match=r"connection failed|no such host"):
            fetch(wrong)


def test_a_silent_server_is_not_waited_for_for_ever(server: Server, tmp_path: Path) -> None:
    server.wait = 0.6
    with pytest.raises(Refused, match="went silent"):
        receive(server.address + "a.bin", Transfer(tmp_path / "x.part", 900_000, Silent(), pause=0.0, silence=0.1))


def test_two_at_once_fetch_once(server: Server) -> None:
    server.wait = 0.3
    told = [Told(), Told()]
    with ThreadPoolExecutor(2) as pool:
        wanted = data_set(server.address)
        folders = list(pool.map(lambda show: download("toy", show, data_set=wanted), told))
    assert folders[0] == folders[1] and len(server.asked) == 1
    assert sum("Another process is downloading toy" in " ".join(one.said) for one in told) == 1


def test_a_full_disk_is_told_and_what_came_is_kept(server: Server, part: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(UserError, match="the disk is full: the download of toy could not be written"):
            fetch(server.address)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert part.stat().st_size == 300_000
    assert (fetch(server.address) / "a.bin").read_bytes() == CONTENT
    assert server.asked[-1] == ("/a.bin", "bytes=300000-")


def test_a_place_that_cannot_be_written_is_told(server: Server, cache_home: Path) -> None:
    (cache_home / "downloads").write_text("in the way", encoding="utf-8")
    with pytest.raises(UserError, match=r"the download of toy could not be written.*BABYSIT_CACHE"):
        fetch(server.address)
    assert server.asked == []


def test_a_mirror_is_asked_instead(server: Server, monkeypatch) -> None:
    monkeypatch.setenv("BABYSIT_DOWNLOADS", server.address + "kept")
    fetch("http://nowhere.invalid/")
    assert server.asked == [("/kept/toy/a.bin", "")]
    monkeypatch.setenv("BABYSIT_DOWNLOADS", "file:///tmp")
    with pytest.raises(UserError, match="begins with http"):
        fetch("http://nowhere.invalid/", files=(published("b.bin"),))


def test_a_name_is_downloaded_and_read(server: Server, monkeypatch) -> None:
    labels, pixels = bytes([0, 1, 2] * 2), bytes(range(6 * 4 * 4))
    contents = {
        "train-images-idx3-ubyte": b"\0\0\x08\3\0\0\0\6\0\0\0\4\0\0\0\4" + pixels,
        "train-labels-idx1-ubyte": b"\0\0\x08\1\0\0\0\6" + labels,
    }
    files = tuple(published(name, content) for name, content in contents.items())
    table = Table("data set", {"mnist": data_set(server.address, files=files)})
    for module in (downloads, sources):
        monkeypatch.setattr(module, "DATA_SETS", table)
    show = Told()
    for name, content in contents.items():
        server.content = content
        if name.startswith("train-images"):  # the second file then has the wrong length, and the next command goes on
            with pytest.raises(UserError, match=r"train-labels.*bytes long and not"):
                open_source("mnist", show)
    catalog = open_source("mnist", show)
    assert catalog.source == "mnist" and catalog.classes == ("0", "1", "2") and not catalog.flips and len(catalog) == 6
    assert "Downloading mnist" in show.said[0]


def test_a_download_is_no_part_of_a_budget(monkeypatch) -> None:
    def slow(name: str, show: object) -> None:
        assert name == "mnist" and show
        time.sleep(0.4)

    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16), np.uint8)
    items = [Item(str(row), "ab"[row % 2], "", "s") for row in range(6)]
    catalog = catalog_of("mnist", items, lambda name: images[int(name)])
    monkeypatch.setattr(prepare, "bring", slow)
    monkeypatch.setattr(corrections, "open_source", lambda *_: catalog)
    clock = Clock(time.perf_counter())
    asked = Recipe.model_validate({"data": {"source": "mnist"}, "train": {"budget": 60}})
    prepare.look(asked, clock, lists=corrections.Lists(), show=Told())
    assert clock.totals()["download"] >= 0.4
    assert clock.running() == pytest.approx(clock.this_session() - clock.totals()["download"], abs=0.02)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("cifar-10", "cifar10"), ("CIFAR100", "cifar100"), ("fashion_mnist", "fashion-mnist"), ("MNIST", "mnist")],
)
def test_another_spelling_of_a_name_is_suggested_and_not_taken(wrong: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"Did you mean '{meant}'"):
        open_source(wrong)


def test_the_published_checksums_have_their_form() -> None:
    assert set(DATA_SETS) == {"cifar10", "cifar100", "mnist", "fashion-mnist"}
    files = [file for one in DATA_SETS.values() for file in one.files]
    assert len({file.sha256 for file in files}) == len({file.md5 for file in files}) == len(files) == 10
    for file in files:
        assert len(file.sha256) == 64 and len(file.md5) == 32 and file.size > 4000
        assert set(file.sha256 + file.md5) <= set(string.digits + "abcdef")
    assert all(host.endswith("/") for one in DATA_SETS.values() for host in one.hosts)
