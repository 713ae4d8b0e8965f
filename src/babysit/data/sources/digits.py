"""`digits`: 1,797 handwritten digits of 8x8 pixels, built in; nothing is downloaded.

The file is scikit-learn's copy of the test part of "Optical Recognition of Handwritten Digits" (Alpaydin and
Kaynak, UCI, 1998). It is read without importing scikit-learn, which would cost more than the training's start.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from babysit.data.catalog import Catalog, Item, catalog_of
from babysit.errors import UserError

BRIGHTEST = 16  # the file counts dark pixels in 4x4 blocks: 0 to 16


def digits(source: str) -> Catalog:
    """The digits, as pixels. A mirrored digit is another sign: no flips.

    Raises:
        UserError: when scikit-learn's file is not there.
    """
    package = importlib.util.find_spec("sklearn")
    places = package.submodule_search_locations if package else None
    path = Path(places[0]) / "datasets" / "data" / "digits.csv.gz" if places else Path("digits.csv.gz")
    if not path.is_file():
        raise UserError("scikit-learn's digits file is missing", where=str(path), hint="pip install scikit-learn")
    with gzip.open(path, "rt") as stream:
        table = np.loadtxt(stream, delimiter=",", dtype=np.int64)
    pixels = np.rint(table[:, :-1].reshape(-1, 8, 8) * (255 / BRIGHTEST)).astype(np.uint8)
    names = [f"{label}/digit-{index:04d}" for index, label in enumerate(table[:, -1])]
    number = {name: index for index, name in enumerate(names)}
    items = [Item(name, name[0], "", "1") for name in names]
    return catalog_of(source, items, lambda name: pixels[number[name]], flips=False)
