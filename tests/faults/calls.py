"""One hook for every outgoing call of a handler, to AWS and to partners: it counts the calls and makes one fail.

The handler runs in a process of its own (`process.py`). The process that started it performs the calls, so that the
world is still there when a handler dies.
"""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from dropship.ports import HttpRequest, HttpResponse, NoAnswer

DIED = 137
SDK_ATTEMPTS = 3
DIE = ("die before", "die after")
OF_AWS = ("throttled", "500 once", "500", "timeout", "reply lost", "reply lost thrice", "garbage")
OF_PARTNERS = ("401", "429", "500", "500 after", "timeout", "no connection", "reply lost", "garbage")
_LASTING = frozenset({"throttled", "500", "timeout", "reply lost thrice"})
GARBAGE = b"<html><body>Welcome to nginx!</body></html>"


class Call(NamedTuple):
    """An outgoing call: `aws` or `http`, and what was called, e.g. `dynamodb:PutItem`, `POST /purchase-orders`."""

    kind: str
    what: str


class Fault(NamedTuple):
    """What goes wrong (`how`) at which outgoing call (`call`, counted from 1)."""

    call: int
    how: str


class AwsAnswer(NamedTuple):
    """An answer of AWS as it travels between processes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Raw:
    """The body of an answer, for botocore."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self._body]


@dataclass
class Line:
    """The hook. `ask` performs a call in the process that holds the world; `tell` says that the fault fired."""

    ask: Callable[..., Any]
    tell: Callable[[str], None]
    fault: Fault | None = None
    count: int = 0

    def aws(self, request: Any) -> AWSResponse:
        """Answer one attempt of the SDK, instead of sending it."""
        how = self._next(OF_AWS)
        call = Call("aws", operation(request.headers))

        def perform() -> AwsAnswer:
            answer: AwsAnswer = self.ask(call, request.method, request.url, dict(request.headers), request.body)
            return answer

        answer = self._fail_aws(how, perform, request.url) if how else perform()
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))

    def send(self, base_url: str, request: HttpRequest) -> HttpResponse:
        """`ports.Http`."""
        how = self._next(OF_PARTNERS)
        call = Call("http", f"{request.method} {request.path.partition('?')[0][:40]}")

        def perform() -> HttpResponse:
            answer = self.ask(call, base_url, request)
            if isinstance(answer, NoAnswer):
                raise answer
            assert isinstance(answer, HttpResponse)
            return answer

        return self._fail_http(how, perform) if how else perform()

    def _next(self, known: tuple[str, ...]) -> str:
        self.count += 1
        if self.fault is None:
            return ""
        call, how = self.fault
        last = call + SDK_ATTEMPTS - 1 if how in _LASTING and known is OF_AWS else call
        if not call <= self.count <= last:
            return ""
        if how == "die before":
            os._exit(DIED)
        return how if how in known or how in DIE else ""

    def _fail_aws(self, how: str, perform: Callable[[], AwsAnswer], url: str) -> AwsAnswer:
        if how in {"die after", "reply lost", "reply lost thrice", "garbage"}:
            answer = perform()
        if how == "die after":
            _die()
        self.tell(how)
        match how:
            case "throttled":
                return _refusal(400, "ThrottlingException")
            case "500" | "500 once":
                return _refusal(500, "InternalServerError")
            case "garbage":
                return AwsAnswer(answer.status, {"x-amz-crc32": str(zlib.crc32(answer.body))}, GARBAGE)
            case _:
                raise ReadTimeoutError(endpoint_url=url)

    def _fail_http(self, how: str, perform: Callable[[], HttpResponse]) -> HttpResponse:
        if how in {"die after", "500 after", "reply lost", "garbage"}:
            perform()
        if how == "die after":
            _die()
        self.tell(how)
        match how:
            case "401":
                return HttpResponse(401, {}, b"")
            case "429":
                return HttpResponse(429, {"retry-after": "1"}, b"")
            case "500" | "500 after":
                return HttpResponse(500, {}, b"")
            case "garbage":
                return HttpResponse(200, {"content-type": "text/html"}, GARBAGE)
            case "no connection":
                raise NoAnswer("connection refused", sent=False)
            case _:
                raise NoAnswer("the answer did not come", sent=True)


def _die() -> NoReturn:
    os._exit(DIED)


def _refusal(status: int, code: str) -> AwsAnswer:
    headers = {"x-amzn-requestid": "made-up", "content-type": "application/x-amz-json-1.0"}
    return AwsAnswer(status, headers, json.dumps({"__type": code, "message": "made up"}).encode())


_SERVICES = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "AmazonSSM": "ssm", "AWSStepFunctions": "states"}


def operation(headers: Mapping[str, Any]) -> str:
    """The operation of a prepared request, e.g. `dynamodb:PutItem`. All services that we call name it in a header."""
    target = headers["X-Amz-Target"]
    service, _, name = (target.decode() if isinstance(target, bytes) else str(target)).partition(".")
    return f"{_SERVICES[service.partition('_')[0]]}:{name}"
