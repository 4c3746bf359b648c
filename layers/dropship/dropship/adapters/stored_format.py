"""How a JSON text is kept in an item: compressed, in a format that has a number.

DynamoDB bills each write by whole kilobytes of the whole item, and an order is written some eight times. With full
names it takes two or three of them; compressed with the words that every such text has, well under one.

A value is one byte, the number of its format, and a zlib stream made with the words of that format: decision 52.
"""

import zlib
from collections.abc import Mapping
from typing import Any

from dropship.domain.errors import InvariantBroken

from .stored_words import WORDS_1

FORMAT = 1
"""What is written. A format that was ever written stays among `WORDS` as it was; other words get the next number."""
WORDS = {1: WORDS_1}
"""The words of each format that can be read."""
LEVEL = 5
"""zlib's effort: 6 makes it a fortieth smaller and a quarter slower, 3 a twentieth larger and a quarter faster."""
LARGEST = 4 * 1024 * 1024
"""Bytes of text. What fills an item of 400 KB has some 3 MB; a damaged value must not fill the memory."""
_BEGUN = zlib.compressobj(LEVEL, zdict=WORDS[FORMAT])
"""To be copied: taking in the words is a third of the work."""


class Unreadable(Exception):
    """A value that this version cannot read. The words say why, and nothing of what is in it."""


def pack(text: str) -> dict[str, bytes]:
    """The attribute value that `unpack` reads.

    Raises:
        InvariantBroken: the text is larger than what is read again.
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
