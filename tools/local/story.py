"""How the demo prints an order's life for a newcomer: words and columns only, no logic of the demo."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

WORDS = {
    "received": ("received (接单)", "The webhook is verified and the order is stored."),
    "claimed": ("planned (排单)", "Its units are committed to a purchase order (代发单)."),
    "placed": ("placed (下单)", "The supplier has the purchase order, under our key."),
    "outcome unknown": ("unknown (结果未知)", "Nobody can tell whether it arrived: look it up before anything else."),
    "acknowledged": ("acknowledged (供应商确认)", "The supplier will ship it."),
    "shipped": ("shipped (发货)", "The supplier reports a parcel (包裹) and its waybill (运单)."),
    "all shipped": ("all shipped (全部发货)", "Nothing of the order waits for a supplier any more."),
    "written back": ("written back (发货回传)", "The marketplace knows the parcel, and tells the buyer."),
    "parcel PICKED_UP": ("picked up (揽收)", "The carrier has the parcel."),
    "parcel IN_TRANSIT": ("in transit (在途)", "The parcel is on its way."),
    "parcel OUT_FOR_DELIVERY": ("out for delivery (派件)", "The parcel is on the last van."),
    "parcel DELIVERED": ("parcel delivered (签收)", "The carrier has a signature."),
    "delivered": ("delivered (已送达)", "Every parcel of the order has arrived."),
}
"""The kinds of timeline events, in words for a newcomer."""

_WHO, _STEP, _LABEL = 9, 28, 30
_BOLD, _DIM, _GREEN, _RED, _PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


def width(text: str) -> int:
    """How many columns `text` takes on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def pad(text: str, columns: int) -> str:
    """`text` filled up with blanks to `columns`, with at least one blank."""
    return text + " " * max(1, columns - width(text))


class Storyteller:
    """Prints the story with `write`, one call for each line; in colour only on a terminal."""

    def __init__(self, write: Callable[[str], object], *, colour: bool) -> None:
        self._write = write
        self._colour = colour

    def title(self, text: str) -> None:
        """A heading."""
        self._write("")
        self._write(self._painted(_BOLD, text))

    def columns(self) -> None:
        """The headings of the columns that `did` and `happened` fill."""
        self._write(self._painted(_DIM, f"  {'time':>7}  {pad('who', _WHO)}{pad('step', _STEP)}what happens"))

    def did(self, seconds: float, who: str, step: str, words: str) -> None:
        """A partner or a person outside did something."""
        self._write(f"  {seconds:5.1f} s  {pad(who, _WHO)}{pad(step, _STEP)}{words}")

    def happened(self, seconds: float, what: str, about: str) -> None:
        """A line of the order's timeline."""
        step, words = WORDS.get(what, (what, ""))
        told = f"{words} {self._painted(_DIM, about)}" if about else words
        self._write(f"  {seconds:5.1f} s  {pad('Daifa', _WHO)}{self._painted(_GREEN, pad(step, _STEP))}{told}")

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Rows of a label and a text."""
        for label, words in rows:
            self._write(f"  {pad(label, _LABEL)}{words}")

    def failed(self, words: Iterable[str]) -> None:
        """Lines that say what failed."""
        for line in words:
            self._write(self._painted(_RED, line))

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour else text


def trouble(order: Mapping[str, Any] | None) -> list[str]:
    """The order's own reasons why it does not go on."""
    if order is None:
        return ["The ops API does not know the order: its webhook was not taken in."]
    notices = [("hold", notice) for notice in order.get("holds", [])]
    notices += [("needs a person", notice) for notice in order.get("tasks", [])]
    said = [f"{kind}: {notice.get('kind')} {notice.get('detail', '')}".rstrip() for kind, notice in notices]
    last = order.get("timeline", [])[-1:]
    return [
        f"The order's status is {order.get('status')}.",
        *said,
        *(f"The last that happened to it: {entry.get('what')} {entry.get('about', '')}".rstrip() for entry in last),
    ]
