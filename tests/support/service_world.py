"""The services with everything around them in memory; what tests can do to them, and what they can see."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dropship.adapters.seed_file import Seed, load_seed
from dropship.domain.deadlines import Moment
from dropship.domain.identity import OrderKey, Waybill
from dropship.domain.orders.clocks import watched
from dropship.domain.orders.order import Order
from dropship.domain.orders.parcel import Parcel
from dropship.domain.orders.purchase_order import PlannedPurchaseOrder, PurchaseOrder
from dropship.domain.remedies.case import Case
from dropship.ports import Suppliers
from dropship.services.changing import Moments
from dropship.services.docking import Dockings
from dropship.services.messages import AFTER_SALES, INBOX, TellMarketplace, Webhook
from dropship.services.orders.inbox import Inbox
from dropship.services.parcels.tracking import AskAll, Tracking
from dropship.services.parcels.writeback import Writeback
from dropship.services.partner_calls import PartnerCalls
from dropship.services.purchasing.cancellation import Cancellation
from dropship.services.purchasing.dispatch import Submission
from dropship.services.purchasing.supplier_events import SupplierEvents
from dropship.services.remedies.after_sales import AfterSales
from dropship.services.routing.planning import Planning
from tests.support.consumers import CONSUMERS
from tests.support.crashing import Fuse
from tests.support.fakes import (
    FakeCases,
    FakeClock,
    FakeHttp,
    FakeOrders,
    FakeQueues,
    FakeRegistry,
    FakeSecrets,
    FakeSuppliers,
    FakeWorkflows,
)
from tests.support.lambdas import Function, load, made_up_resources
from tests.support.partner_apis import ShopApi, SupplierApi, TrackerApi, WooApi

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 8, 15, 30, tzinfo=UTC)
KEY = OrderKey("main-shop", "820982911946154508")
PINK, GREEN = "866550311766439020", "141249953214522974"
PO = "main-shop.820982911946154508.acme.1.1"
PO_OF_BOLT = "main-shop.820982911946154508.bolt.1.1"
WAYBILL = Waybill("yto", "YT9693083639795")
CASE = "refund-890088186047892319"
_SECRETS = {
    "api/shopify/main-shop": {"access_token": "shpat_test"},
    "api/woocommerce/woo-shop": {"consumer_key": "ck_test", "consumer_secret": "cs_test"},
    "api/supplier-v1/acme": {"api_key": "key-of-acme"},
    "api/supplier-v1/bolt": {"api_key": "key-of-bolt"},
    "api/kuaidi100/kd100": {"customer": "customer", "key": "key", "salt": "salt"},
}


@cache
def seed() -> Seed:
    """The registry of the local stack."""
    addresses = {"SANDBOX_URL": "http://partners.test", "API_URL": "https://api.test"}
    return load_seed(
        (ROOT / "tools" / "local" / "seed.yaml").read_bytes(), "seed.yaml", addresses, lambda *_: True, local=True
    )


@cache
def _body_text(name: str) -> str:
    return str(json.loads((ROOT / "events" / "webhook" / f"{name}.json").read_text())["body"])


def payload(name: str) -> dict[str, Any]:
    """The body of an example webhook, as a copy that may be changed."""
    return dict(json.loads(_body_text(name)))


@cache
def _consumer(queue: str) -> Function:
    """The consumer of a queue (named as services name the queue), loaded once. Each world gives it its own ports."""
    (found,) = [one for one in CONSUMERS if one.queue_name == queue]
    return load(found.function, made_up_resources())


@dataclass
class World:
    """One shop's orders, its suppliers, its tracker, all queues and stores. Services call them through `fuse`."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    orders: FakeOrders = field(default_factory=FakeOrders)
    cases: FakeCases = field(default_factory=FakeCases)
    queues: FakeQueues = field(default_factory=FakeQueues)
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)
    http: FakeHttp = field(default_factory=FakeHttp)
    registry: FakeRegistry = field(default_factory=lambda: FakeRegistry(seed()))
    secrets: FakeSecrets = field(default_factory=lambda: FakeSecrets(_SECRETS))
    acme: SupplierApi = field(default_factory=SupplierApi)
    bolt: SupplierApi = field(default_factory=SupplierApi)
    in_memory: FakeSuppliers | None = None
    """Suppliers that are reached without HTTP; where a test sets them, they replace acme and bolt."""
    shop: ShopApi = field(default_factory=lambda: ShopApi(units={PINK: 1, GREEN: 1}))
    woo: WooApi = field(default_factory=WooApi)
    tracker: TrackerApi = field(default_factory=TrackerApi)
    fuse: Fuse = field(default_factory=Fuse)
    ask_all: AskAll = map
    """How tracking asks for several parcels."""
    counted: list[tuple[str, str]] = field(default_factory=list)
    """Metrics of tracking, each with what it is about."""
    planned: tuple[int, list[PlannedPurchaseOrder]] = (0, [])
    """The plan that the workflow submits, where a test has stored one."""
    messages: list[str] = field(default_factory=list)
    """Messages that are delivered again and again, where a test has stored some."""

    def __post_init__(self) -> None:
        self.http.partner("http://partners.test/suppliers/acme", self.acme)
        self.http.partner("http://partners.test/suppliers/bolt", self.bolt)
        self.http.partner("http://partners.test/shopify/main-shop", self.shop)
        self.http.partner("http://partners.test/woocommerce/woo-shop", self.woo)
        self.http.partner("http://partners.test/kuaidi100", self.tracker)

    def _count(self, metric: str, what: str) -> None:
        self.counted.append((metric, what))

    def _seen(self, port: str) -> Any:
        return self.fuse.watch(port, getattr(self, port))

    @property
    def moments(self) -> Moments:
        return Moments(self.registry, self.clock)

    @property
    def inbox(self) -> Inbox:
        ports = (self._seen("orders"), self.registry, lambda: self.partners)
        return Inbox(*ports, self._seen("queues"), self._seen("workflows"), self.moments)

    @property
    def planning(self) -> Planning:
        return Planning(self._seen("orders"), self.registry, self.moments)

    @property
    def partners(self) -> PartnerCalls:
        return PartnerCalls(self._seen("http"), self.secrets, self.clock)

    @property
    def suppliers(self) -> Suppliers:
        return Dockings(self) if self.in_memory is None else self.fuse.watch("suppliers", self.in_memory)

    @property
    def submission(self) -> Submission:
        return Submission(self._seen("orders"), self.registry, self.suppliers, self._seen("queues"), self.moments)

    @property
    def cancellation(self) -> Cancellation:
        return Cancellation(self._seen("orders"), self.registry, self.suppliers, self.moments)

    @property
    def supplier_events(self) -> SupplierEvents:
        return SupplierEvents(self._seen("orders"), self.registry, self._seen("queues"), self.moments)

    @property
    def tracking(self) -> Tracking:
        ports = (self._seen("orders"), self.registry, self.partners, self._seen("queues"), self.moments)
        return Tracking(*ports, self._count, self.ask_all)

    @property
    def writeback(self) -> Writeback:
        return Writeback(self._seen("orders"), self.registry, self.partners, self.moments)

    @property
    def after_sales(self) -> AfterSales:
        ports = (self._seen("orders"), self._seen("cases"), self.cancellation, self._seen("workflows"))
        return AfterSales(*ports, self.moments)

    @property
    def application(self) -> SimpleNamespace:
        """What a consumer has as its `app`: the ports of this world, called through `fuse`."""
        return SimpleNamespace(
            orders=self._seen("orders"),
            cases=self._seen("cases"),
            registry=self.registry,
            partners=self.partners,
            suppliers=self.suppliers,
            queues=self._seen("queues"),
            workflows=self._seen("workflows"),
            clock=self.clock,
            moments=self.moments,
            threads=SimpleNamespace(map=self.ask_all),
            count=self._count,
        )

    # What happens

    def hear(self, topic: str, **changes: object) -> None:
        """The marketplace sends the example order: `orders/paid`, with some fields changed."""
        self.inbox.handle(from_shop(topic, **changes))

    def wish(self, message: Any) -> None:
        """Handle a message of the inbox, after it was turned into JSON and back."""
        self.inbox.handle(INBOX.validate_json(message.model_dump_json()))

    def tell(self, message: Any) -> None:
        """Handle a message of after-sales, after it was turned into JSON and back."""
        self.after_sales.handle(AFTER_SALES.validate_json(message.model_dump_json()))

    def refund(self, *units: str) -> None:
        """The marketplace refunds one unit of each of these lines. All messages to after-sales that follow arrive."""
        self.hear("refunds/create", refund_line_items=[{"line_item_id": line, "quantity": 1} for line in units])
        self.arrive("after-sales")

    def take(self, queue: str, body: str) -> None:
        """Give one message to the consumer of a queue."""
        consumer = _consumer(queue)
        consumer.module.app = self.application
        handle = consumer.module.handle
        outbox = {"outbox": self._seen("queues")} if "outbox" in signature(handle).parameters else {}
        handle(body, **outbox)

    def arrive(self, queue: str) -> None:
        """Give everything that was sent to a queue to its consumer."""
        for body in self.queues.drain(queue):
            self.take(queue, body)

    def plan(self) -> tuple[int, list[PlannedPurchaseOrder]]:
        return self.planning.plan(KEY)

    def dispatch(self) -> list[str]:
        """Do what the fulfilment workflow does when nothing fails; returns the statuses."""
        fence, planned = self.plan()
        return [self.submission.submit(KEY, fence, one, "worker") for one in planned]

    def supplier_says(self, event: str, *, supplier: str = "acme", **data: object) -> None:
        """A supplier sends an event of its purchase order; fields of `data` may be changed."""
        self.supplier_events.handle(from_supplier(event, supplier, **data))

    def cannot_read(self, which: OrderKey) -> None:
        """From now on the stored order cannot be read: its content makes no sense."""
        one, many = self.orders.load, self.orders.load_all

        def load(key: OrderKey, **how: bool) -> Any:
            if key == which:
                raise ValueError("unreadable")
            return one(key, **how)

        self.orders.load = load  # type: ignore[method-assign] # for this world
        self.orders.load_all = lambda keys: many([key for key in keys if key != which])  # type: ignore[method-assign]

    def dispatched(self) -> None:
        """The example order, placed at acme."""
        self.hear("orders/paid")
        assert self.dispatch() == ["DISPATCHED"]

    def shipped(self) -> None:
        """The example order, shipped by acme in one parcel."""
        self.dispatched()
        self.supplier_says("shipped")

    def shipped_in_part(self) -> None:
        """An order of two suppliers, of which acme shipped one of its two units and bolt nothing."""
        first, second = order_of_two_suppliers()["line_items"]
        self.hear("orders/paid", line_items=[first | {"quantity": 2, "fulfillable_quantity": 2}, second])
        self.dispatch()
        shipment = {"carrier": "YTO", "tracking_number": WAYBILL.number, "lines": [{"line": PINK, "quantity": 1}]}
        self.supplier_says("shipped", shipment=shipment)

    def tell_marketplace(self) -> None:
        """Tell the marketplace of the example parcel."""
        self.writeback.handle(TellMarketplace.of(KEY, WAYBILL))

    # What is seen

    @property
    def order(self) -> Order:
        """The example order as it is stored."""
        loaded = self.orders.load(KEY, fresh=True)
        assert loaded is not None
        return loaded.value

    @property
    def version(self) -> int:
        """How often the example order was saved."""
        loaded = self.orders.load(KEY, fresh=True)
        return 0 if loaded is None else loaded.version

    @property
    def purchase_order(self) -> PurchaseOrder:
        """Acme's purchase order."""
        return self.order.purchase_order(PO)

    @property
    def parcel(self) -> Parcel:
        """The example parcel."""
        found = self.order.parcel(*WAYBILL)
        assert found is not None
        return found

    @property
    def case(self) -> Case:
        """The case of the example refund."""
        loaded = self.cases.load(KEY.shop, CASE)
        assert loaded is not None
        return loaded.value

    def unseen(self) -> list[str]:
        """What the example order waits for although nothing would look at it."""
        deadlines = self.registry.shop(KEY.shop).deadlines
        return [
            name for name, watch in watched(self.order, Moment(self.clock.now(), deadlines)).items() if watch is None
        ]

    def held(self) -> dict[str, str]:
        """Holds of the order: reason and words."""
        return {hold.kind: hold.detail for hold in self.order.holds}

    def tasks(self) -> dict[str, str]:
        """Tasks of the order: kind and words."""
        return {task.kind: task.detail for task in self.order.tasks}

    def sent(self, queue: str) -> list[dict[str, Any]]:
        """Messages sent to a queue."""
        return [json.loads(body) for body in self.queues.bodies(queue)]

    def kinds(self, queue: str) -> list[str]:
        """Kinds of the messages sent to a queue."""
        return [message["kind"] for message in self.sent(queue)]


