"""One seed -> named random streams, counted instead of drawn.

Every random number of the data path is a pure function of (seed, stream, epoch, index), so nothing has to be
saved to resume exactly, and neither workers nor batch boundaries can move it. The mixing function is
SplitMix64's finaliser (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def stream_key(seed: int, stream: str, epoch: int = 0) -> int:
    """A 64-bit key for one named stream of one epoch.

    >>> stream_key(0, "order", 1) != stream_key(0, "order", 2)
    True
    """
    digest = hashlib.blake2b(f"{seed}/{stream}/{epoch}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: a bijection of 64-bit words in which every input bit moves every output bit."""
    with np.errstate(over="ignore"):
        mixed = values + _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
        return mixed ^ (mixed >> np.uint64(31))


def counted(key: int, index: NDArray[np.int64], draws: int) -> NDArray[np.uint64]:
    """Random 64-bit words for each sample.

    Arguments:
        key: from `stream_key`.
        index: sample indices, shape (n,).
        draws: how many independent words a sample needs, at least 1.

    Shape:
        (n, draws).

    >>> a = counted(7, np.array([3, 1, 2]), 2)
    >>> b = counted(7, np.array([1]), 2)
    >>> bool((a[1] == b[0]).all())
    True
    """
    base = mix(index.astype(np.uint64) ^ np.uint64(key))
    with np.errstate(over="ignore"):
        steps = np.arange(1, draws + 1, dtype=np.uint64) * _GOLDEN
        return mix(base[:, None] + steps[None, :])


def below(words: NDArray[np.uint64], bound: int) -> NDArray[np.int64]:
    """Integers from 0 to bound - 1 from random words, by multiply and shift on the upper 32 bits.

    The bias is at most bound / 2**32 (Lemire 2019, "Fast Random Integer Generation in an Interval", section 2).
    """
    assert 1 <= bound < 2**31
    return (((words >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)


def uniform(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Numbers from 0 to below 1 from random words, by their upper 53 bits."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Standard normal numbers, each from two random words (Box and Muller, 1958).

    Shape:
        (n, 2 k) to (n, k).
    """
    one, other = np.split(uniform(words), 2, axis=1)
    return np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)


def permutation(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of the samples in one epoch: a function of (seed, epoch) and nothing else.

    >>> sorted(permutation(0, 3, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    generator = np.random.Generator(np.random.PCG64(stream_key(seed, "order", epoch)))
    return generator.permutation(count).astype(np.int64)
