"""What was recorded of each channel in `tests/data/contracts/{channel}.json`, played to its connector.

`connection`: as in a seed file; `secret`: the API secret, if the partner is called. Then, each a list:

- `signed`: a request (`request`, or `vector` in signing_vectors.json), the webhook `secret` that it is signed with, and
  `now` if the scheme signs a time;
- `greetings`: a `request` and the `answer` to it, with the `secret` if it is signed;
- `events`: a `request` and the `events` that it is read as;
- `calls`: which `call` it is, what it is `about`, the `exchange` of requests and answers, and the `result`.

A request has a `body`, and may have `headers`, a `method` (else POST) and a `query`. A body is a text, JSON, or
`{"file": …}`, the `payload` of another file, of which `entry` is one. JSON is written anew, so record what is signed as
a text, byte for byte as it came. What is expected names the fields that matter; `is` names the kind.
"""

import json
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, Self

from pydantic import ValidationError

from dropship import connectors
from dropship.connectors import contract, find
from dropship.connectors.contract import Access, AskedParcel, NextRequest, RawRequest
from dropship.domain.exchange.suppliers import PurchaseOrderRequest
from dropship.domain.exchange.writeback import FulfilmentState, ParcelShipped
from dropship.domain.registry.connections import Shop, Supplier, Tracker
from dropship.ports import HttpRequest, HttpResponse
from tests.support.recorded import DATA, NOW, load, signed_request


def channel_of(module: str) -> str:
    """The channel whose connector is in the file of that name."""
    channel = module.lstrip("_").replace("_", "-")
    if not (connectors.CHANNEL.fullmatch(channel) and connectors.module_of(channel) == module):
        raise ValueError(
            f"{module}.py is not named after a channel: corner-shop is corner_shop.py, 17track is _17track.py"
        )
    return channel


OURS = {
    channel_of(module.name): f"{connectors.__name__}.{folder}.{module.name}"
    for folder in connectors.FOLDERS
    for module in pkgutil.iter_modules([f"{connectors.__path__[0]}/{folder}"])
}
"""Every channel that has a connector, and the module that it is in."""
CONNECTIONS = {"marketplace": Shop, "supplier": Supplier, "tracker": Tracker}
QUESTIONS = {"find", "ask_order", "ask_changed", "ask_fulfilment", "query", "query_many"}
"""Calls without an effect; the others have one."""
FOR_ONE_TEST = {"source", "phones", "run_out", "not_run_out"}
"""Where the payloads come from, and what the test of a single capability reads."""
CAPABILITY_OF = {
    "place": "Places",
    "find": "Finds",
    "cancel": "Cancels",
    "ask_order": "Downloads",
    "ask_changed": "Lists",
    "ask_fulfilment": "WritesBack",
    "writeback": "WritesBack",
    "query": "Queries",
    "query_many": "QueriesMany",
    "subscribe": "Subscribes",
    "ask_refresh": "RefreshesTokens",
}
WORDS: Mapping[str, tuple[set[str], set[str]]] = {
    "": ({"connection"}, {"secret", "signed", "greetings", "events", "calls", *FOR_ONE_TEST}),
    "signed": ({"secret"}, {"request", "vector", "now"}),
    "greetings": ({"request", "answer"}, {"secret"}),
    "events": ({"request", "events"}, set()),
    "calls": ({"call", "exchange", "result"}, {"about"}),
    "request": ({"body"}, {"headers", "method", "query"}),
}
"""What a file, an entry of each list and a request must have, and what they may have as well."""


class Misrecorded(Exception):
    """A recording has something that cannot be played. The message names the file, the place and what is allowed."""


class Signed(NamedTuple):
    """A request as it came, the secret it is signed with, and when that was."""

    request: RawRequest
    secret: str
    now: datetime


