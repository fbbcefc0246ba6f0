"""Turn text into a vector without a model: good enough to find related passages."""

from __future__ import annotations

import math
import re
from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DIMENSIONS", "PROVIDER", "VECTOR_MODEL", "embed", "pieces", "tokens"]

DIMENSIONS = 1536
PROVIDER = "local"
VECTOR_MODEL = "hashed-ngrams"

_TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
# they say how a sentence is built, not what it is about
_COMMON = frozenset(
    """
    a an and are as at be been before but by can do does each for from get has have
    how i if in into is it its me more most must my no not of on one or our should
    so such than that the their them then there they this to was were what when where
    which while who why will with would you your
    """.split()  # noqa: SIM905 - a list of fifty lines reads worse
)
_PART = 0.3
"""Weight of a part of a word beside the whole word: *label* is near *labels*."""


def tokens(text: str) -> list[str]:
    """Return the words of *text* in lower case; Chinese text character by character."""
    found = []
    for run in _TOKEN.findall(text.lower()):
        found += [run] if run.isascii() else list(run)
    return found


def pieces(text: str) -> list[str]:
    """Return the searchable words of *text*: Chinese in overlapping pairs."""
    found: list[str] = []
    for run in _TOKEN.findall(text.lower()):
        if run.isascii():
            found.append(run)
        else:
            found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
    return found


def embed(text: str) -> list[float]:
    """Return the vector of *text*: 1536 numbers of length 1, the same everywhere.

    Features f are words w (weight 1), trigrams of ``<word>`` (0.3), and for Chinese
    pairs of characters (1) and single ones (0.3); common English words are left out.
    With h(f) the 64-bit BLAKE2b of f and n(f) its count,

        v[h(f) mod 1536] += (-1)^(h(f) >> 63) * weight(f) * (1 + ln n(f))

    and v is divided by its Euclidean length. A text without features gives the
    vector (1, 0, 0, ...), because a zero vector has no cosine.
    """
    vector = [0.0] * DIMENSIONS
    for (feature, weight), count in Counter(_features(text)).items():
        digest = blake2b(feature.encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        sign = -1 if number >> 63 else 1
        vector[number % DIMENSIONS] += sign * weight * (1 + math.log(count))
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0:
        return [1.0, *vector[1:]]
    return [value / length for value in vector]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in pieces(text):
        if not word.isascii():
            yield word, 1.0
            yield from ((character, _PART) for character in word)
        elif word not in _COMMON:
            yield word, 1.0
            framed = f"<{word}>"
            for start in range(len(framed) - 2):
                yield framed[start : start + 3], _PART
