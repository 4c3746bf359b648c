"""抖店, as far as tests need it: it pushes lists of hints, signs with the time, and its token runs out.

Its documentation does not say how it answers when a token has run out: `sub_code` is made up.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dropship.connectors import connector, models, signatures
from dropship.connectors.answers import not_answered, senseless
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import Fields, credential, read_json, read_json_rows
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dropship.connectors.contract import Access, RawRequest

_ORDER_TAGS = frozenset(map(str, range(100, 300)))


@connector("doudian")
class Doudian:
    """Webhook secret: app key and app secret with a colon between. API secret: as in the token's answer."""

    kept_headers: tuple[str, ...] = ()
    accepted: bytes = b'{"code":0,"msg":"success"}'

    def greet(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> bytes | None:
        """The test push of its console is a list of one message 0 with tag 0, and may be unsigned."""
        try:
            rows = read_json_rows(request.body)
            is_test = len(rows) == 1 and rows[0].text("tag") == rows[0].text("msg_id") == "0"
        except InvalidMessage:
            return None
        return self.accepted if is_test else None

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """MD5 over app key, body and app secret."""
        expected = []
        for key, colon, secret in (one.partition(":") for one in secrets):
            if key and colon and secret:
                body = request.body.decode("utf-8", "surrogateescape")
                expected.append(signatures.md5_upper(key, body, secret))
        if not signatures.matches(request.headers.get("event-sign", "").upper(), expected):
            raise BadSignature("event-sign fits none of the secrets")

    def read_events(self, request: RawRequest, shop: models.Shop) -> Sequence[models.MarketplaceEvent]:
        """A push names orders and never contains their goods."""
        found = [_data(row) for row in read_json_rows(request.body) if row.text("tag") in _ORDER_TAGS]
        return [models.OrderHint(order=data.id("p_id")) for data in found]

    def token_has_run_out(self, response: models.HttpResponse) -> bool:
        """The status is 200 whatever happened."""
        try:
            return read_json(response.body).text("sub_code") == "isv.access-token-expired:0"
        except InvalidMessage:
            return False

    def ask_refresh(self, access: Access) -> models.HttpRequest:
        """Signed with app key, app secret and the time, and with no token."""
        wanted = {"grant_type": "refresh_token", "refresh_token": credential(access, "refresh_token")}
        return signed(access, "token.refresh", wanted)

    def read_refresh(
        self, response: models.HttpResponse
    ) -> Mapping[str, str] | models.Refused | models.Busy | models.Unknown:
        """Both tokens in the answer are new."""
        if response.status != 200:
            return not_answered("抖店", response)
        try:
            answer = read_json(response.body)
            if answer.text("code") != "10000":
                return models.Refused(words=answer.text("msg") or "抖店 gave no reason")
            data = answer.child("data")
            return {name: data.id(name) for name in ("access_token", "refresh_token")}
        except InvalidMessage as why:
            return senseless("抖店", why)


def _data(row: Fields) -> Fields:
    """The data of a message; mostly it is a string that contains JSON."""
    return read_json(row.text("data", limit=100_000)) if isinstance(row._values.get("data"), str) else row.child("data")


def signed(access: Access, method: str, wanted: Mapping[str, object]) -> models.HttpRequest:
    """A signed call: HMAC-SHA256 over its parts, including the time, with the app secret before and after them."""
    key, secret = credential(access, "app_key"), credential(access, "app_secret")
    param = json.dumps(wanted, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    stamp = str(int(access.now.timestamp()))
    parts = {"app_key": key, "method": method, "param_json": param, "timestamp": stamp, "v": "2"}
    text = secret + "".join(name + part for name, part in parts.items()) + secret
    sign = hmac.digest(secret.encode(), text.encode(), "sha256").hex()
    query = {"app_key": key, "method": method, "timestamp": stamp, "v": "2", "sign_method": "hmac-sha256", "sign": sign}
    return models.HttpRequest("POST", f"/{method.replace('.', '/')}?{urlencode(query)}", {}, param.encode())
