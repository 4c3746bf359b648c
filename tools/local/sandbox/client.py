"""A typed client for a running sandbox, for the demo and the whole-stack tests."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack
from urllib.parse import quote, urlencode

Recorded = dict[str, Any]
Direction = Literal["received", "sent"]


class SandboxError(Exception):
    """The sandbox does not run, or did not do what it was told; the message has its answer."""


class Sending(TypedDict, total=False):
    """How to send a webhook: `repeat` copies, in parallel if `parallel`; `reorder` sends it after the next one."""

    repeat: int
    parallel: bool
    reorder: bool


class FaultDetails(TypedDict, total=False):
    """Further fields of a fault; see `tools.local.sandbox.faults.Fault`."""

    times: int | None
    match: str
    status: int
    seconds: float
    retry_after: int


class EventDetails(Sending, total=False):
    """Further fields of a supplier's event; see `tools.local.sandbox.players.supplier_v1.Emission`."""

    reason: str
    carrier: str
    tracking_number: str
    lines: list[dict[str, Any]]
    occurred_at: str


@dataclass(frozen=True)
class Sandbox:
    """The sandbox at `url`. Returned statuses are our API's answers to the webhooks, 0 if there was no answer."""

    url: str

    def send_order(
        self,
        shop: str,
        payload: Mapping[str, Any],
        topic: str = "orders/paid",
        *,
        webhook_id: str = "",
        domain: str = "",
        deliver: bool = True,
        **sending: Unpack[Sending],
    ) -> list[int]:
        """Send a shop's webhook of any topic. If `deliver` is false, the shop knows the event but sends nothing."""
        named = {"webhook_id": webhook_id, "domain": domain}
        body = {"payload": payload, "topic": topic, "deliver": deliver, **sending}
        body |= {name: text for name, text in named.items() if text}
        return list(self._call("POST", f"/control/shopify/{shop}/orders", body)["statuses"])

    def records(
        self, partner: str = "", operation: str = "", contains: str = "", direction: Direction = "received"
    ) -> list[Recorded]:
        """The recorded requests in order: those that the partners received, or those that they sent."""
        query = {"partner": partner, "operation": operation, "contains": contains, "direction": direction}
        return self._list("/records", "records", query)

    def forget(self) -> None:
        """Delete all records; the partners keep what they know."""
        self._call("DELETE", "/records")

    def supplier_orders(self, supplier: str, reference: str = "") -> list[dict[str, Any]]:
        """The supplier's order book; `reference` may be a part of a reference."""
        return self._list(f"/suppliers/{supplier}/orders", "orders", {"reference": reference})

    def fulfillments(self, shop: str, order: str = "") -> list[dict[str, Any]]:
        """The parcels that a shop was told about."""
        return self._list(f"/shopify/{shop}/fulfillments", "fulfillments", {"order": order})

    def parcels(self, number: str = "") -> list[dict[str, Any]]:
        """The parcels that 快递100 knows, each with its `callback_url` once we subscribed."""
        return self._list("/kuaidi100/parcels", "parcels", {"number": number})

    def acknowledge(self, supplier: str, reference: str, **details: Unpack[EventDetails]) -> list[int]:
        """The supplier confirms a purchase order."""
        return self._emit(supplier, "acknowledge", reference, details)

    def reject(self, supplier: str, reference: str, **details: Unpack[EventDetails]) -> list[int]:
        """The supplier refuses a purchase order that it had accepted."""
        return self._emit(supplier, "reject", reference, details)

    def ship(self, supplier: str, reference: str, **details: Unpack[EventDetails]) -> list[int]:
        """The supplier ships: all that is left, with a new number, unless `details` say otherwise."""
        return self._emit(supplier, "ship", reference, details)

    def cancel(self, supplier: str, reference: str, **details: Unpack[EventDetails]) -> list[int]:
        """The supplier reports that a purchase order is cancelled."""
        return self._emit(supplier, "cancel", reference, details)

    def refuse_cancellation(self, supplier: str, reference: str, **details: Unpack[EventDetails]) -> list[int]:
        """The supplier reports that it ships although we asked to cancel."""
        return self._emit(supplier, "refuse-cancellation", reference, details)

    def behave(
        self,
        supplier: str,
        *,
        acknowledge: float | None = None,
        ship: float | None = None,
        cancel: Literal["accept", "refuse", "pending"] = "accept",
        acknowledge_in_answer: bool = False,
    ) -> None:
        """Set what the supplier does by itself, each in seconds after a purchase order came; None: never."""
        body = {
            "acknowledge": acknowledge,
            "ship": ship,
            "cancel": cancel,
            "acknowledge_in_answer": acknowledge_in_answer,
        }
        self._call("POST", f"/control/suppliers/{supplier}/auto", body)

    def scan(
        self,
        number: str,
        carrier: str,
        codes: Iterable[str],
        *,
        at: str = "",
        push: bool = True,
        **sending: Unpack[Sending],
    ) -> list[int]:
        """The carrier (快递100's code) scans a parcel, once for each code; now, or `at` a time in ISO 8601.

        Raises:
            SandboxError: the scans should be pushed, but nobody has subscribed.
        """
        scans = [{"code": code, "at": at} for code in codes]
        body = {"number": number, "carrier": carrier, "scans": scans, "push": push, **sending}
        answer = self._call("POST", "/control/kuaidi100/scan", body)
        if push and not answer["subscribed"]:
            raise SandboxError(f"Nobody subscribed to parcel {carrier} {number}, so nothing was pushed.")
        return list(answer["statuses"])

    def fault(self, partner: str, mode: str, operation: str = "", **details: Unpack[FaultDetails]) -> None:
        """Arm a fault: `partner` is `supplier:acme`, `shopify:main-shop` or `kuaidi100`."""
        self._call("POST", "/control/faults", {"partner": partner, "mode": mode, "operation": operation, **details})

    def faults(self) -> list[dict[str, Any]]:
        """All faults; `fired` counts how often each one happened."""
        return self._list("/control/faults", "faults", {})

    def heal(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "/control/faults")

    def tell(self, address: str, action: str, **what: object) -> dict[str, Any]:
        """Tell the partner at an address (`woocommerce/woo-shop`) to do something; see its player."""
        return self._call("POST", f"/control/{address}/{action}", what)

    def see(self, address: str, what: str, **query: str) -> list[dict[str, Any]]:
        """What the partner at an address shows; see its player."""
        return self._list(f"/{address}/{what}", what, query)

    def _emit(self, supplier: str, action: str, reference: str, details: EventDetails) -> list[int]:
        path = f"/control/suppliers/{supplier}/{action}"
        return list(self._call("POST", path, {"reference": reference, **details})["statuses"])

    def _list(self, path: str, name: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        asked = urlencode({key: text for key, text in query.items() if text}, quote_via=quote)
        return list(self._call("GET", f"{path}?{asked}")[name])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refusal:
            with refusal:
                words = json.loads(refusal.read()).get("error", "")
            raise SandboxError(f"The sandbox refused {method} {path}: {words}") from None
        except OSError as problem:
            raise SandboxError(f"The sandbox at {self.url} does not answer ({problem}). Is the stack up?") from None
