"""The system's clock: the only place that reads the time, and the only one that lets it pass."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The time of this machine, which the platform keeps right (Clock port)."""

    def now(self) -> datetime:
        """Now, aware and in UTC."""
        return datetime.now(UTC)

    def pause(self, span: timedelta) -> None:
        """Return after `span`; adapters pause for seconds only, the queue waits longer."""
        time.sleep(span.total_seconds())
