"""A tracking service that pushes and cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropship.connectors import connector, models, signatures
from dropship.connectors.contract import BadSignature
from dropship.connectors.reading import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dropship.connectors.contract import RawRequest


@connector("push-only")
class PushOnly:
    """Webhook secret: any text."""

    kept_headers: tuple[str, ...] = ()
    accepted: bytes = b"ok"

    def verify(self, request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
        """HMAC-SHA256 over the body."""
        expected = [signatures.hmac_sha256_base64(secret, request.body) for secret in secrets if secret]
        if not signatures.matches(request.headers.get("signature", ""), expected):
            raise BadSignature("signature fits none of the secrets")

    def read_events(self, request: RawRequest, tracker: models.Tracker) -> Sequence[models.TrackingReport]:
        """A push is one scan of one parcel."""
        scan = read_json(request.body)
        at, stage = scan.time("at"), models.TrackingStage.DELIVERED if scan.flag("there", default=False) else None
        event = models.TrackingEvent(at=at, raw_time=scan.text("at"), stage=stage, code=scan.text("code"))
        return [models.TrackingReport(carrier=scan.id("carrier"), number=scan.id("number"), events=(event,))]
