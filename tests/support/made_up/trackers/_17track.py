"""17TRACK, as far as tests need it: its name begins with a digit, and it is asked for forty parcels at once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from dropship.connectors import connector, models, signatures
from dropship.connectors.answers import Failure, not_answered, senseless
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import Fields, credential, read_json
from dropship.domain.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.connectors.contract import Access, AskedParcel, RawRequest

    type Answers = Sequence[models.TrackingReport | models.Absent | models.Refused] | Failure

_STAGES = {
    "InfoReceived": "INFO_RECEIVED",
    "InTransit": "IN_TRANSIT",
    "OutForDelivery": "OUT_FOR_DELIVERY",
    "AvailableForPickup": "AVAILABLE_FOR_PICKUP",
    "Delivered": "DELIVERED",
    "Exception": "EXCEPTION",
}


@connector("17track")
class SeventeenTrack:
    """API secret: `key`; webhook secret: the same key."""

    kept_headers: tuple[str, ...] = ()
    accepted: bytes = b"{}"
    most_at_once: int = 40

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """SHA256 over the body, a slash and the key."""
        expected = [hashlib.sha256(request.body + b"/" + secret.encode()).hexdigest() for secret in secrets if secret]
        if not signatures.matches(request.headers.get("sign", ""), expected):
            raise BadSignature("sign fits none of the keys")

    def read_events(self, request: RawRequest, tracker: models.Tracker) -> Sequence[models.TrackingReport]:
        """A push is about one parcel."""
        push = read_json(request.body)
        if push.text("event") != "TRACKING_UPDATED":
            return []
        report = _report(push.child("data"))
        return [report] if report else []

    def query_many(self, parcels: Sequence[AskedParcel], access: Access) -> models.HttpRequest:
        """A list of numbers, each with its carrier."""
        wanted = [{"number": parcel.number, "carrier": int(parcel.code)} for parcel in parcels]
        headers = {"17token": credential(access, "key"), "content-type": "application/json"}
        return models.HttpRequest("POST", "/track/v2.4/gettrackinfo", headers, json.dumps(wanted).encode())

    def read_query_many(self, response: models.HttpResponse, parcels: Sequence[AskedParcel]) -> Answers:
        """The accepted and the rejected numbers, in any order."""
        if response.status != 200:
            return not_answered("17TRACK", response)
        try:
            body = read_json(response.body)
            if body.text("code") != "0":
                return models.Refused(words=f"17TRACK answered {body.text('code')}")
            data = body.child("data")
            found = {row.id("number"): _report(row) or models.Absent() for row in data.rows("accepted")}
            refused = {
                row.id("number"): models.Refused(words=row.child("error").text("message"))
                for row in data.rows("rejected")
            }
        except InvalidMessage as why:
            return senseless("17TRACK", why)
        return [found.get(one.number) or refused.get(one.number) or models.Absent() for one in parcels]


def _report(data: Fields) -> models.TrackingReport | None:
    rows = [event for provider in _providers(data) for event in provider.rows("events")]
    events = [
        models.TrackingEvent(
            at=at, raw_time=row.text("time_utc"), stage=_stage(row.text("stage")), code=row.text("stage")
        )
        for row in rows
        if (at := row.time_or_none("time_utc"))
    ]
    if not events:
        return None
    return models.TrackingReport(carrier=data.id("carrier"), number=data.id("number"), events=tuple(events))


def _providers(data: Fields) -> list[Fields]:
    return data.child("track_info").child("tracking").rows("providers") if data.has("track_info") else []


def _stage(name: str) -> models.TrackingStage | None:
    return models.TrackingStage(_STAGES[name]) if name in _STAGES else None
