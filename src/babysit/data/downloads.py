"""Data sets by name: fetched once from where they are published, checked, and kept in the cache folder.

    CACHE/downloads/<name>/<file>         whole, of the published size and checksum
    CACHE/downloads/<name>/<file>.part    a beginning, which the next attempt continues

A file gets its name only when it is whole, so what has the name can be used. The checksums make it all the same
which host a file comes from and whether the way there is encrypted.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from babysit.data.transfer import Refused, Transfer, receive
from babysit.errors import UserError, writing
from babysit.places import cache_home
from babysit.record import atomic
from babysit.show import Show
from babysit.tables import Table

MIRROR = "BABYSIT_DOWNLOADS"
"""An environment variable: the address of a mirror, asked instead of the public hosts for MIRROR/NAME/FILE."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file as its publishers describe it: size in bytes, MD5 and SHA-256 in hexadecimal."""

    name: str
    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """Files that are published together.

    `page` where people read about them; `hosts` addresses under which all of the files lie, asked in this order.
    """

    page: str
    hosts: tuple[str, ...]
    files: tuple[Published, ...]


# CIFAR. MD5: the table under "Download" on the data's page, and torchvision/datasets/cifar.py. SHA-256:
# keras/src/datasets/cifar10.py and cifar100.py. Size: the length that the server gives, as logs of wget and of
# torchvision quote it (170498071, 169001437). The page's address now leads to cave.cs.toronto.edu.
_CIFAR_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_CIFAR_HOSTS = ("https://cave.cs.toronto.edu/kriz/", "https://www.cs.toronto.edu/~kriz/")

# MNIST. MD5 and the first host: torchvision/datasets/mnist.py. Size, SHA-256 and the second host:
# tensorflow_datasets/url_checksums/mnist.txt. The page's own server no longer gives the files (403).
_MNIST = DataSet(
    "http://yann.lecun.com/exdb/mnist/",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    (
        Published(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Published(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "d53e105ee54ea40749a09fcbcd1e9432",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        Published(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "9fb629c4189551a2d022fa330f9573f3",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "ec29112dd5afa0611ce80d1b7f02629c",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
)

# Fashion-MNIST. MD5 and the first host: the table under "Get the Data" in the README of the page. Size and SHA-256:
# tensorflow_datasets/url_checksums/fashion_mnist.txt. The second host is data/fashion of the page's repository.
_FASHION_MNIST = DataSet(
    "https://github.com/zalandoresearch/fashion-mnist",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    (
        Published(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        Published(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "25c81989df183df01b3e8a0aad5dffbe",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        Published(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "bef4ecab320f06d8554ea6380940ec79",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "bb300cfdad3c16e7a12a480ee83cd310",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
)

DATA_SETS: Table[DataSet] = Table(
    "data set to download",
    {
        "cifar10": DataSet(
            _CIFAR_PAGE,
            _CIFAR_HOSTS,
            (
                Published(
                    "cifar-10-python.tar.gz",
                    170_498_071,
                    "c58f30108f718f92721af3b95e74349a",
                    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                ),
            ),
        ),
        "cifar100": DataSet(
            _CIFAR_PAGE,
            _CIFAR_HOSTS,
            (
                Published(
                    "cifar-100-python.tar.gz",
                    169_001_437,
                    "eb9058c3a382ffc7106e4002c42a8d85",
                    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                ),
            ),
        ),
        "mnist": _MNIST,
        "fashion-mnist": _FASHION_MNIST,
    },
)


def download(name: str, show: Show, *, data_set: DataSet | None = None, pause: float = 1.0) -> Path:
    """The folder with all files of a data set, fetched if they are not there yet.

    Two processes may ask at once: one fetches, the other waits.

    Arguments:
        name: an entry of DATA_SETS, and the folder's name.
        data_set: what to fetch under this name instead of the entry.
        pause: seconds before a host that gave nothing is asked again.

    Raises:
        UserError: when no host gives a file as it was published, or it cannot be kept.
    """
    published = data_set or DATA_SETS[name]
    folder = cache_home() / "downloads" / name
    if all(_is_kept(folder, file) for file in published.files):
        return folder
    hosts = _hosts(name, published)
    with writing(folder, f"the download of {name}"):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, name, show):
            missing = [file for file in published.files if not _is_kept(folder, file)]
            megabytes = sum(file.size for file in missing) / 1e6
            if missing:
                show.say(f"Downloading {name} ({megabytes:,.1f} MB) into {folder}")
            for file in missing:
                part = Transfer(folder / f"{file.name}.part", file.size, show, pause)
                _fetch(file, hosts, part, published.page)
    return folder


def _hosts(name: str, published: DataSet) -> Sequence[str]:
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return published.hosts
    if not mirror.startswith(("http://", "https://")):
        raise UserError(f"{MIRROR} is {mirror!r}", legal="an address that begins with http:// or https://")
    return (f"{mirror.rstrip('/')}/{name}/",)


def _is_kept(folder: Path, file: Published) -> bool:
    try:
        return (folder / file.name).stat().st_size == file.size
    except OSError:
        return False


def _fetch(file: Published, hosts: Sequence[str], transfer: Transfer, page: str) -> None:
    """Asks the hosts one after another; a beginning from one is continued by the next."""
    reasons = []
    for host in hosts:
        try:
            pieced = receive(host + file.name, transfer)
            if pieced and _differs(transfer.path, file):
                transfer.path.unlink()  # its pieces may be of different files: once more, from nothing
                receive(host + file.name, transfer)
            if wrong := _differs(transfer.path, file):
                transfer.path.unlink()
                raise Refused(f"{wrong}; what came was removed")
        except Refused as refused:
            reasons.append(f"{host}: {refused}")
            continue
        _publish(transfer.path, transfer.path.with_name(file.name))
        return
    raise UserError(
        f"{file.name} could not be downloaded ({'; '.join(reasons)})",
        hint=f"Check the connection (HTTPS_PROXY and HTTP_PROXY are followed) and run the command again: it continues. "
        f"Or set {MIRROR} to a mirror, or get the files of {page} by other means and give their folder",
    )


def _differs(path: Path, file: Published) -> str:
    """Which checksum is not the published one, or nothing."""
    digests = {"SHA-256": hashlib.sha256(), "MD5": hashlib.md5(usedforsecurity=False)}
    with path.open("rb") as stream:
        while chunk := stream.read(2**20):
            for digest in digests.values():
                digest.update(chunk)
    for kind, published in (("SHA-256", file.sha256), ("MD5", file.md5)):
        if (found := digests[kind].hexdigest()) != published:
            return f"the checksum does not match ({kind} is {found[:16]}..., published is {published[:16]}...)"
    return ""


def _publish(part: Path, path: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)
    atomic.sync_directory(path.parent)


@contextmanager
def _alone(folder: Path, name: str, show: Show) -> Iterator[None]:
    """Holds the folder for this process; the lock ends with it, however it ends."""
    with (folder / ".lock").open("a+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            show.say(f"Another process is downloading {name}: waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks: then the checksum alone guards what two write at once
        yield
