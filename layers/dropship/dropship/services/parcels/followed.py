"""Which tracker follows the parcels of a carrier."""

from dropship.domain.registry.connections import Tracker
from dropship.ports import NotFound, Registry


def tracker_of(registry: Registry, carrier: str) -> tuple[Tracker, str] | None:
    """The tracker that follows the carrier's parcels, with its code for the carrier; None if there is none."""
    try:
        tracker = registry.tracker(registry.carrier(carrier).tracker)
    except NotFound:
        return None
    code = tracker.code_of(carrier)
    return None if code is None else (tracker, code)
