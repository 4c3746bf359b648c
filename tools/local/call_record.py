"""Runs in the emulator's process: records what AWS would bill, one JSON line each, in `$DAIFA_CALL_RECORD`.

Every invocation gets a trace id, as on AWS. botocore sends it with every call of the function, so each call can be
assigned to its invocation. The functions' own workers report how often they called a partner.

Kinds of lines: `invocation` (a function ran), `handler` (what its worker saw), `call` (to DynamoDB, SQS, SSM, Step
Functions), `poll` (the event source took or deleted a batch), `state` (a workflow entered a state).
"""
# ruff: noqa: SLF001 - the emulator has no public interface for this
# mypy: disable-error-code="import-not-found"

import json
import os
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc, sqs, ssm, stepfunctions

from tools.cost.units import Index, entry_of, index_change, item_bytes

VARIABLE = "DAIFA_CALL_RECORD"
LOAD = "LoadItems"

_running = threading.local()  # the invocation whose worker is being called on this thread
_writing = threading.Lock()

_CALLED = "            result = handler_fn(event, context)\n"
_COUNTED = """\
            _daifa_partners.clear()
            _daifa_began = time.monotonic(), time.process_time()
            try:
                result = handler_fn(event, context)
            finally:
                _daifa_note(_xray_tid, _daifa_began, _daifa_partners)
"""
_COUNTER = """
import json, os, sys, threading, time
_daifa_partners = {}
def _daifa_heard(event, arguments):
    if event == "http.client.send":
        connection, data = arguments
        own = str(connection.port) == os.environ["GATEWAY_PORT"]
        if not own and isinstance(data, bytes) and b" HTTP/1.1\\r\\n" in data[:4096]:
            thread = threading.get_ident()
            _daifa_partners[thread] = _daifa_partners.get(thread, 0) + 1
def _daifa_note(trace, began, partners):
    line = {"kind": "handler", "trace": trace, "seconds": time.monotonic() - began[0],
            "cpu": time.process_time() - began[1], "partners": sum(partners.values()),
            "in_a_row": max(partners.values(), default=0)}
    with open(os.environ["DAIFA_CALL_RECORD"], "a") as record:
        record.write(json.dumps(line) + "\\n")
sys.addaudithook(_daifa_heard)
"""

Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[tuple[Any, ...]]]


def record_calls(file: Path) -> None:
    """Record everything from now on.

    Raises:
        RuntimeError: this version of the emulator works differently; correct this module.
    """
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(_CALLED) != 1:
        raise RuntimeError("The emulator's worker script has changed: correct tools/local/call_record.py.")
    lambda_runtime._PYTHON_WORKER_SCRIPT = _COUNTER + script.replace(_CALLED, _COUNTED)
    recorder = _Recorder(file)
    recorder.watch_functions()
    recorder.watch_queues()
    recorder.watch_workflows()
    dynamodb.handle_request = _dynamodb(recorder, dynamodb.handle_request)
    sqs.handle_request = _sized(recorder, "sqs", sqs.handle_request)
    ssm.handle_request = _sized(recorder, "ssm", ssm.handle_request)
    stepfunctions.handle_request = _sized(recorder, "states", stepfunctions.handle_request)


