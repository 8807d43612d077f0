"""The emergency stop: turn every session off, at once and without draining."""

from __future__ import annotations

from dataclasses import dataclass

from shared import telemetry
from shared.domain.actors import Caller, Right
from shared.domain.errors import NotFound, kind_of
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from shared.services.accept import Asking
from shared.services.toggle_session import ToggleSession
from shared.services.world import World, not_allowed

_AT_ONCE = 100
_LOOKS = 10_000
"""The list may lag, by seconds when a session turns itself on (docs/decisions/0012-turning-on-at-once.md). But upkeep
looks at every living session within five minutes, so all of them are in the due list."""
_LIVE = (SessionState.ON, SessionState.TURNING_ON, SessionState.DRAINING)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What one call of the emergency stop did.

    Attributes:
        stopped: tenants that hand out no token any more.
        failed: tenants whose session could not be turned off; they need somebody to look.
        is_complete: False when there are more: call again.
    """

    stopped: int
    failed: tuple[TenantId, ...]
    is_complete: bool


class EmergencyStop:
    """The service behind `POST /v1/emergency-stop`."""

    def __init__(self, world: World, toggle: ToggleSession) -> None:
        self._world = world
        self._toggle = toggle

    def __call__(self, caller: Caller, *, reason: str | None) -> Stopped:
        """Turn off up to a hundred sessions in each live state, and whatever is alive and not listed as such.

        A call fits into the platform's 230 seconds.

        Raises:
            Refused: `callerNotAllowed`: it takes the operator's right in every tenant.
            Transient: our own tables are away.
        """
        if Right.OPERATOR not in caller.everywhere:
            raise not_allowed(Right.OPERATOR)
        stopped, failed, is_complete = 0, [], True
        seen: set[TenantId] = set()
        for state in _LIVE:
            listed = self._world.index.listed(state, limit=_AT_ONCE + 1)
            is_complete = is_complete and len(listed) <= _AT_ONCE
            for tenant_id in listed[:_AT_ONCE]:
                seen.add(tenant_id)
                if self._is_stopped(tenant_id, caller, reason):
                    stopped += 1
                else:
                    failed.append(tenant_id)
        looks = self._world.due.until(self._world.clock.now() + self._world.limits.look_every, limit=_LOOKS)
        for tenant_id in {look.tenant_id for look in looks} - seen:
            if not self._may_be_alive(tenant_id):
                continue
            if self._is_stopped(tenant_id, caller, reason):
                stopped += 1
            else:
                failed.append(tenant_id)
        telemetry.event("emergencyStop", stopped=stopped, failed=len(failed), caller=caller.object_id)
        return Stopped(stopped, tuple(failed), is_complete and len(looks) < _LOOKS)

    def _is_stopped(self, tenant_id: TenantId, caller: Caller, reason: str | None) -> bool:
        """Turn one off; False when it could not be: one tenant's trouble must not save the others' sessions."""
        try:
            self._toggle.turn_off(tenant_id, Asking(caller), drain=False, reason=reason)
        except Exception as error:  # foreseen or not: it is named, and the next one's turn comes
            telemetry.event("emergencyStopFailed", tenant_id=tenant_id, code=kind_of(error))
            return False
        return True

    def _may_be_alive(self, tenant_id: TenantId) -> bool:
        """False only when its row says that it is not; one that nobody can read is tried, and so named."""
        try:
            return self._world.store.tenant(tenant_id).row.session.state in _LIVE
        except NotFound:
            return False
        except Exception:
            return True