@dataclass(frozen=True)
class Recording:
    """What was recorded of one channel."""

    channel: str
    content: Mapping[str, Any]

    @property
    def file(self) -> str:
        return f"tests/data/contracts/{self.channel}.json"

    @property
    def connector(self) -> Any:
        return find(self.channel).connector

    @property
    def connection(self) -> Any:
        try:
            return CONNECTIONS[find(self.channel).role](channel=self.channel, **self.content["connection"])
        except ValidationError as error:
            raise Misrecorded(f"{self.file}, `connection`: {error}") from None

    def checked(self) -> Self:
        """The same recording. Raises Misrecorded if a word of it is misspelt or missing."""
        self._check("", self.content, self.file)
        for kind in ("signed", "greetings", "events", "calls"):
            for index, entry in enumerate(self.content.get(kind, [])):
                where = f"{self.file}, `{kind}`[{index}]"
                self._check(kind, entry, where)
                if "request" in entry:
                    self._check("request", entry["request"], f"{where}, `request`")
                if kind == "calls" and entry["call"] not in CAPABILITY_OF:
                    raise Misrecorded(
                        f"{where}: there is no call {entry['call']!r}; there are {', '.join(CAPABILITY_OF)}"
                    )
        return self

    def _check(self, kind: str, written: Mapping[str, Any], where: str) -> None:
        needed, optional = WORDS[kind]
        unknown, missing = sorted(written.keys() - needed - optional), sorted(needed - written.keys())
        if unknown or missing:
            allowed = f"it needs {', '.join(sorted(needed))} and may have {', '.join(sorted(optional))}"
            raise Misrecorded(f"{where}: has {unknown} and lacks {missing}; {allowed}")

    @property
    def access(self) -> Access:
        return Access(self.content.get("secret", {}), NOW)

    @property
    def signed(self) -> list[Signed]:
        found = []
        for one in self.content.get("signed", []):
            request = signed_request(one["vector"]) if "vector" in one else raw_request(one["request"])
            found.append(Signed(request, one["secret"], datetime.fromisoformat(one.get("now", NOW.isoformat()))))
        return found

    @property
    def events(self) -> list[tuple[RawRequest, list[Any]]]:
        return [(raw_request(one["request"]), one["events"]) for one in self.content.get("events", [])]

    @property
    def greetings(self) -> list[tuple[RawRequest, bytes, list[str]]]:
        return [
            (raw_request(one["request"]), one["answer"].encode(), [one["secret"]] if "secret" in one else [])
            for one in self.content.get("greetings", [])
        ]

    @property
    def calls(self) -> list["Call"]:
        return [Call(self, one) for one in self.content.get("calls", [])]


@dataclass(frozen=True)
class Call:
    """One recorded call: what it is about, which requests it took, how each was answered, and what that meant."""

    recording: Recording
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.content.get("call", ""))

    @property
    def capability(self) -> str:
        """The name of the capability that it is a call of."""
        return CAPABILITY_OF[self.name]

    @property
    def about(self) -> Any:
        return self.content.get("about")

    @property
    def asks(self) -> list[Any]:
        return [asked for asked, _ in self.content.get("exchange", [])]

    @property
    def answers(self) -> list[HttpResponse]:
        return [response(answer) for _, answer in self.content.get("exchange", [])]

    def play(self, answers: Sequence[HttpResponse]) -> tuple[list[HttpRequest], Any]:
        """The requests that the connector builds when it is answered so, and what it makes of the answers."""
        following: Any = PLAYED[self.name](self.recording.connector, self.about, self.recording.connection)
        sent = []
        for answer in answers:
            sent.append(following.build(self.recording.access))
            following = following.read(answer)
            if not isinstance(following, NextRequest):
                break
        return sent, following


def _writeback(connector: Any, about: Any, _connection: Any) -> NextRequest[Any]:
    parcel, state = ParcelShipped(**about["parcel"]), FulfilmentState(**about["state"])
    return NextRequest(
        lambda access: connector.writeback(parcel, state, access),
        lambda answer: connector.read_writeback(answer, parcel, state),
    )


def _query_many(connector: Any, about: Any, _connection: Any) -> NextRequest[Any]:
    parcels = [AskedParcel(**one) for one in about]
    return NextRequest(
        lambda access: connector.query_many(parcels, access),
        lambda answer: connector.read_query_many(answer, parcels),
    )


def _ask_changed(connector: Any, about: Any, connection: Any) -> NextRequest[Any]:
    since, cursor = datetime.fromisoformat(about["since"]), about["cursor"]
    return NextRequest(
        lambda access: connector.ask_changed(since, cursor, access),
        lambda answer: connector.read_changed(answer, cursor, connection),
    )


