"""Faults: a partner is late, refuses, does not answer or answers nonsense, as often as it was told to."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tools.local.sandbox.exchange import Dropped, Malformed, Reply, Request

MODES = {
    "delay": "does the work `seconds` later, or when the faults are taken away",
    "answer_when_healed": "does the work and keeps the answer back until the faults are taken away",
    "status": "does nothing and answers `status`",
    "throttle": "does nothing and answers in the partner's own way that it is asked too often",
    "drop": "does nothing and closes the connection",
    "error_after_accepting": "does the work and answers `status`",
    "drop_after_accepting": "does the work and closes the connection",
    "garbage": "does the work and answers with a page that is not JSON",
}


@dataclass
class Fault:
    """One fault, which happens `times` times (None: until it is removed).

    `partner` is `supplier:acme`, `shopify:main-shop` or `kuaidi100`; `operation` is one of its operations, empty for
    all; `match` is a text that the request's path or body must contain. `seconds` and `retry_after` are seconds.
    """

    partner: str
    mode: str
    operation: str = ""
    times: int | None = 1
    match: str = ""
    status: int = 500
    seconds: float = 1.0
    retry_after: int | None = None
    fired: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise Malformed(f"unknown mode {self.mode!r}; there are {', '.join(MODES)}")
        self.taken_away = threading.Event()

    @property
    def refusal(self) -> Reply:
        """The answer of the modes that answer `status`."""
        headers = {} if self.retry_after is None else {"Retry_After": str(self.retry_after)}
        error = {"code": "sandbox_fault", "message": f"the sandbox was told to answer {self.status}"}
        return Reply.of({"error": error}, self.status, **headers)

    def strike(self, work: Callable[[], Reply], throttled: Callable[[int], Reply]) -> Reply:
        """The answer with this fault; `work` is what the partner does without a fault.

        Raises:
            Dropped: there is no answer.
        """
        match self.mode:
            case "status":
                return self.refusal
            case "throttle":
                return throttled(self.retry_after or 1)
            case "drop":
                raise Dropped
            case "delay":
                self.taken_away.wait(self.seconds)
                return work()
        done = work()
        if self.mode == "answer_when_healed":
            self.taken_away.wait()
            return done
        if self.mode == "drop_after_accepting":
            raise Dropped
        if self.mode == "error_after_accepting":
            return self.refusal
        return Reply(done.status, b"<html><body>One moment, please.</body></html>", {"Content-Type": "text/html"})


class Faults:
    """The armed faults, safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> None:
        """Add a fault after the existing ones."""
        with self._lock:
            self._faults.append(fault)

    def pop(self, partner: str, operation: str, request: Request) -> Fault | None:
        """The first armed fault that fits the request, counted as fired."""
        text = f"{request.path} {dict(request.query)} {request.body.decode(errors='replace')}"
        with self._lock:
            for fault in self._faults:
                exhausted = fault.times is not None and fault.fired >= fault.times
                fits = fault.partner == partner and fault.operation in {"", operation} and fault.match in text
                if fits and not exhausted:
                    fault.fired += 1
                    return fault
        return None

    def list(self) -> list[dict[str, Any]]:
        """All faults, with how often each has fired."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            for fault in self._faults:
                fault.taken_away.set()
            self._faults.clear()
