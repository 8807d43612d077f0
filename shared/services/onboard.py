"""Take a tenant in, and keep what its administrators set: name, role profile, operators, auto-enable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from shared import telemetry
from shared.domain.action import ActionKind
from shared.domain.activity import Activity, Event
from shared.domain.actors import Caller, Grant, Right
from shared.domain.directory_roles import RoleProfile
from shared.domain.errors import AlreadyExists, Code, Conflict, Invalid, NotFound, Problem, refused
from shared.domain.ids import GATES, TenantId
from shared.domain.lease import Gate
from shared.domain.store import Due, Insert, Replace, Replay, Stored, Write
from shared.domain.tenant import MAX_OPERATORS, Tenant, new_tenant
from shared.services.accept import Asking, contended, seen_before
from shared.services.consent import consent_of
from shared.services.record_refusal import NOBODY
from shared.services.world import World, authorise, not_allowed

_RACES = 20


@dataclass(frozen=True, slots=True)
class Onboarded:
    """The tenant as it is now, and whether this request made it."""

    tenant: Stored[Tenant]
    is_new: bool


class Onboard:
    """The services behind `PUT /v1/tenants/{tenantId}`, `…/operators` and `…/auto-enable`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def onboard(
        self, tenant_id: TenantId, asking: Asking, *, display_name: str | None, profile: RoleProfile | None
    ) -> Onboarded:
        """Take the tenant in, or change it; either way look at its consent again.

        Taking in takes the right in every tenant. Whoever has it only where it was granted cannot tell a tenant that is
        not there from somebody else's.

        Raises:
            Invalid: `invalidValue`: no tenant can have this id.
            NotFound: `tenantNotFound`: this caller has no right to it.
            Refused: `callerNotAllowed`; `idempotencyKeyReused`.
            Conflict: `preconditionFailed`.
        """
        if Right.ADMINISTRATOR not in asking.caller.everywhere | asking.caller.where_granted:
            raise not_allowed(Right.ADMINISTRATOR)
        if tenant_id == NOBODY:
            raise Invalid(Problem(Code.INVALID_VALUE, "No tenant has this id.", "tenantId"))
        try:
            authorise(asking.caller, self._world.store.tenant(tenant_id).row, Right.ADMINISTRATOR)
        except NotFound:
            if Right.ADMINISTRATOR not in asking.caller.everywhere:
                raise
            return self._take_in(tenant_id, asking, display_name, profile)
        return Onboarded(self._look_again(tenant_id, asking, display_name, profile), False)

    def _take_in(
        self, tenant_id: TenantId, asking: Asking, display_name: str | None, profile: RoleProfile | None
    ) -> Onboarded:
        world, now = self._world, self._world.clock.now()
        if asking.if_match is not None:
            raise Conflict("the tenant")
        made = new_tenant(
            tenant_id, display_name or str(tenant_id), now, profile=profile or RoleProfile.LEAST_PRIVILEGE
        )
        tenant = replace(made, consent=consent_of(world, tenant_id))
        entry = _entry(asking.caller, tenant, Event.TENANT_ONBOARDED, "The tenant was onboarded.", self._world)
        gates = [Insert(Gate(number)) for number in range(GATES)]
        world.due.add(Due(tenant_id, now + world.limits.stuck_after))
        try:
            etags = world.store.commit(tenant_id, [Insert(tenant), Insert(entry), *gates, *_replay(asking)])
        except AlreadyExists:
            return Onboarded(self._look_again(tenant_id, asking, display_name, profile), False)
        world.enter_in_index(tenant, None)
        telemetry.event(Event.TENANT_ONBOARDED, tenant_id=tenant_id)
        return Onboarded(Stored(tenant, etags[0]), True)

    def _look_again(
        self, tenant_id: TenantId, asking: Asking, display_name: str | None, profile: RoleProfile | None
    ) -> Stored[Tenant]:
        consent = consent_of(self._world, tenant_id)

        def change(tenant: Tenant) -> Tenant:
            name, roles = display_name or tenant.display_name, profile or tenant.role_profile
            return replace(tenant, display_name=name, role_profile=roles, consent=consent)

        text = f"The tenant was looked at again; its consent is {consent.state.value}."
        return self._change(tenant_id, asking, change, Event.TENANT_CHANGED, text)

    def set_auto_enable(
        self,
        tenant_id: TenantId,
        asking: Asking,
        *,
        enabled: bool,
        kinds: tuple[ActionKind, ...] | None,
        idle_timeout: timedelta | None,
    ) -> Stored[Tenant]:
        """Say whether, and for what, the session may turn itself on.

        Raises:
            NotFound, Refused, Conflict: as `onboard`.
        """

        def change(tenant: Tenant) -> Tenant:
            now = tenant.auto_enable
            wanted = replace(
                now,
                enabled=enabled,
                kinds=now.kinds if kinds is None else kinds,
                idle_timeout=now.idle_timeout if idle_timeout is None else idle_timeout,
            )
            return replace(tenant, auto_enable=wanted)

        text = f"Auto-enable was turned {'on' if enabled else 'off'}."
        return self._change(tenant_id, asking, change, Event.AUTO_ENABLE_CHANGED, text)

    def grant(self, tenant_id: TenantId, asking: Asking, object_id: UUID, grant: Grant) -> tuple[Stored[Tenant], bool]:
        """Say what somebody may do in this tenant; True when that somebody is new here.

        Raises:
            NotFound, Refused, Conflict: as `onboard`; `tooManyOperators`.
        """
        known = []

        def change(tenant: Tenant) -> Tenant:
            if str(object_id) in tenant.grants:
                known.append(object_id)
            elif len(tenant.grants) >= MAX_OPERATORS:
                raise refused(
                    Code.TOO_MANY_OPERATORS,
                    f"A tenant has at most {MAX_OPERATORS} operators.",
                    step="Remove an operator first, or give people an app role for every tenant.",
                )
            return replace(tenant, grants={**tenant.grants, str(object_id): grant})

        names = ", ".join(sorted(right.value for right in grant.rights))
        text = f"{object_id} was given the rights: {names}."
        return self._change(tenant_id, asking, change, Event.OPERATOR_GRANTED, text), not known

    def remove_grant(self, tenant_id: TenantId, asking: Asking, object_id: UUID) -> Stored[Tenant]:
        """Take every right in this tenant from somebody. Gone already is fine.

        Raises:
            NotFound, Refused, Conflict: as `onboard`.
        """

        def change(tenant: Tenant) -> Tenant:
            if str(object_id) not in tenant.grants:
                return tenant
            return replace(tenant, grants={key: value for key, value in tenant.grants.items() if key != str(object_id)})

        return self._change(tenant_id, asking, change, Event.OPERATOR_REMOVED, f"{object_id} has no rights here now.")

    def _change(
        self, tenant_id: TenantId, asking: Asking, change: Callable[[Tenant], Tenant], event: Event, summary: str
    ) -> Stored[Tenant]:
        world = self._world
        for _ in range(_RACES):
            stored = world.store.tenant(tenant_id)
            authorise(asking.caller, stored.row, Right.ADMINISTRATOR)
            if seen_before(world, tenant_id, asking) is not None:
                return stored
            if asking.if_match not in (None, "*", stored.etag):
                raise Conflict("the tenant")
            changed = change(stored.row)
            if changed is stored.row:
                return stored
            changed = replace(changed, updated_at=world.clock.now())
            entry = _entry(asking.caller, changed, event, summary, world)
            world.due.add(Due(tenant_id, changed.updated_at + world.limits.stuck_after))
            try:
                etags = world.store.commit(tenant_id, [Replace(changed, stored.etag), Insert(entry), *_replay(asking)])
            except Conflict:
                continue
            telemetry.event(event, tenant_id=tenant_id)
            world.enter_in_index(changed, stored.row)
            return Stored(changed, etags[0])
        raise contended()


@dataclass(frozen=True, slots=True)
class ConsentUrls:
    """Where a tenant's administrator grants consent: to the application that runs sessions, and to the other one."""

    runtime: str
    onboarding: str | None = None


def admin_consent_url(authority: str, tenant_id: TenantId, application_id: UUID, redirect_uri: str | None) -> str:
    """Where the customer's Global Administrator agrees to everything our application asks for, in one click.

    https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#construct-the-url-for-granting-tenant-wide-admin-consent
    """
    query = {"client_id": str(application_id), "state": str(tenant_id)}
    if redirect_uri:
        query["redirect_uri"] = redirect_uri
    return f"{authority}/{tenant_id}/adminconsent?{urlencode(query)}"


def _replay(asking: Asking) -> list[Write]:
    return [Insert(Replay(asking.replay_key, asking.fingerprint, None))] if asking.replay_key else []


def _entry(caller: Caller, tenant: Tenant, event: Event, summary: str, world: World) -> Activity:
    return Activity(tenant.tenant_id, world.clock.now(), event, caller.actor, summary, telemetry.correlation_id())
