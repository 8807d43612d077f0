"""The emergency stop: turn every session off, at once and without draining."""

from __future__ import annotations

from dataclasses import dataclass

from shared import telemetry
from shared.domain.actors import Caller, Right
from shared.domain.errors import ManagementSessionError
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from shared.services.accept import Asking
from shared.services.toggle_session import ToggleSession
from shared.services.world import World, not_allowed

_AT_ONCE = 100
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
        """Turn off up to a hundred sessions in each live state; a call fits into the platform's 230 seconds.

        Raises:
            Refused: `callerNotAllowed`: it takes the operator's right in every tenant.
            Transient: our own tables are away.
        """
        if Right.OPERATOR not in caller.everywhere:
            raise not_allowed(Right.OPERATOR)
        stopped, failed, is_complete = 0, [], True
        for state in _LIVE:
            page = self._world.index.list(state=state, limit=_AT_ONCE, continuation=None)
            is_complete = is_complete and page.continuation is None
            for summary in page.items:
                try:
                    self._toggle.turn_off(summary.tenant_id, Asking(caller), drain=False, reason=reason)
                    stopped += 1
                except ManagementSessionError as error:  # one tenant's trouble must not save the others' sessions
                    failed.append(summary.tenant_id)
                    telemetry.event("emergencyStopFailed", tenant_id=summary.tenant_id, code=error.problem.code)
        telemetry.event("emergencyStop", stopped=stopped, failed=len(failed), caller=caller.object_id)
        return Stopped(stopped, tuple(failed), is_complete)
