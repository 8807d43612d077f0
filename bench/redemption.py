"""Mark 1: a lease is redeemed for a token that is held already, against a function that reads the same row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle
from typing import Any, Final
from uuid import UUID

from bench.customers import executors
from bench.figures import Figure, at_most, ratio, timed
from bench.measuring import in_turns
from bench.place import Line, Place
from shared.adapters.storage.gates import gate_key
from shared.domain.ids import LeaseId, gate_of

_CALLERS: Final = 8
Json = dict[str, Any]

_TYPICAL: Final = 0.5
_SLOW: Final = 0.99
_BODY: Final = json.dumps({"resource": "graph"}).encode()


class Redemption:
    """One lease, redeemed again and again for a token that the instance holds."""

    def __init__(self, place: Place, *, callers: int) -> None:
        """So many callers take turns: one may ask 100 times a second, and this asks more often."""
        self.tenant_id, self.lease_id, _ = place.lease()
        self._path = f"/v1/tenants/{self.tenant_id}/leases/{self.lease_id}/token"
        self._headers = cycle(
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            for token in executors(place.client, callers)
        )

    def requests(self, count: int) -> list[Json]:
        """So many of these requests, as arguments of `func.HttpRequest`."""
        parameters = {"tenantId": self.tenant_id, "leaseId": self.lease_id}
        return [
            {
                "method": "POST",
                "url": f"http://localhost/api{self._path}",
                "headers": {**next(self._headers), "Content-Length": str(len(_BODY))},
                "route_params": parameters,
                "body": _BODY.decode(),
            }
            for _ in range(count)
        ]

    def once(self, line: Line) -> None:
        """One token, over a connection that one thread uses."""
        line.ask("POST", self._path, _BODY, next(self._headers))


def measure(place: Place, *, rounds: int, times: int) -> Iterator[Figure]:
    """Each round redeems `times` times and reads `times` times, in turns, over one connection each."""
    redemption = Redemption(place, callers=_CALLERS)
    row = gate_key(gate_of(LeaseId(UUID(redemption.lease_id))))
    bare = f"/bare/rows/{redemption.tenant_id}/{row}"
    with closing(place.line()) as our_line, closing(place.line()) as bare_line:
        acts = {
            "ours": lambda: redemption.once(our_line),
            "bare": lambda: bare_line.ask("GET", bare, None, {}),
        }
        in_turns(acts, rounds=1, times=times // 5)  # warm
        found = in_turns(acts, rounds=rounds, times=times)
    yield ratio(1, "warm redemption to bare read, p50", found.ratio("ours", "bare", _TYPICAL), at_most(1.3))
    yield ratio(1, "warm redemption to bare read, p99", found.ratio("ours", "bare", _SLOW), at_most(1.5))
    for name, what in (("ours", "warm redemption"), ("bare", "bare read")):
        for share in (_TYPICAL, _SLOW):
            yield timed(1, f"{what}, p{share * 100:.0f}", 1000 * found.typical(name, share), "ms")
