"""What Graph has and the simulator has not is refused, not answered with something made up."""

from __future__ import annotations

import pytest

from local.simulator.graph.routes import ROUTES
from local.simulator.wire import NoRoute, Request, find_route
from tests.simulator.graph.directory import CONDITIONAL_ACCESS, DOMAIN, Directory, new_user


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1.0/roleManagement/directory/roleDefinitions"),
        ("POST", "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"),
        ("POST", "/v1.0/directoryRoles/roleTemplateId=29232cdf-9323-42fd-ade2-1d097af3e4de/members/$ref"),
        ("POST", "/v1.0/directory/administrativeUnits"),
        ("GET", "/v1.0/auditLogs/signIns"),
        ("GET", "/v1.0/auditLogs/directoryAudits"),
        ("GET", f"{CONDITIONAL_ACCESS}/deletedItems/policies"),
        ("POST", f"{CONDITIONAL_ACCESS.replace('v1.0', 'beta')}/evaluate"),
        ("GET", "/v1.0/users/delta/items"),
        ("GET", "/v1.0/users/x/memberOf"),
        ("GET", "/v1.0/groups"),
        ("GET", "/v1.0/domains"),
        ("POST", "/v1.0/users/x/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword"),
        ("GET", "/v1.0/users/x/authentication/requirements"),
        ("POST", "/v1.0/$batch"),
    ],
)
def test_call_that_is_absent_has_no_route(method: str, path: str) -> None:
    with pytest.raises(NoRoute):
        find_route(ROUTES, Request("graph", method, path, {}, {}, b""))


def test_banned_words_in_passwords_are_not_known(directory: Directory) -> None:
    weak = {"password": f"Password-{DOMAIN}", "forceChangePasswordNextSignIn": False}

    assert directory.call("POST", "/v1.0/users", new_user(passwordProfile=weak)).status == 201
