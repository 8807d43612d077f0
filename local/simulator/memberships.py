"""Who is in which group and who holds which directory role: one answer for Graph and for sign-ins."""

from __future__ import annotations

from local.simulator.state import Tenant


def groups_of(tenant: Tenant, object_id: str) -> frozenset[str]:
    """The ids of the groups this object is a member of."""
    return frozenset(group for group, members in tenant.groups.items() if object_id in members)


def roles_of(tenant: Tenant, object_id: str) -> frozenset[str]:
    """The template ids of the directory roles a user, group or service principal holds in the whole tenant.

    Roles come from assignments, to the object or to a group it is in, and, for an application, from what the tenant's
    administrator gave its service principal when consenting.
    """
    holders = {object_id} | groups_of(tenant, object_id)
    assigned = {
        str(assignment["roleDefinitionId"])
        for assignment in tenant.role_assignments.values()
        if assignment["principalId"] in holders and assignment.get("directoryScopeId", "/") == "/"
    }
    given = [
        consent.directory_roles for consent in tenant.consents.values() if consent.service_principal_id == object_id
    ]
    return frozenset(assigned.union(*given))
