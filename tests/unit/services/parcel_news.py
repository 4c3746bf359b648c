"""News of the example order's parcel, as its tracker tells them."""

import json
from urllib.parse import urlencode

from dropship.domain.identity import Waybill
from dropship.services.messages import TRACKING, PollParcels, WatchParcel, Webhook
from tests.unit.connectors.recorded import load
from tests.unit.services.world import KEY, NOW, WAYBILL

PUSH = load("kuaidi100_push")["polling"]
SCANS = {"picked up": ("1", "揽收"), "delivered": ("3", "签收"), "unknown": ("77", "神秘")}
WATCH = WatchParcel(waybill=str(WAYBILL))
POLL = PollParcels(waybills=[str(WAYBILL)])


def report(*scans, number=WAYBILL.number, carrier="yuantong"):
    """A report with those scans, the first the oldest, each a minute after the one before."""
    rows = []
    for minute, scan in enumerate(scans):
        code, status = SCANS[scan]
        at = f"2026-11-21 16:{minute:02}:00"
        rows.append({"context": "…", "time": at, "ftime": at, "status": status, "statusCode": code})
    return {"com": carrier, "nu": number, "state": "0", "status": "200", "data": rows[::-1]}


def push(world, report):
    param = PUSH | {"lastResult": report}
    body = urlencode({"sign": "checked before", "param": json.dumps(param)})
    take(world, Webhook(channel="kuaidi100", connection="kd100", headers={}, body=body))


def take(world, message):
    world.tracking.take(TRACKING.validate_json(message.model_dump_json()))


def polled(world, report):
    world.tracker.reports[WAYBILL.number] = report
    take(world, POLL)


def claimed(world, carrier):
    """A waybill of that carrier, of the example order."""
    waybill = Waybill(carrier, f"{carrier.upper()}1")
    world.orders.claim_waybill(waybill, KEY, NOW)
    return waybill
