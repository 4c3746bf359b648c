"""The contract of connectors: one small protocol for each capability, found from the methods that a connector has.

Every connector has to pass the contract test of each of its capabilities, with recorded payloads.
"""

from .capabilities import able, needed
from .marketplaces import Downloads, Lists, ReceivesOrders, WritesBack
from .receiving import Greets, KeepsQuery, Receives
from .requests import Access, BadSignature, Incapable, NextRequest, RawRequest, UnknownChannel
from .suppliers import Cancels, Finds, Places, ReceivesSupplierEvents
from .tokens import RefreshesTokens
from .trackers import AskedParcel, NeedsPhone, Queries, QueriesMany, ReceivesReports, Subscribes

__all__ = [
    "Access",
    "AskedParcel",
    "BadSignature",
    "Cancels",
    "Downloads",
    "Finds",
    "Greets",
    "Incapable",
    "KeepsQuery",
    "Lists",
    "NeedsPhone",
    "NextRequest",
    "Places",
    "Queries",
    "QueriesMany",
    "RawRequest",
    "Receives",
    "ReceivesOrders",
    "ReceivesReports",
    "ReceivesSupplierEvents",
    "RefreshesTokens",
    "Subscribes",
    "UnknownChannel",
    "WritesBack",
    "able",
    "needed",
]
