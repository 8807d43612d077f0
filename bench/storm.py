"""Mark 3: many requests at once for tenants that are all off and turn themselves on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from bench.counted import CountedPlace
from bench.figures import Figure, at_most, counted, exactly
from bench.mailbox import Mailbox
from bench.traffic import Service
from local.executor import KINDS
from local.simulator.seed import CALLERS

_PATIENCE: Final = 240.0  # seconds
_LULL: Final = 2.0
"""Seconds in which whatever was to be answered twice would be."""


def measure(directory: Path, *, tenants: int, requests: int) -> Iterator[Figure]:
    """So many requests over so many tenants, whose policies were checked today, taken from real queues."""
    with CountedPlace.opened(directory) as place:
        place.host.poll()
        customers = place.customers
        found = customers.with_accounts(tenants)
        customers.check_policies(found)
        customers.auto_enable(found)
        place.simulator.journal.clear()
        order = [found[number % tenants] for number in range(requests)]
        Random(3).shuffle(order)  # noqa: S311 - not for secrets
        with (
            Mailbox(place.connection_string, executor=CALLERS["executor"].client_id) as mailbox,
            place.traffic.counting() as counts,
        ):
            asked = [mailbox.ask(tenant_id, kind=KINDS[n % len(KINDS)]) for n, tenant_id in enumerate(order)]
            mailbox.await_decisions(asked, within=_PATIENCE)
            time.sleep(_LULL)
            mailbox.collect()
        forms = [call["request_body"] or {} for call in place.simulator.journal.calls(service="entra")]
        sign_ins = sum(form.get("grant_type") == "password" for form in forms)
        ready = sum(mailbox.decisions[action_id][0]["decision"] == "ready" for action_id in asked)
        twice = sum(len(decisions) > 1 for decisions in mailbox.decisions.values())
    yield counted(
        3, f"sign-ins for {requests:,} requests in {tenants} tenants that are off", sign_ins, "", exactly(tenants)
    )
    yield counted(3, "requests granted a lease", ready, "", exactly(requests))
    yield counted(3, "decisions sent twice", twice, "", exactly(0))
    yield counted(3, "table requests for each request", counts[Service.TABLES] / requests, "", at_most(3))
    yield counted(3, "queue messages for each request", counts[Service.QUEUES] / requests, "")
