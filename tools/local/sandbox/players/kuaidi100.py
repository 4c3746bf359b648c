"""快递100: subscriptions, queries, and pushes of the scans that it was told about."""

import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from tools.local.sandbox.exchange import Malformed, Reply, Request
from tools.local.sandbox.players import Player, player
from tools.local.sandbox.sender import Delivery, Message, Sender
from tools.local.sandbox.settings import Settings
from tools.local.sandbox.signatures import md5_upper

CHINA = timezone(timedelta(hours=8))
_WORDS = {
    "0": "在途",
    "1": "揽收",
    "2": "疑难",
    "3": "签收",
    "4": "退签",
    "5": "派件",
    "6": "退回",
    "7": "转投",
    "8": "清关",
}
_STATES = {"10": "8", "11": "8", "12": "8", "13": "8", "14": "4"}
_SIGNED = {"3", "4"}
_PHONE_NEEDED = {"shunfeng", "zhongtong"}


@dataclass
class Scan:
    """One scan of a parcel: an official code (`103` picked up, `1002` on the road, `5` out, `301` signed for).

    `at` is ISO 8601, in this machine's zone if it names none; empty for now.
    """

    code: str
    context: str = ""
    at: str = ""

    @property
    def state(self) -> str:
        """The main code, 0 to 8."""
        return _STATES.get(self.code, self.code[:1])

    def view(self) -> dict[str, Any]:
        """The scan as 快递100 shows it: in China's time without a zone."""
        moment = datetime.fromisoformat(self.at) if self.at else datetime.now(UTC)
        text = moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        word = _WORDS.get(self.state, "在途")
        return {"context": self.context or word, "time": text, "ftime": text, "status": word, "statusCode": self.code,
                "areaCode": None, "areaName": None}  # fmt: skip


@dataclass
class Parcel:
    """What 快递100 knows about one number; `scans`: newest first. `callback_url` is empty until we subscribe."""

    carrier: str
    number: str
    scans: list[dict[str, Any]] = field(default_factory=list)
    state: str = "0"
    callback_url: str = ""
    salt: str = ""

    @property
    def report(self) -> dict[str, Any]:
        """The parcel as it appears in the answer to a query and in a push."""
        signed = "1" if self.state in _SIGNED else "0"
        return {"message": "ok", "state": self.state, "status": "200", "condition": "F00", "ischeck": signed,
                "com": self.carrier, "nu": self.number, "data": self.scans}  # fmt: skip


@dataclass
class NewScans:
    """Scans to add to a parcel, oldest first; and whether and how to push the result."""

    number: str
    carrier: str
    scans: list[dict[str, str]]
    push: bool = True
    repeat: int = 1
    parallel: bool = False
    reorder: bool = False


