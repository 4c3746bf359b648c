"""A handler in a process of its own, whose calls this process performs. So `os._exit` ends only the handler."""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import botocore_stubber

from dropship.ports import HttpResponse, NoAnswer
from tests.faults.calls import DIED, AwsAnswer, Call, Fault, Line
from tests.support.lambdas import Function

_moto = BotocoreStubber.__call__
_line: Line | None = None


def _stub(self: BotocoreStubber, event_name: str, request: Any, **named: Any) -> Any:
    return _moto(self, event_name, request, **named) if _line is None else _line.aws(request)


BotocoreStubber.__call__ = _stub  # type: ignore[method-assign] # the one way between the SDK and moto


class NoSleep:
    """Replaces `time` in the SDK, so that retries do not wait."""

    def __getattr__(self, name: str) -> Any:
        return (lambda _seconds: None) if name == "sleep" else getattr(time, name)


@dataclass
class Ran:
    """The result of one delivery: its answer, its error by class, or its death; the calls made; what fired."""

    answer: Any = None
    error: str = ""
    died: bool = False
    calls: list[Call] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    """How long the handler wants a failed message to wait."""


def run(function: Function, event: object, http: Callable[..., HttpResponse], fault: Fault | None = None) -> Ran:
    """Run a handler on an event in a child process. `http` performs calls to partners; AWS is moto in this process."""
    here, there = Pipe()
    child = os.fork()
    if child == 0:
        here.close()
        _child(there, function, event, fault)
    there.close()
    ran = Ran()
    try:
        while True:
            kind, *rest = pickle.loads(here.recv_bytes())
            if kind == "fired":
                ran.fired.append(rest[0])
            elif kind == "done":
                ran.answer, ran.error = rest
            else:
                call, *parameters = rest
                ran.calls.append(call)
                here.send_bytes(pickle.dumps(_perform(call, parameters, http, ran)))
    except EOFError:
        pass
    here.close()
    _, status = os.waitpid(child, 0)
    ran.died = os.waitstatus_to_exitcode(status) == DIED
    if ran.died and fault is not None:
        ran.fired.append(fault.how)
    elif os.waitstatus_to_exitcode(status) not in {0, DIED}:
        raise RuntimeError(f"the child of {function.name} ended with {status}")
    return ran


def _perform(call: Call, parameters: list[Any], http: Callable[..., HttpResponse], ran: Ran) -> Any:
    if call.kind == "http":
        try:
            return http(*parameters)
        except NoAnswer as nothing:
            return nothing
    method, url, headers, body = parameters
    if call.what == "sqs:ChangeMessageVisibility":  # moto does not know the message: it was delivered by hand
        ran.delay_s = max(ran.delay_s, float(json.loads(body)["VisibilityTimeout"]))
        return AwsAnswer(200, {}, b"{}")
    known = HTTPHeaders()
    for name, value in headers.items():
        known.add_header(name, value.decode() if isinstance(value, bytes) else value)
    request = AWSPreparedRequest(method, url, known, body, stream_output=False)
    status, answered, body = botocore_stubber.process_request(request)
    text = body.encode() if isinstance(body, str) else body
    return AwsAnswer(status, {name.lower(): str(value) for name, value in answered.items()}, text)


def _child(line: Connection, function: Function, event: object, fault: Fault | None) -> None:
    """Never returns: the process ends here, without running any `finally` of its callers."""
    global _line  # noqa: PLW0603 - one line per child process

    def say(*what: object) -> None:
        line.send_bytes(pickle.dumps(what))

    def ask(call: Call, *parameters: object) -> Any:
        say("call", call, *parameters)
        return pickle.loads(line.recv_bytes())

    try:
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - closed by the end of the process
        botocore.endpoint.time = NoSleep()
        _line = Line(ask, lambda how: say("fired", how), fault)
        function.app.http = _line
        answer, error = None, ""
        try:
            answer = function(event)
        except Exception as problem:  # noqa: BLE001 - as Lambda does, whatever it is
            error = type(problem).__name__
        say("done", answer, error)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the parent sees the exit code
        os._exit(1)
