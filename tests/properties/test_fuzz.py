"""Good files damaged at random: a reader reads them or refuses them in its own words, and does nothing else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readers import READERS, attempt

EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

SEEDS = {name: reader.seeds() for name, reader in READERS.items()}


@st.composite
def damaged(draw, name: str) -> bytes:
    """One of the reader's good files with up to four damages: numbers overwritten, pieces cut, doubled or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS[name])))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["number", "byte", "cut", "double", "insert", "end"]))
        if kind == "number":
            data[place : place + 4] = struct.pack("<L", draw(st.sampled_from(EXTREMES)))
        elif kind == "byte":
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 64))]
        elif kind == "double":
            data[place:place] = data[place : place + draw(st.integers(1, 600))]
        elif kind == "insert":
            data[place:place] = draw(st.binary(max_size=16))
        else:
            del data[place:]
    return bytes(data)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused(name: str) -> None:
    @given(damaged(name))
    @settings(max_examples=120)
    def check(data: bytes) -> None:
        attempt(READERS[name], data)

    check()


@pytest.mark.parametrize("name", READERS)
def test_the_good_files_are_read(name: str) -> None:
    """Else the test above would only see refusals."""
    for seed in SEEDS[name]:
        attempt(READERS[name], seed)
