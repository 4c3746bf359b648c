"""快递100: we query a parcel's scans (`/poll/query.do`), or subscribe to it (`/poll`) and get pushes.

The meaning of a failed query's return codes is not verified, except 200 and 501; see `_FAILURES`.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from dropship.connectors import connector, models, signatures
from dropship.connectors.answers import not_answered, senseless
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import Fields, credential, cut, read_json
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropship.connectors.answers import Failure
    from dropship.connectors.contract import Access, AskedParcel, RawRequest

CHINA = timezone(timedelta(hours=8))

# Our stages, with the codes of 快递100. 揽收 (1, 103) is the pick-up by the carrier; we keep it apart from transit.
_CODES = {
    "INFO_RECEIVED": ("101", "102"),
    "PICKED_UP": ("1", "103"),
    "IN_TRANSIT": ("0", "1001", "1002", "1003", "7", "8", "10", "11", "12"),
    "OUT_FOR_DELIVERY": ("5",),
    "AVAILABLE_FOR_PICKUP": ("501",),
    "DELIVERED": ("3", "301", "302", "303", "304"),
    "FAILED_ATTEMPT": ("204", "206"),
    "EXCEPTION": ("2", "13", "203", "205", "207", "208", "209", "210", "401"),
    "RETURNING": ("6",),
    "RETURNED": ("4", "14"),
    "EXPIRED": ("201", "202"),
}
_STAGES = {code: stage for stage, codes in _CODES.items() for code in codes}
_CODE_OF_TEXT = {
    "在途": "0",
    "揽收": "1",
    "疑难": "2",
    "签收": "3",
    "退签": "4",
    "派件": "5",
    "退回": "6",
    "转投": "7",
    "清关": "8",
}
# 顺丰 and 中通: verified for a subscription, assumed to be the same for a query.
_PHONE_NEEDED = frozenset({"shunfeng", "zhongtong"})
_GIVEN_UP = ("3天", "60天")  # no record for three days; no change for sixty days

# From the table of return codes, quoted from memory: 500 no result yet, 501 server error, 502 server busy,
# 503 wrong signature, 400 and 408 wrong parameters, 601 key expired.
_FAILURES = {"500": "absent", "501": "busy", "502": "busy"}


@connector("kuaidi100")
class Kuaidi100:
    """快递100. API secret: `customer`, `key`, `salt`; webhook secrets: the salts of the subscriptions."""

    kept_headers: tuple[str, ...] = ()
    accepted: bytes = '{"result":true,"returnCode":"200","message":"成功"}'.encode()

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """See `Receives.verify`. An empty salt is ignored, because it would be no secret."""
        try:
            form = _form(request.body)
        except InvalidMessage as malformed:
            raise BadSignature(str(malformed)) from None
        expected = (signatures.md5_upper(form["param"], salt) for salt in secrets if salt)
        if not signatures.matches(form["sign"].upper(), expected):
            raise BadSignature("the sign fits none of the salts")

    def needs_phone(self, code: str) -> bool:
        """See `NeedsPhone.needs_phone`."""
        return code in _PHONE_NEEDED

    def subscribe(self, parcel: AskedParcel, callback_url: str, access: Access) -> models.HttpRequest:
        """See `Subscribes.subscribe`."""
        param = {
            "company": parcel.code,
            "number": parcel.number,
            "key": credential(access, "key"),
            "parameters": {
                "callbackurl": callback_url,
                "salt": credential(access, "salt"),
                "resultv2": "4",  # the states of the advanced edition
                **({"phone": parcel.phone} if parcel.phone else {}),
            },
        }
        return _post("/poll", {"schema": "json", "param": _json(param)})

    def read_subscribe(self, response: models.HttpResponse) -> models.Refused | models.Busy | models.Unknown | None:
        """See `Subscribes.read_subscribe`. To ask again does no harm: the answer is 501, already subscribed."""
        answer = _answer(response)
        if not isinstance(answer, Fields):
            return answer
        try:
            code = answer.text("returnCode")
            if code in {"200", "501"}:
                return None
            if code in {"500", "503"}:
                return models.Busy()
            return _refused(answer) if code else models.Unknown(why="快递100 answered without a return code")
        except InvalidMessage as why:
            return senseless("快递100", why)

    def query(self, parcel: AskedParcel, access: Access) -> models.HttpRequest:
        """See `Queries.query`."""
        asked = {"com": parcel.code, "num": parcel.number, "phone": parcel.phone, "from": "", "to": ""}
        param = _json({**asked, "resultv2": "4", "show": "0", "order": "desc"})
        customer = credential(access, "customer")
        sign = signatures.md5_upper(param, credential(access, "key"), customer)
        return _post("/poll/query.do", {"customer": customer, "sign": sign, "param": param})

    def read_query(
        self, response: models.HttpResponse
    ) -> models.TrackingReport | models.Absent | models.Refused | models.Busy | models.Unknown:
        """See `Queries.read_query`."""
        answer = _answer(response)
        if not isinstance(answer, Fields):
            return answer
        try:
            if answer.has("returnCode") and answer.text("returnCode") != "200":
                return _failed(answer)
            if not answer.has("data"):
                raise answer.invalid("data", "is not a list")
            return _report(answer, given_up=False) or models.Absent()
        except InvalidMessage as why:
            return senseless("快递100", why)

    def read_events(self, request: RawRequest, tracker: models.Tracker) -> Sequence[models.TrackingReport]:
        """See `ReceivesReports.read_events`.

        A push may only say that 快递100 stops asking the carrier. It has no time of its own, so it becomes an EXPIRED
        at the time of the newest scan. Without any scan it is no news; then the parcel's own clock does the same. If
        快递100 has corrected the carrier, it has subscribed again by itself, and there is no news.
        """
        push = read_json(_form(request.body)["param"])
        stopped = push.text("status") == "abort"
        if stopped and push.text("comNew"):
            return []
        given_up = stopped and any(words in push.text("message") for words in _GIVEN_UP)
        report = _report(push.child("lastResult"), given_up=given_up)
        return [report] if report else []


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _post(path: str, form: Mapping[str, str]) -> models.HttpRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return models.HttpRequest("POST", path, headers, urlencode(form).encode())


def _form(body: bytes) -> dict[str, str]:
    """The fields of a push, decoded; `sign` and `param` have to be there, and no field twice."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError:
        raise InvalidMessage("the push is not a form in UTF-8") from None
    form = dict(pairs)
    if len(form) != len(pairs) or not {"sign", "param"} <= form.keys():
        raise InvalidMessage("the push has not one sign and one param")
    return form