class _Recorder:
    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, kind: str, **fields: object) -> None:
        line = json.dumps({"kind": kind, "at": time.time(), **fields}) + "\n"
        with _writing, self._file.open("a") as file:
            file.write(line)

    def watch_functions(self) -> None:
        lambda_svc._xray_trace_id_for_invocation = lambda *_: getattr(_running, "trace", None)
        dispatch = lambda_svc._execute_function_dispatch

        def dispatching(
            func: dict[str, Any],
            config: dict[str, Any],
            event: Any,  # noqa: ANN401
            request: str,
            started: float,
        ) -> dict[str, Any]:
            _running.trace = trace = _trace_id()
            answer: dict[str, Any] = dispatch(func, config, event, request, started)
            log = str(answer.get("log") or "")
            self.write(
                "invocation",
                trace=trace,
                function=config["FunctionName"],
                memory_mb=config.get("MemorySize", 128),
                began=started,
                failed=bool(answer.get("error")),
                log=[len(line.encode()) for line in log.splitlines()],
                platform_log=(config.get("LoggingConfig") or {}).get("SystemLogLevel", "INFO") != "WARN",
                **_source(event),
            )
            return answer

        lambda_svc._execute_function_dispatch = dispatching

    def watch_queues(self) -> None:
        receive, delete = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm

        def receiving(queue_url: str, size: int) -> Any:  # noqa: ANN401
            batch = receive(queue_url, size)
            if batch:
                size = sum(len(message["body"].encode()) for message in batch)
                self.write("poll", action="ReceiveMessage", queue=_last(queue_url), entries=len(batch), bytes=size)
            return batch

        def deleting(queue_url: str, handles: Any) -> Any:  # noqa: ANN401
            self.write("poll", action="DeleteMessageBatch", queue=_last(queue_url), entries=len(handles), bytes=0)
            return delete(queue_url, handles)

        sqs._receive_messages_for_esm, sqs._delete_messages_for_esm = receiving, deleting

    def watch_workflows(self) -> None:
        for kind in ("pass", "task", "choice", "wait", "parallel", "map"):
            name = f"_execute_{kind}"
            setattr(stepfunctions, name, self._entering(kind, getattr(stepfunctions, name)))

    def _entering(self, kind: str, execute: Callable[..., Any]) -> Callable[..., Any]:
        def entering(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            context = named.get("ctx") or arguments[-1]
            execution = context["Execution"]["Id"]
            began = time.time()
            try:
                return execute(*arguments, **named)
            finally:
                state = context["State"]["Name"] if kind != "map" else kind
                self.write("state", type=kind, state=state, execution=execution, seconds=time.time() - began)

        return entering


def _dynamodb(recorder: _Recorder, handle: Handler) -> Handler:
    async def handling(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        action = headers.get("x-amz-target", "").split(".")[-1]
        data = json.loads(body) if body else {}
        if action == LOAD:
            return _load(data)
        before = _stored(data) if "Key" in data or "Item" in data else None
        answer = await handle(method, path, headers, body, query)
        if "TableName" in data or "RequestItems" in data:
            for fields in _billed(action, data, before, answer):
                recorder.write("call", service="dynamodb", action=action, trace=_trace_of(headers), **fields)
        return answer

    return handling


def _billed(
    action: str, data: dict[str, Any], before: dict[str, Any] | None, answer: tuple[Any, ...]
) -> list[dict[str, Any]]:
    """What to bill, for each table; in a batch for each item, and `more` marks the items after the first."""
    match action:
        case "GetItem":
            asked = _key_of(data["TableName"], data["Key"])
            found = [before] if before else []
            return [_read(data["TableName"], found, consistent=data.get("ConsistentRead", False)) | {"of": {asked: 0}}]
        case "PutItem" | "UpdateItem" | "DeleteItem":
            return [_written(data, before, refused=answer[0] >= 400)]
        case "Query" | "Scan":
            page = json.loads(answer[2]).get("Items", [])
            return [_page(data, page)]
        case "BatchGetItem":
            return [
                _read(table, [_item(table, key)], consistent=asked.get("ConsistentRead", False)) | {"more": number > 0}
                for table, asked in data["RequestItems"].items()
                for number, key in enumerate(asked["Keys"])
            ]
    return []


def _read(table: str, found: list[dict[str, Any] | None], *, consistent: bool) -> dict[str, Any]:
    size = sum(item_bytes(item) for item in found if item)
    what = next((item.get("sk", {}).get("S", "") for item in found if item), "")
    of: dict[str, int] = {}
    for item in filter(None, found):
        name = _key_of(table, item)
        of[name] = of.get(name, 0) + item_bytes(item)
    return {"table": table, "what": what, "bytes": size, "items": len(found), "consistent": consistent, "of": of}


def _page(data: dict[str, Any], page: list[dict[str, Any]]) -> dict[str, Any]:
    """The read of one query page, with the size of the whole items, even if only some attributes were asked for."""
    name, index = data["TableName"], data.get("IndexName")
    keys = _keys(dynamodb._tables[name])
    whole = [(_item(name, one) or one) if all(key in one for key in keys) else one for one in page]
    if index:
        shape = next(one for one in _indexes(dynamodb._tables[name]) if one.name == index)
        whole = [entry_of(item, shape, keys) or item for item in whole]
    return _read(name, whole, consistent=data.get("ConsistentRead", False)) | {"index": index}


def _written(data: dict[str, Any], before: dict[str, Any] | None, *, refused: bool) -> dict[str, Any]:
    name = data["TableName"]
    table = dynamodb._tables[name]
    after = before if refused else _stored(data)
    indexes = []
    for index in _indexes(table):
        change, size = index_change(before, after, index, _keys(table))
        if change != "same":
            holder = after if change != "remove" else before
            shard = (holder or {}).get(index.keys[0], {}).get("S", "")
            indexes.append({"index": index.name, "change": change, "bytes": size, "partition": shard})
    tried = data.get("Item") or after or {}
    named = tried or before or data.get("Key", {})
    return {"table": name, "what": named.get("sk", {}).get("S", ""), "refused": refused, "indexes": indexes,
            "old": item_bytes(before or {}), "new": item_bytes(tried)}  # fmt: skip


def _sized(recorder: _Recorder, service: str, handle: Handler) -> Handler:
    async def handling(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        answer = await handle(method, path, headers, body, query)
        action = headers.get("x-amz-target", "").split(".")[-1]
        trace = _trace_of(headers)
        if action and trace:
            data = json.loads(body)
            queue, entries = _last(data.get("QueueUrl", "")), len(data.get("Entries", [None]))
            recorder.write("call", service=service, action=action, trace=trace, queue=queue, entries=entries,
                           bytes=len(body), refused=answer[0] >= 400)  # fmt: skip
        return answer

    return handling


def _load(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Put the items of a file of JSON lines directly into a table, because requests would take too long."""
    table, count = dynamodb._tables[data["TableName"]], 0
    keys = _keys(table)
    with Path(data["File"]).open() as lines:
        for count, line in enumerate(lines, 1):  # noqa: B007
            item = json.loads(line)
            dynamodb._set_item(table, *(dynamodb._extract_key_val(item[key]) for key in keys), item)
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"Count": count}).encode()


def _stored(data: dict[str, Any]) -> dict[str, Any] | None:
    return _item(data["TableName"], data.get("Key") or data["Item"])


def _item(table: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
    known = dynamodb._tables.get(table)
    if known is None:
        return None
    values = [dynamodb._extract_key_val(key[name]) for name in _keys(known)]
    found = known["items"].get(values[0], {}).get(values[1] if len(values) > 1 else "__no_sort__")
    return dict(found) if found else None


def _key_of(table: str, item: Mapping[str, Any]) -> str:
    """The partition key of an item, or of a key."""
    return str(item.get(_keys(dynamodb._tables[table])[0], {}).get("S", ""))


def _keys(table: dict[str, Any]) -> list[str]:
    return [name for name in (table.get("pk_name"), table.get("sk_name")) if name]


def _indexes(table: dict[str, Any]) -> list[Index]:
    return [
        Index(
            index["IndexName"],
            tuple(key["AttributeName"] for key in index["KeySchema"]),
            None
            if index["Projection"]["ProjectionType"] == "ALL"
            else tuple(index["Projection"].get("NonKeyAttributes", ())),
        )
        for index in table.get("GlobalSecondaryIndexes") or table.get("gsis") or []
    ]


def _source(event: Any) -> dict[str, Any]:  # noqa: ANN401
    """Who started the invocation: `sqs` with its records, `api` with its route, else `direct` with its label."""
    if isinstance(event, dict) and "Records" in event:
        return {"source": "sqs", "records": len(event["Records"])}
    if isinstance(event, dict) and "routeKey" in event:
        return {"source": "api", "records": 1, "bytes": len(event.get("body") or "")}
    label = event.get("bench", "") if isinstance(event, dict) else ""
    return {"source": "direct", "records": 1, "label": label}


def _trace_id() -> str:
    """A trace id as Lambda gives it to a function without X-Ray tracing."""
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"


def _trace_of(headers: Mapping[str, str]) -> str:
    return headers.get("x-amzn-trace-id", "")


def _last(url: str) -> str:
    return url.rsplit("/", 1)[-1]


def start_if_wanted() -> None:
    """Record if the environment names a file."""
    file = os.environ.get(VARIABLE)
    if file:
        record_calls(Path(file))
