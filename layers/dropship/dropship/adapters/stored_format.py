"""How a JSON text is stored in an item: compressed, in a numbered format.

DynamoDB bills each write by the whole kilobytes of the whole item, and an order is written about eight times. As plain
JSON an order takes two or three kilobytes; compressed with a dictionary of the words that all such texts have, it takes
well under one.

A value is one byte with the number of its format, then a zlib stream made with the words of that format: decision 52.
"""

import zlib
from collections.abc import Mapping
from typing import Any

from dropship.domain.errors import InvariantBroken

from .stored_words import WORDS_1

FORMAT = 1
"""The format that is written. Never change or remove a format in `WORDS`: other words get the next number."""
WORDS = {1: WORDS_1}
"""The words (zlib dictionary) of each format that can be read."""
LEVEL = 5
"""zlib's level. Level 6 gives 1/40 less size and is 1/4 slower; level 3 gives 1/20 more size and is 1/4 faster."""
LARGEST = 4 * 1024 * 1024
"""Bytes of text. A full item of 400 KB unpacks to about 3 MB; a damaged value must not fill the memory."""
_BEGUN = zlib.compressobj(LEVEL, zdict=WORDS[FORMAT])
"""A compressor to copy from, because loading the words is a third of the work."""


class Unreadable(Exception):
    """A value that this version cannot read. The message says why, but nothing of its content."""


def pack(text: str) -> dict[str, bytes]:
    """The attribute value that `unpack` reads.

    Raises:
        InvariantBroken: the text is too large to be read again.
    """
    content = text.encode()
    if len(content) > LARGEST:
        raise InvariantBroken(f"a text of {len(content)} bytes is too large to be stored")
    stream = _BEGUN.copy()
    return {"B": bytes([FORMAT]) + stream.compress(content) + stream.flush()}


def unpack(value: Mapping[str, Any]) -> bytes:
    """The text in UTF-8.

    Raises:
        Unreadable: a newer version wrote it, or it is damaged.
    """
    packed = value.get("B")
    if not packed:
        raise Unreadable("its body is in no format of ours")
    words = WORDS.get(packed[0])
    if words is None:
        raise Unreadable(f"its body was written by a newer version, in format {packed[0]}")
    stream = zlib.decompressobj(zdict=words)
    try:
        content = stream.decompress(packed[1:], LARGEST + 1)
    except zlib.error:
        raise Unreadable("its body is damaged") from None
    if not stream.eof or stream.unused_data:
        raise Unreadable("its body is damaged: cut off, or larger than any we write")
    return content
