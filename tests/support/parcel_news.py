"""News of the example order's parcel, as its tracker reports them."""

import json
from urllib.parse import urlencode

from dropship.domain.identity import OrderKey, Waybill
from dropship.services.messages import TRACKING, PollParcels, WatchParcel, Webhook
from tests.support.recorded import load
from tests.support.service_world import KEY, WAYBILL

PUSH = load("kuaidi100_push")["polling"]
SCANS = {"picked up": ("1", "揽收"), "in transit": ("0", "在途"), "delivered": ("3", "签收"), "unknown": ("77", "神秘")}
WATCH = WatchParcel(waybill=str(WAYBILL))
POLL = PollParcels(orders=[str(KEY)])


def report(*scans, number=WAYBILL.number, carrier="yuantong"):
    """A report with these scans, the oldest first, each a minute after the one before."""
    rows = []
    for minute, scan in enumerate(scans):
        code, status = SCANS[scan]
        at = f"2026-11-21 16:{minute:02}:00"
        rows.append({"context": "…", "time": at, "ftime": at, "status": status, "statusCode": code})
    return {"com": carrier, "nu": number, "state": "0", "status": "200", "data": rows[::-1]}


def push(world, report):
    param = PUSH | {"lastResult": report}
    body = urlencode({"sign": "checked before", "param": json.dumps(param)})
    handle(world, Webhook(channel="kuaidi100", connection="kd100", headers={}, body=body))


def handle(world, message):
    world.tracking.handle(TRACKING.validate_json(message.model_dump_json()))


def polled(world, report):
    world.tracker.reports[WAYBILL.number] = report
    handle(world, POLL)


def is_polled(world):
    """Whether the example order is in the index `polls`."""
    return world.order.polled_since is not None


def carried_by(world, carrier):
    """Make this carrier the carrier of the example parcel."""
    order, version = world.orders.load(KEY)
    parcel = order.parcel(*WAYBILL)
    parcel.carrier, parcel.number = carrier, f"{carrier.upper()}1"
    world.orders.save(order, version)
    world.orders.claim_waybill(parcel.waybill, KEY)
    return parcel.waybill


def another(world, number):
    """One more order like the example, with a parcel `YT{number}` under way."""
    order = world.order
    order.external_id = str(number)
    order.parcels[0].number = f"YT{number}"
    world.orders.save(order, 0)
    world.orders.claim_waybill(Waybill("yto", f"YT{number}"), order.key)
    return OrderKey(KEY.shop, str(number))


def poll_of(*keys):
    return PollParcels(orders=[str(key) for key in keys])
