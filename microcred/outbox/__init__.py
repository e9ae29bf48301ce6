"""Everything that must happen later or leave the building: one table, ordered, retried, limited, never
lost."""

from microcred.outbox.admin import (
    OPEN_STATES,
    DestinationStatus,
    Entry,
    RetryRefused,
    Status,
    a_worker_lives,
    entries,
    entry_of,
    retry,
    retry_all,
    start_destination,
    status,
    stop_destination,
)
from microcred.outbox.models import OUTBOX_STATES as STATES
from microcred.outbox.models import OutboxRow
from microcred.outbox.outcomes import (
    Accepted,
    Blocked,
    Delivered,
    Handler,
    Job,
    Outcome,
    Retry,
    Share,
    Superseded,
    Throttled,
    Unverified,
)
from microcred.outbox.policy import Limit, Policy
from microcred.outbox.purging import Purged, purge
from microcred.outbox.queue import add, cancel
from microcred.outbox.wake import LocalWake, PostgresWake, RedisWake, Wake, use_wake
from microcred.outbox.worker import Worker

__all__ = [
    "OPEN_STATES",
    "STATES",
    "Accepted",
    "Blocked",
    "Delivered",
    "DestinationStatus",
    "Entry",
    "Handler",
    "Job",
    "Limit",
    "LocalWake",
    "OutboxRow",
    "Outcome",
    "Policy",
    "PostgresWake",
    "Purged",
    "RedisWake",
    "Retry",
    "RetryRefused",
    "Share",
    "Status",
    "Superseded",
    "Throttled",
    "Unverified",
    "Wake",
    "Worker",
    "a_worker_lives",
    "add",
    "cancel",
    "entries",
    "entry_of",
    "purge",
    "retry",
    "retry_all",
    "start_destination",
    "status",
    "stop_destination",
    "use_wake",
]
