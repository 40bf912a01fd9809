"""The small vocabulary of the twins' captions: byte-pair merges for open_clip's SimpleTokenizer.

`helpers/data/demo_merges.txt.gz` was written by `merges_file()`; with the large vocabulary two CLIPs of this size
would be token embeddings and little else.
"""

from __future__ import annotations

import gzip
import io
import re
from collections import Counter
from itertools import pairwise

from helpers.demo.world import prompts, vocabulary

MERGES = 380
HEADING = "#version: 0.2 byte-pair merges over the words of the drawn world"


def word_counts() -> Counter[str]:
    """How often each word stands in the zero-shot prompts; every word of the captions' vocabulary at least once.

    Nothing of the scenes goes in: the tokens stay the same when the world is drawn otherwise.

    >>> word_counts()["owl"], word_counts()["feathered"]
    (10, 1)
    """
    counts = Counter(vocabulary())
    for texts in prompts():
        counts.update(re.findall("[a-z]+", " ".join(texts)))
    return counts


def learn_merges(counts: Counter[str], number: int) -> list[tuple[str, str]]:
    """The `number` merges that byte-pair encoding finds: the commonest neighbours, joined, again and again.

    Ties go to the pair that comes first in the alphabet. Source: Sennrich et al. 2016; `</w>` ends a word as in CLIP.

    >>> learn_merges(Counter({"owl": 3, "owls": 1}), 2)
    [('o', 'w'), ('ow', 'l</w>')]
    """
    words = {(*word[:-1], f"{word[-1]}</w>"): count for word, count in counts.items()}
    merges: list[tuple[str, str]] = []
    while len(merges) < number:
        pairs: Counter[tuple[str, str]] = Counter()
        for parts, count in words.items():
            for pair in pairwise(parts):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {_joined(parts, best): count for parts, count in words.items()}
    return merges


def _joined(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    for part in parts:
        # A part that was just joined cannot be the first half again: the joined form differs from it.
        if found and (found[-1], part) == pair:
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)


def merges_file() -> bytes:
    """The gzip file that SimpleTokenizer reads, the same bytes on every machine."""
    merges = learn_merges(word_counts(), MERGES)
    text = "\n".join([HEADING, *(" ".join(pair) for pair in merges)])
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed:
        packed.write(text.encode("utf-8"))
    return stream.getvalue()
