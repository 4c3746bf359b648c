"""The input of a case: an example, changed as the case says, signed as the case says."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.corpus.cases import Case
from tests.corpus.generators import text_of, value_of
from tests.corpus.known_secrets import CURRENT, OTHER, PREVIOUS, RETIRED
from tests.support.lambdas import event

Steps = Sequence[Mapping[str, Any]]


def body_of(text: str, steps: Steps) -> bytes:
    """A body after every step; only the last may make bytes of it that are no text any more."""
    made: str | bytes = text
    for step in steps:
        ((kind, argument),) = step.items()
        made = _STEPS[kind](made, argument)
    return made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")


def _set(text: str, changes: Mapping[str, Any]) -> str:
    document = json.loads(text)
    for path, value in changes.items():
        holder, last = _holder(document, path)
        holder[last] = value_of(value)
    return _json(document)


def _remove(text: str, paths: Sequence[str]) -> str:
    document = json.loads(text)
    for path in paths:
        holder, last = _holder(document, path)
        del holder[last]
    return _json(document)


def _holder(document: Any, path: str) -> tuple[Any, Any]:
    *above, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    for part in above:
        document = document[part]
    return document, last


def _replace(text: str, changes: Mapping[str, Any]) -> str:
    for old, new in changes.items():
        if old not in text:
            raise LookupError(f"there is no {old} in the example")
        text = text.replace(old, text_of(new), 1)
    return text


def _pad(text: str, size: int) -> str:
    """The JSON object with a field more that makes it `size` bytes long."""
    return text[:-1] + ',"padding":"' + "x" * (size - len(text.encode()) - 13) + '"}'


def _json(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


_STEPS: Mapping[str, Callable[[Any, Any], str | bytes]] = {
    "set": _set,
    "remove": _remove,
    "replace": _replace,
    "pad": _pad,
    "raw": lambda _, value: text_of(value),
    "append": lambda text, value: text + text_of(value),
    "prepend": lambda text, value: text_of(value) + text,
    "base64": lambda _, value: base64.b64decode(value),
    "encode": lambda text, codec: text.encode(codec, "surrogatepass"),
}


def webhook_request(case: Case, now: datetime) -> dict[str, Any]:
    """The API Gateway event of a webhook."""
    made = event(case.make["base"])
    channel, connection = made["pathParameters"].values()
    if channel == "kuaidi100":
        body = _push(made, case)
    else:
        body = body_of(_json(json.loads(made["body"])), case.make.get("body", ()))
    headers = {name: value for name, value in made["headers"].items() if name not in _SIGNED}
    sign = str(case.make.get("sign", "good"))
    if channel == "shopify":
        headers |= _sign_shopify(sign, body)
    elif channel == "supplier-v1":
        headers |= sign_standard(sign, body, int(now.timestamp()))
    for name, value in case.make.get("headers", {}).items():
        headers.pop(name, None)
        if value is not None:
            headers[name] = text_of(value)
    if sign == "changed":
        body += b" "
    made["headers"] = headers
    made["pathParameters"] = dict(
        zip(("channel", "connection"), case.make.get("to", (channel, connection)), strict=True)
    )
    return made | _as_api_gateway_has_it(body, as_text=case.make.get("as_text", channel != "kuaidi100"))


_SIGNED = ("x-shopify-hmac-sha256", "webhook-timestamp", "webhook-signature")


def _as_api_gateway_has_it(body: bytes, *, as_text: bool) -> dict[str, Any]:
    if as_text:
        try:
            return {"body": body.decode("utf-8", "surrogatepass"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _sign_shopify(sign: str, body: bytes) -> dict[str, str]:
    def signature(secret: str) -> str:
        return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()

    right = signature(CURRENT["shopify/main-shop"])
    values = {
        "good": right,
        "changed": right,
        "empty": "",
        "wrong": right[::-1],
        "truncated": right[:-4],
        "twice": f"{right},{right}",
        "hex": base64.b64decode(right).hex(),
        "other": signature(OTHER["shopify/second-shop"]),
        "previous": signature(PREVIOUS["shopify/main-shop"]),
        "retired": signature(RETIRED),
        "no secret": signature(""),
        "not ascii": "é" + right[1:],
        "half a character": "\ud800" + right[1:],
        "huge": right * 2000,
    }
    return {} if sign == "missing" else {"x-shopify-hmac-sha256": values[sign]}


def sign_standard(sign: str, body: bytes, now: int) -> dict[str, str]:
    """Headers of Standard Webhooks; some signs change the time, the id or the list of signatures."""
    at = {"old": now - 301, "early": now + 301, "negative": -now}.get(sign, now)
    stamp = {"no time": "", "time of words": "yesterday", "time in other digits": "１７９５２４８９６０"}.get(
        sign, str(at)
    )
    stamp = "9" * 5000 if sign == "time of 5000 digits" else stamp

    def signature(secret: str, message: str = "msg_corpus") -> str:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{message}.{stamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

    right = signature(CURRENT["supplier-v1/acme"])
    values = {
        "empty": "",
        "wrong": "v1," + right[3:][::-1],
        "truncated": right[:-4],
        "no version": right[3:],
        "other version": "v2," + right[3:],
        "other": signature(OTHER["supplier-v1/bolt"]),
        "previous": signature(PREVIOUS["supplier-v1/acme"]),
        "retired": signature("whsec_" + base64.b64encode(RETIRED.encode()).decode()),
        "of another message": signature(CURRENT["supplier-v1/acme"], "msg_other"),
        "among others": f"v2,AAAA v1,bm8= {right}",
        "not base64": "v1,%%%%",
        "not ascii": "v1,签名",
        "huge": "v1,bm8= " * 20_000,
    }
    headers = {"webhook-id": "msg_corpus", "webhook-timestamp": stamp, "webhook-signature": values.get(sign, right)}
    left_out = {"missing": "webhook-signature", "no id": "webhook-id", "no time": "webhook-timestamp"}.get(sign)
    return {name: value for name, value in headers.items() if name != left_out}


def _push(made: Mapping[str, Any], case: Case) -> bytes:
    """The form of a push: `param` changed as the case says, `sign` over it, then the whole form changed."""
    param = parse_qs(base64.b64decode(made["body"]).decode())["param"][0]
    changed = body_of(_json(json.loads(param)), case.make.get("body", ()))
    salt = {
        "other": OTHER["kuaidi100/kd200"],
        "previous": PREVIOUS["kuaidi100/kd100"],
        "retired": RETIRED,
        "no secret": "",
    }.get(str(case.make.get("sign", "good")), CURRENT["kuaidi100/kd100"])
    right = hashlib.md5(changed + salt.encode(), usedforsecurity=False).hexdigest().upper()
    signs = {
        "wrong": right[::-1],
        "truncated": right[:-1],
        "empty": "",
        "lower case": right.lower(),
        "not ascii": "签名",
    }
    sign = signs.get(str(case.make.get("sign")), right)
    fields = {"param": changed} if case.make.get("sign") == "missing" else {"sign": sign, "param": changed}
    return body_of(urlencode(fields), case.make.get("form", ()))


def ops_request(case: Case) -> dict[str, Any]:
    """The API Gateway event of a back office call."""
    made = event(case.make["base"])
    http = made["requestContext"]["http"]
    if "path" in case.make:
        made["rawPath"] = http["path"] = text_of(case.make["path"])
    if "method" in case.make:
        http["method"] = case.make["method"]
    if "query" in case.make:
        query = {name: text_of(value) for name, value in case.make["query"].items()}
        made |= {"queryStringParameters": query, "rawQueryString": urlencode(query, errors="surrogatepass")}
    if "claims" in case.make:
        claims = {name: text_of(value) for name, value in case.make["claims"].items()}
        made["requestContext"]["authorizer"]["jwt"]["claims"] = claims
    made["headers"] |= {name: text_of(value) for name, value in case.make.get("headers", {}).items()}
    if "body" in case.make:
        body = body_of(made.get("body", "{}"), case.make["body"])
        made |= _as_api_gateway_has_it(body, as_text=case.make.get("as_text", True))
    return made


def queue_message(case: Case) -> str:
    """The body of a message; `inner` changes the partner's body inside it."""
    text = str(event(case.make["base"])["Records"][0]["body"])
    if "inner" in case.make:
        message = json.loads(text)
        message["body"] = body_of(message["body"], case.make["inner"]).decode("utf-8", "surrogatepass")
        text = json.dumps(message)
    return body_of(text, case.make.get("body", ())).decode("utf-8", "surrogatepass")