def from_shop(topic: str, **changes: object) -> Webhook:
    """A message of the inbox: the example webhook of this topic, with some fields changed."""
    headers = {"x-shopify-topic": topic, "x-shopify-shop-domain": "main-shop.myshopify.com"}
    body = payload(topic.replace("/", "_")) | changes
    return Webhook(channel="shopify", connection="main-shop", headers=headers, body=json.dumps(body))


def lines(**changes: object) -> list[dict[str, Any]]:
    """The order lines of the example, each with some fields changed."""
    return [line | changes for line in payload("orders_paid")["line_items"]]


def order_of_two_suppliers() -> dict[str, Any]:
    """The fields of an order with a line from each of two suppliers."""
    first, second = lines()
    return {"line_items": [first, second | {"sku": "CAP-BLACK"}]}


_EVENT: Mapping[str, Mapping[str, object]] = {
    "shipped": {"shipment": {"carrier": "YTO", "tracking_number": WAYBILL.number}},
    "rejected": {"reason": "out of stock"},
    "cancelled": {"reason": "as you asked"},
    "cancel_rejected": {"reason": "already packed"},
}


def from_supplier(event: str, supplier: str = "acme", **data: object) -> Webhook:
    """A message of the supplier-events queue."""
    reference = PO if supplier == "acme" else PO_OF_BOLT
    said = {"reference": reference, "supplier_order_id": "SO-1", "occurred_at": "2026-11-21T08:20:00Z"}
    body = {"type": f"purchase_order.{event}", "data": said | _EVENT.get(event, {}) | data}
    return Webhook(channel="supplier-v1", connection=supplier, headers={}, body=json.dumps(body))
