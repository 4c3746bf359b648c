"""Partners that misbehave: a supplier with a warehouse, and a shop that sells, edits, refunds and cancels."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dropship.domain.identity import OrderKey
from dropship.ports import HttpResponse
from dropship.services.messages import Webhook
from tests.support.partner_apis import LOST, Partner, ShopApi, SupplierApi, answer
from tests.support.service_world import GREEN, KEY, PINK, payload

AFTER_500, LOST_ANSWER, LATE, REFUSES, BUSY = (
    "partner did it and answered 500",
    "partner did it and the answer was lost",
    "supplier accepts late",
    "supplier refuses",
    "partner is busy",
)
MOODS = {"place": (REFUSES, LATE, AFTER_500, LOST_ANSWER, BUSY), "find": (BUSY,), "cancel": (AFTER_500, BUSY)}
MOODS_OF_SHOP = {"create": (AFTER_500, LOST_ANSWER, BUSY), "ask": (BUSY,)}
SOLD = {PINK: 2, GREEN: 1}
PRICE, SHIPPING = 199, 10
SKUS = {"main-shop": ("IPOD2008PINK", "CAP-BLACK"), "second-shop": ("IPOD2008PINK", "CAP-BLACK")}


class Moody(Partner):
    """A partner whose next answers go wrong in certain ways (`moods`); `fired` counts those that did."""

    def watched(self, witness: Callable[[str, str], None], fired: Counter[str]) -> None:
        """Call `witness` with each request before it is answered; `fired` counts the answers that went wrong."""
        self.moods: dict[str, list[str]] = {}
        self.late: list[Callable[[], object]] = []
        self._witness, self._fired = witness, fired

    def _do(self, operation: str, about: str, act: Callable[[], HttpResponse]) -> HttpResponse:
        self.asked.append((operation, about))
        self._witness(operation, about)
        moods = self.moods.get(operation)
        mood = moods.pop(0) if moods else ""
        if not mood or not self._may(mood, about):
            return act()
        self._fired[mood] += 1
        match mood:
            case "partner is busy":
                return answer(429, retry_after="1")
            case "supplier refuses":
                return answer(422, {"error": {"message": "sold out"}})
            case "supplier accepts late":
                self.late.append(act)
                raise LOST
        act()
        if mood == AFTER_500:
            return answer(500)
        raise LOST

    def _may(self, mood: str, about: str) -> bool:
        """Whether the partner can have this mood for this request."""
        return bool(mood and about)

    def catch_up(self) -> None:
        """Carry out now what was accepted late."""
        late, self.late = self.late, []
        for act in late:
            act()


@dataclass
class Warehouse(Moody, SupplierApi):
    """A supplier that ships in parts or whole. It has no idempotency: what is placed twice is made twice."""

    name: str = "acme"
    made: list[str] = field(default_factory=list)
    sent: dict[str, Counter[str]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    """References that it refused or cancelled."""
    parcels: int = 0

    def _may(self, mood: str, about: str) -> bool:
        """It does not refuse what it has, or will have after a late acceptance."""
        return mood != REFUSES or (about not in self.orders and about not in self._expected)

    @property
    def _expected(self) -> set[str]:
        return {reference for operation, reference in self.asked[:-1] if operation == "place"} if self.late else set()

    def _place(self, body: dict[str, Any]) -> HttpResponse:
        self.made.append(body["reference"])
        return super()._place(body)

    def catch_up(self) -> None:
        """A late acceptance does not count if the same reference was placed again meanwhile."""
        known = list(self.made)
        super().catch_up()
        self.made = known + [one for one in dict.fromkeys(self.made[len(known) :]) if one not in known]

    def _cancel(self, reference: str) -> HttpResponse:
        if reference not in self.orders or reference in self.over or self.sent.get(reference):
            return answer(409, {"error": {"message": "not possible"}})
        return super()._cancel(reference)

    def lines(self, reference: str) -> dict[str, int]:
        """The units of each of our lines that a purchase order asks for."""
        return {line["line"]: line["quantity"] for line in self.orders[reference]["request"]["lines"]}

    def left(self, reference: str) -> dict[str, int]:
        """Units that it still has to ship."""
        gone = self.sent.get(reference, Counter())
        return {line: units - gone[line] for line, units in self.lines(reference).items() if units > gone[line]}

    @property
    def able(self) -> list[str]:
        """References of which it can still ship something."""
        return [one for one in self.open if one not in self.over and self.left(one)]

    def ship(self, reference: str, *, whole: bool) -> str:
        """Ship all that is left, or one unit of it. Returns the webhook message."""
        left = self.left(reference)
        units = left if whole else {next(iter(left)): 1}
        self.sent.setdefault(reference, Counter()).update(units)
        self.parcels += 1
        number = f"YT{self.name.upper()}{self.parcels:04}"
        lines = [{"line": line, "quantity": count} for line, count in units.items()]
        return self.says("shipped", reference, shipment={"carrier": "YTO", "tracking_number": number, "lines": lines})

    def says(self, kind: str, reference: str, **data: object) -> str:
        """A webhook of the supplier, as the front door keeps it."""
        said = {"reference": reference, "supplier_order_id": "SO-1", "occurred_at": "2026-11-21T08:20:00Z"} | data
        body = json.dumps({"type": f"purchase_order.{kind}", "data": said})
        return Webhook(channel="supplier-v1", connection=self.name, headers={}, body=body).model_dump_json()


@dataclass
class Shopfront(Moody, ShopApi):
    """A shop with one order. It sends the whole order each time something about it changes."""

    name: str = KEY.shop
    refunds: dict[str, dict[str, int]] = field(default_factory=dict)
    cancelled: bool = False
    street: int = 0
    version: int = 0
    opened: datetime | None = None

    @property
    def key(self) -> OrderKey:
        """Its order. Both shops use the same order number."""
        return OrderKey(self.name, KEY.external_id)

    @property
    def fulfillable(self) -> dict[str, int]:
        """Units of each line that are still to be fulfilled: those not given back, none once it is cancelled."""
        back = sum((Counter(units) for units in self.refunds.values()), Counter[str]())
        return {line: 0 if self.cancelled else sold - back[line] for line, sold in SOLD.items()}

    def order(self, topic: str) -> str:
        """A webhook with the order as it is now, in a later version."""
        assert self.opened is not None
        self.version += 1
        rows = payload("orders_paid")["line_items"]
        left = self.fulfillable
        lines = [
            row | {"sku": sku, "quantity": SOLD[line], "fulfillable_quantity": left[line]}
            for row, sku, line in zip(rows, SKUS[self.name], SOLD, strict=True)
        ]
        total = f"{PRICE * sum(SOLD.values()) + SHIPPING}.00"
        changes: dict[str, object] = {
            "line_items": lines,
            "total_price": total,
            "updated_at": (self.opened + timedelta(seconds=self.version)).isoformat(),
            "refunds": [{"id": int(refund)} for refund in self.refunds],
            "cancelled_at": self.opened.isoformat() if self.cancelled else None,
        }
        if self.street:
            changes["shipping_address"] = payload("orders_paid")["shipping_address"] | {
                "address2": f"No. {self.street}"
            }
        return self.webhook(topic, payload("orders_paid") | changes)

    def refund(self, line: str) -> tuple[str, str]:
        """Give one unit back. Returns the refund's id and its webhook."""
        refund = str(890088186047892319 + len(self.refunds))
        self.refunds[refund] = {line: 1}
        self.units[line] = max(0, self.units[line] - 1)
        body = payload("refunds_create")
        rows = [body["refund_line_items"][0] | {"line_item_id": int(line), "quantity": 1}]
        return refund, self.webhook("refunds/create", body | {"id": int(refund), "refund_line_items": rows})

    def webhook(self, topic: str, body: object) -> str:
        """A webhook of the shop, as the front door keeps it."""
        headers = {"x-shopify-topic": topic, "x-shopify-shop-domain": f"{self.name}.myshopify.com"}
        kept = Webhook(channel="shopify", connection=self.name, headers=headers, body=json.dumps(body))
        return kept.model_dump_json()
