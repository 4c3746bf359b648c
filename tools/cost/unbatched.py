"""What batches save: the extra cost of a quiet day, when every message comes alone."""

from tools.cost.bill import VCPU_MB, Prices, Usage
from tools.cost.record import Record


def unbatched(record: Record, prices: Prices) -> Usage:
    """The usage to add if every message of every batch were received, handled and deleted separately."""
    total = Usage()
    for one in record.invocations:
        more = one.records - 1
        seconds = prices.assumed["cpu_milliseconds"]["invocation"] / 1000 * max(1.0, VCPU_MB / one.memory_mb)
        total += Usage(
            lambda_requests=more,
            lambda_gb_seconds=more * seconds * one.memory_mb / 1024,
            log_bytes=more * prices.assumed["bytes"]["platform_log"] * one.platform_log,
        )
    return total + Usage(sqs_requests=sum(poll["entries"] - 1 for poll in record.polls))
