"""Sends the partners' webhooks to us: also in copies, in parallel, out of order, and again if we fail."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.local.sandbox.exchange import Request
from tools.local.sandbox.records import Records

RETRY_AFTER_S = (0.5, 1.0, 2.0)
TIMEOUT_S = 30


@dataclass(frozen=True)
class Message:
    """One webhook. `sign` makes new headers for each attempt, because a signature may contain the time."""

    partner: str
    operation: str
    url: str
    body: bytes
    sign: Callable[[], Mapping[str, str]]
    insists: bool = True
    """Whether it is sent again if we do not accept it."""


@dataclass(frozen=True)
class Delivery:
    """How to deliver: `repeat` copies, in parallel if `parallel`; `reorder` sends it after the partner's next one."""

    repeat: int = 1
    parallel: bool = False
    reorder: bool = False


class Sender:
    """Sends webhooks to our API. Every attempt is recorded as `sent`."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._kept: dict[str, list[tuple[Message, Delivery]]] = {}
        self._lock = threading.Lock()

    def send(self, message: Message, delivery: Delivery) -> list[int]:
        """Send a message, then the partner's messages that were kept back. Returns the last status of each copy.

        A status is 0 if there was no answer. The list is empty if this message is kept back.
        """
        with self._lock:
            if delivery.reorder:
                self._kept.setdefault(message.partner, []).append((message, delivery))
                return []
            kept = self._kept.pop(message.partner, [])
        statuses = self._deliver(message, delivery)
        for earlier, wanted in kept:
            statuses += self._deliver(earlier, wanted)
        return statuses

    def _deliver(self, message: Message, delivery: Delivery) -> list[int]:
        copies = [message] * max(1, delivery.repeat)
        if not delivery.parallel:
            return [self._insist(copy) for copy in copies]
        with ThreadPoolExecutor(max_workers=min(32, len(copies))) as pool:
            return list(pool.map(self._insist, copies))

    def _insist(self, message: Message) -> int:
        for pause in (*(RETRY_AFTER_S if message.insists else ()), None):
            status = self._attempt(message)
            if 0 < status < 500 and status != 429:
                break
            if pause is not None:
                time.sleep(pause)
        return status

    def _attempt(self, message: Message) -> int:
        headers = dict(message.sign())
        record = self._records.add(
            "sent",
            message.partner,
            message.operation,
            Request("POST", message.url, {}, {name.lower(): text for name, text in headers.items()}, message.body),
        )
        request = urllib.request.Request(message.url, data=message.body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                answer.read()
                record.status = int(answer.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                record.status = refusal.code
        except OSError:
            record.status = 0
        return record.status