@player("kuaidi100", address="kuaidi100")
class Kuaidi100(Player):
    """The tracking service, for all its customers."""

    about = "快递100: subscriptions and queries"
    usage = """\
GET    /kuaidi100/parcels?number=               the parcels that 快递100 knows
POST   /control/kuaidi100/scan                {number, carrier, scans: [{code, context?, at?}], push?, …}"""

    def __init__(self, connection: str, settings: Settings, sender: Sender) -> None:
        super().__init__(connection, settings, sender)
        self._parcels: dict[tuple[str, str], Parcel] = {}
        self._lock = threading.Lock()

    def operation(self, request: Request) -> str:
        """`subscribe` or `query`."""
        return {"/poll": "subscribe", "/poll/query.do": "query"}.get(request.path, "unknown")

    def answer(self, request: Request, operation: str) -> Reply:
        """The API's answer: always HTTP 200, with its own code in the body."""
        form = request.form()
        try:
            param = json.loads(form.get("param", ""))
        except ValueError:
            return _refusal("400", "提交的数据不完整，或者贵公司没授权")
        if operation == "subscribe":
            return self._subscribe(param)
        return self._query(form, param) if operation == "query" else _refusal("400", "没有这个接口")

    def throttled(self, retry_after: int) -> Reply:  # noqa: ARG002
        """429, with its own message; it names no waiting time."""
        return Reply.of({"result": False, "returnCode": "503", "message": "请求过于频繁"}, 429)

    def show(self, what: str, query: Mapping[str, str]) -> object | None:
        """`parcels`: that with a `number`, or all."""
        return {what: self.parcels(query.get("number"))} if what == "parcels" else None

    def do(self, action: str, request: Request) -> object | None:
        """`scan`: add scans of a parcel."""
        return self.scan(request.read(NewScans)) if action == "scan" else None

    @staticmethod
    def made_up_secrets() -> tuple[str, dict[str, str]]:
        """The salt of the subscriptions, and a customer's key."""
        salt = secrets.token_hex(8)
        return salt, {"customer": secrets.token_hex(16).upper(), "key": secrets.token_hex(6), "salt": salt}

    def parcels(self, number: str | None) -> list[dict[str, Any]]:
        """The parcel with that number, or all parcels, without the salt."""
        with self._lock:
            known = [parcel for parcel in self._parcels.values() if number in {None, parcel.number}]
            return [{name: value for name, value in asdict(parcel).items() if name != "salt"} for parcel in known]

    def scan(self, new: NewScans) -> dict[str, Any]:
        """Add scans and push them to the subscriber.

        Raises:
            Malformed: a scan has no code, or no valid time.
        """
        try:
            views = [(scan.state, scan.view()) for scan in (Scan(**one) for one in new.scans)]
        except (TypeError, ValueError) as problem:
            raise Malformed(f"a scan is {{code, context?, at?}}: {problem}") from None
        with self._lock:
            parcel = self._parcel(new.carrier, new.number)
            for state, view in views:
                parcel.state = state
                parcel.scans.insert(0, view)
            message = self._message(parcel) if new.push and parcel.callback_url else None
        delivery = Delivery(new.repeat, new.parallel, new.reorder)
        statuses = self.sender.send(message, delivery) if message else []
        return {"subscribed": bool(parcel.callback_url), "statuses": statuses}

    def _parcel(self, carrier: str, number: str) -> Parcel:
        return self._parcels.setdefault((carrier, number), Parcel(carrier, number))

    def _customers(self, fits: Callable[[dict[str, str]], bool]) -> bool:
        """Whether a customer fits; always true while nothing is seeded."""
        customers = self.settings.api_secrets("kuaidi100").values()
        return not customers or any(fits(customer) for customer in customers)

    def _subscribe(self, param: dict[str, Any]) -> Reply:
        key = str(param.get("key", ""))
        if not self._customers(lambda customer: hmac.compare_digest(customer["key"], key)):
            return _refusal("601", "KEY已过期")
        carrier, number = str(param.get("company", "")), str(param.get("number", ""))
        wanted = param.get("parameters") or {}
        if not carrier or not number or not wanted.get("callbackurl"):
            return _refusal("701", "拒绝订阅的快递公司或参数不完整")
        if not _knows_phone(carrier, wanted.get("phone")):
            return _phone_refusal()
        with self._lock:
            parcel = self._parcel(carrier, number)
            if parcel.callback_url:
                return _refusal("501", "重复订阅")
            parcel.callback_url, parcel.salt = wanted["callbackurl"], wanted.get("salt", "")
        return Reply.of({"result": True, "returnCode": "200", "message": "提交成功"})

    def _query(self, form: dict[str, str], param: dict[str, Any]) -> Reply:
        customer, text = form.get("customer", ""), form.get("param", "")
        sign = form.get("sign", "")
        if not self._customers(
            lambda known: (
                known["customer"] == customer
                and hmac.compare_digest(md5_upper(text, known["key"], customer).encode(), sign.encode())
            )
        ):
            return _refusal("503", "验证签名失败")
        carrier = str(param.get("com", ""))
        if not _knows_phone(carrier, param.get("phone")):
            return _phone_refusal()
        with self._lock:
            parcel = self._parcels.get((carrier, str(param.get("num", ""))))
            if parcel is None or not parcel.scans:
                return _refusal("500", "查询无结果，请隔段时间再查")
            return Reply.of(parcel.report)

    def _message(self, parcel: Parcel) -> Message:
        over = parcel.state in _SIGNED
        push = {"status": "shutdown" if over else "polling", "billstatus": "check" if over else "got", "message": "",
                "autoCheck": "0", "comOld": "", "comNew": "", "lastResult": parcel.report}  # fmt: skip
        param = json.dumps(push, ensure_ascii=False)
        body = urlencode({"sign": md5_upper(param, parcel.salt), "param": param}).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return Message(self.name, "push", parcel.callback_url, body, lambda: form)


def _knows_phone(carrier: str, phone: object) -> bool:
    """顺丰 and 中通 need the last four digits of the recipient's phone; here any four digits are accepted."""
    return carrier not in _PHONE_NEEDED or re.fullmatch(r"[0-9]{4}", str(phone)) is not None


def _phone_refusal() -> Reply:
    return _refusal("408", "快递公司参数异常：验证码错误")  # of a query, from memory; not verified for a subscription


def _refusal(code: str, message: str) -> Reply:
    return Reply.of({"result": False, "returnCode": code, "message": message})
