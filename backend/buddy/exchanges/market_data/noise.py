"""Random numbers by their place: the same (key, index) gives the same number for ever, in any order, on any machine.

Integers come from the SplitMix64 finaliser, so that no library's generator can change them.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.uint64]
Floats = NDArray[np.float64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
MASK = (1 << 64) - 1


@lru_cache(maxsize=1024)
def key(seed: int, name: str) -> int:
    """One stream of numbers per seed and name."""
    mixed = mix(np.array([seed & MASK, zlib.crc32(name.encode())], dtype=np.uint64))
    return int(mixed[0]) ^ (int(mixed[1]) << 1) & MASK


def mix(values: Integers) -> Integers:
    """SplitMix64: neighbours in, strangers out."""
    with np.errstate(over="ignore"):
        state = (values + np.uint64(1)) * GOLDEN
        state = (state ^ (state >> np.uint64(30))) * FIRST
        state = (state ^ (state >> np.uint64(27))) * SECOND
        return np.asarray(state ^ (state >> np.uint64(31)), dtype=np.uint64)


@lru_cache(maxsize=1024)
def offset(stream: int) -> np.uint64:
    """Where a stream begins."""
    return np.uint64(mix(np.array([stream], dtype=np.uint64))[0])


def numbers(stream: int, start: int, count: int) -> Integers:
    """`count` 64-bit numbers of a stream from index `start` on."""
    with np.errstate(over="ignore"):
        return mix(np.arange(start, start + count, dtype=np.uint64) + offset(stream))


def uniform(stream: int, start: int, count: int) -> Floats:
    """In [-1, 1)."""
    return (numbers(stream, start, count) >> np.uint64(11)).astype(np.float64) * (2.0 / (1 << 53)) - 1.0


def bell(stream: int, start: int, count: int) -> Floats:
    """Close to a standard normal: the four 16-bit pieces of a number added (exact integers), centred and scaled."""
    pieces = numbers(stream, start, count).view(np.uint16).reshape(count, 4)
    total = pieces[:, 0].astype(np.int64) + pieces[:, 1] + pieces[:, 2] + pieces[:, 3]
    return np.asarray((total - 4 * 65535 / 2) / (65536 * (4 / 12) ** 0.5))


def smooth(stream: int, positions: Floats, spacing: float) -> Floats:
    """A random curve in [-1, 1): independent values every `spacing`, eased in between. `positions` rise."""
    scaled = positions / spacing
    first = int(np.floor(scaled[0]))
    cells = np.floor(scaled).astype(np.int64) - first
    points = uniform(stream, first, int(cells[-1]) + 2)
    share = scaled - np.floor(scaled)
    eased = share * share * (3 - 2 * share)
    return np.asarray(points[cells] * (1 - eased) + points[cells + 1] * eased)
