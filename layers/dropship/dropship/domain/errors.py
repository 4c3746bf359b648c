"""Errors of the domain's rules; each says what the caller can do about it."""


class DomainError(Exception):
    """A rule was broken. The aggregate is unchanged in storage; do not retry the same call."""


class IllegalTransition(DomainError):
    """The lifecycle table has no such step from the current state."""


class InvariantBroken(DomainError):
    """Quantities or money would no longer add up."""


class Stale(DomainError):
    """The order changed since the plan was made. Plan again."""


class OnHold(DomainError):
    """A hold blocks the dispatch. Release it, then dispatch again."""


class UnknownPurchaseOrder(DomainError):
    """The order has no purchase order of that id."""


class InvalidMessage(DomainError):
    """A message from outside breaks its contract. Retrying cannot help."""