def _answer(response: models.HttpResponse) -> Fields | Failure:
    """The body of an answer. A repeat of either call does no harm, so after a server error it is asked again."""
    if not 200 <= response.status < 400:
        return not_answered("快递100", response)
    try:
        return read_json(response.body)
    except InvalidMessage as why:
        return senseless("快递100", why)


def _refused(answer: Fields) -> models.Refused:
    return models.Refused(words=cut(f"{answer.text('returnCode')} {answer.text('message', limit=400)}"))


def _failed(answer: Fields) -> models.Absent | models.Refused | models.Busy:
    meaning = _FAILURES.get(answer.text("returnCode"))
    if meaning == "absent":
        return models.Absent()
    return models.Busy() if meaning == "busy" else _refused(answer)


def _report(result: Fields, *, given_up: bool) -> models.TrackingReport | None:
    """The scans, in the order they came; None if there are none."""
    rows = result.rows_if_any("data")
    if not rows:
        return None
    timed = [(row, moment) for row in rows if (moment := _moment(row)) is not None]
    if not timed:
        raise result.invalid("data", "holds no scan with a time that can be read")
    newest = max(timed, key=lambda scan: scan[1])[0]
    events = [_event(row, at, result.text("state") if row is newest else "") for row, at in timed]
    if given_up:
        last = max(event.at for event in events)
        stage = models.TrackingStage.EXPIRED
        events.append(models.TrackingEvent(at=last, raw_time=_raw_time(newest), stage=stage, code="abort"))
    return models.TrackingReport(carrier=result.id("com"), number=result.id("nu"), events=tuple(events))


def _event(row: Fields, at: datetime, state: str) -> models.TrackingEvent:
    """One scan. If it has neither a code nor a known text, `state` is its code; that is given for the newest scan."""
    text = row.text("status", limit=64)
    code = row.text("statusCode", limit=64) or _CODE_OF_TEXT.get(text, "") or state
    stage = _stage(code)
    return models.TrackingEvent(
        at=at,
        raw_time=_raw_time(row),
        stage=None if stage is None else models.TrackingStage(stage),
        code=code or text,
    )


def _stage(code: str) -> str | None:
    """Our stage for a code; an unknown code of three or four digits has the stage of the main code it begins with."""
    if code in _STAGES or len(code) not in {3, 4} or not (code.isascii() and code.isdecimal()):
        return _STAGES.get(code)
    return _STAGES["0"] if code.startswith("100") else _STAGES.get(code[0])  # 1001 to 1003 belong to 0, 在途


def _raw_time(row: Fields) -> str:
    return row.text("ftime", limit=64) or row.text("time", limit=64)


def _moment(row: Fields) -> datetime | None:
    """When the scan was made; a time without a zone is China's. None if it cannot be read."""
    return row.time_or_none("ftime" if row.text("ftime", limit=64) else "time", CHINA)