PLAYED = {
    "place": lambda c, about, _: NextRequest(lambda a: c.place(PurchaseOrderRequest(**about), a), c.read_place),
    "find": lambda c, about, _: NextRequest(lambda a: c.find(about, a), c.read_find),
    "cancel": lambda c, about, _: NextRequest(lambda a: c.cancel(about, a), c.read_cancel),
    "ask_order": lambda c, about, shop: NextRequest(lambda a: c.ask_order(about, a), lambda r: c.read_order(r, shop)),
    "ask_changed": _ask_changed,
    "ask_fulfilment": lambda c, about, _: NextRequest(lambda a: c.ask_fulfilment(about, a), c.read_fulfilment),
    "writeback": _writeback,
    "query": lambda c, about, _: NextRequest(lambda a: c.query(AskedParcel(**about), a), c.read_query),
    "query_many": _query_many,
    "subscribe": lambda c, about, _: NextRequest(
        lambda a: c.subscribe(AskedParcel(**about["parcel"]), about["callback_url"], a), c.read_subscribe
    ),
    "ask_refresh": lambda c, _about, _: NextRequest(c.ask_refresh, c.read_refresh),
}


@cache
def recording(channel: str) -> Recording:
    """What was recorded of a channel; nothing where there is no file."""
    there = (DATA / f"{channel}.json").exists()
    return Recording(channel, load(channel) if there else {"connection": {}}).checked()


def recorded_calls(channels: Sequence[str]) -> Iterator[Call]:
    """All recorded calls of some channels."""
    for channel in channels:
        yield from recording(channel).calls


def raw_request(written: Mapping[str, Any]) -> RawRequest:
    """A request as the front door sees it."""
    method, query = written.get("method", "POST"), written.get("query", {})
    headers = {name.lower(): value for name, value in written.get("headers", {}).items()}
    return RawRequest(headers, _body(written["body"]), method, query)


def response(written: Mapping[str, Any]) -> HttpResponse:
    """A partner's answer."""
    return HttpResponse(written["status"], written.get("headers", {}), _body(written["body"]))


def _body(written: Any) -> bytes:
    if isinstance(written, str):
        return written.encode()
    return json.dumps(_resolved(written), ensure_ascii=False).encode()


def _resolved(written: Any) -> Any:
    """JSON with what it takes from other files."""
    if isinstance(written, list):
        return [_resolved(one) for one in written]
    if isinstance(written, dict) and "file" in written:
        content = load(written["file"].removesuffix(".json"))
        payload = content.get("payload", content)
        return payload[written["entry"]] if "entry" in written else payload
    return {name: _resolved(one) for name, one in written.items()} if isinstance(written, dict) else written


def difference(expected: Any, found: Any, path: str = "") -> str:
    """The first thing that was expected and not found, and where; empty where there is none."""
    if isinstance(expected, list):
        if not isinstance(found, Sequence) or len(expected) != len(found):
            return f"{path or 'all'}: expected {len(expected)} of them, found {found!r}"
        rows = enumerate(zip(expected, found, strict=True))
        return next(filter(None, (difference(*both, f"{path}[{index}]") for index, both in rows)), "")
    if isinstance(expected, dict):
        if "is" in expected and type(found).__name__ != expected["is"]:
            return f"{path or 'all'}: expected {expected['is']}, found {found!r}"
        named = ((name, value, _field(found, name)) for name, value in expected.items() if name != "is")
        each = (difference(value, one, f"{path}.{name}".lstrip(".")) for name, value, one in named)
        return next(filter(None, each), "")
    if isinstance(found, datetime) and isinstance(expected, str):
        same = found == datetime.fromisoformat(expected) and found.tzinfo == UTC
    else:
        same = bool(expected == found)
    there = "no such field" if found is ... else repr(found)
    return "" if same else f"{path or 'all'}: expected {expected!r}, found {there}"


def _field(found: Any, name: str) -> Any:
    return found.get(name, ...) if isinstance(found, Mapping) else getattr(found, name, ...)


def secrets_of(channel: str) -> list[str]:
    """The webhook secrets that were recorded."""
    return [one.secret for one in recording(channel).signed]


def protocols() -> dict[str, type]:
    """Every capability of the contract, by name."""
    return {name: kind for name, kind in vars(contract).items() if getattr(kind, "_is_protocol", False)}
