"""The ports in memory: what the work needs of the world, ready to fail on command."""

from tests.fakes.calls import Call, CallLog, logs
from tests.fakes.clock import START, FakeClock
from tests.fakes.queues import FakeMessages, SentDecision, SentOperation
from tests.fakes.storage import FakeDueList, FakeTenantIndex, FakeTenantStore
from tests.fakes.tables import MemoryTable

__all__ = [
    "START",
    "Call",
    "CallLog",
    "FakeClock",
    "FakeDueList",
    "FakeMessages",
    "FakeTenantIndex",
    "FakeTenantStore",
    "MemoryTable",
    "SentDecision",
    "SentOperation",
    "logs",
]
