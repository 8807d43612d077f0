"""Sign-ins with a password against policies, security defaults and per-user MFA: which AADSTS code, if any."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.simulator.conditional_access import sign_in_outcome
from local.simulator.sign_ins import country_of, is_in
from local.simulator.state import JsonObject, User
from tests.simulator.graph.directory import (
    ALLOWED_IP,
    EXCHANGE,
    FOREIGN_IP,
    GRAPH,
    LOCATIONS,
    POLICIES,
    RUSSIAN_IP,
    Directory,
    ip_location,
    policy,
)

TEAMS = "48ac35b8-9aa8-4d74-927d-1f4a14a0b239"
MFA_METHOD = {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "p"}


def outcome(
    directory: Directory,
    user: User,
    *,
    ip: str = ALLOWED_IP,
    resource: str = GRAPH,
    client: str = "mobileAppsAndDesktopClients",
) -> int | None:
    """What the sign-in is refused with; None when it succeeds."""
    return sign_in_outcome(
        directory.world,
        directory.tenant,
        user,
        client_app_type=client,
        resource_app_id=resource,
        ip=ip,
        now=directory.clock.now(),
    )


def put(directory: Directory, name: str = "p", **changes: object) -> None:
    """Puts a policy for everybody and everything into the tenant, with these changes to its conditions or itself."""
    body = policy()
    conditions = {key: value for key, value in changes.items() if key not in ("state", "grantControls")}
    body.update({key: value for key, value in changes.items() if key in ("state", "grantControls")})
    directory.tenant.policies[name] = {"id": name, **body, "conditions": {**body["conditions"], **conditions}}


def control(*names: str, operator: str = "OR", **others: object) -> JsonObject:
    """Grant controls."""
    return {"operator": operator, "builtInControls": list(names), **others}


@pytest.mark.parametrize(
    ("controls", "registered", "unregistered"),
    [
        (control("block"), 53003, 53003),
        (control("mfa"), 50076, 50079),
        (control(authenticationStrength={"id": "00000000-0000-0000-0000-000000000004"}), 50076, 50079),
        (control("compliantDevice"), 53000, 53000),
        (control("domainJoinedDevice"), 53001, 53001),
        (control("approvedApplication"), 53002, 53002),
        (control("compliantApplication"), 53009, 53009),
        (control("passwordChange"), 50135, 53004),
        (control("riskRemediation"), 50135, 53004),
        (control(termsOfUse=["t"]), 50158, 50158),
        (control(customAuthenticationFactors=["f"]), 50158, 50158),
        (control("compliantDevice", "mfa"), 50076, 50079),
        (control("compliantDevice", "domainJoinedDevice", operator="AND"), 53000, 53000),
        (None, None, None),
    ],
)
def test_each_control_refuses_a_password_with_its_own_code(
    directory: Directory, controls: JsonObject | None, registered: int | None, unregistered: int | None
) -> None:
    put(directory, grantControls=controls)
    with_method, without = directory.add_user("ada"), directory.add_user("bea")
    with_method.methods = [MFA_METHOD]

    assert outcome(directory, with_method) == registered
    assert outcome(directory, without) == unregistered


@pytest.mark.parametrize(
    ("state", "code"), [("enabled", 53003), ("disabled", None), ("enabledForReportingButNotEnforced", None)]
)
def test_only_an_enabled_policy_stops_anybody(directory: Directory, state: str, code: int | None) -> None:
    put(directory, state=state, grantControls=control("block"))

    assert outcome(directory, directory.add_user()) == code


def test_block_outranks_every_other_demand(directory: Directory) -> None:
    user = directory.add_user()
    user.per_user_mfa = "enforced"
    put(directory, "mfa")
    put(directory, "block", grantControls=control("block"))

    assert outcome(directory, user) == 53003


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ({"clientAppTypes": ["mobileAppsAndDesktopClients"]}, 53003),
        ({"clientAppTypes": ["browser", "exchangeActiveSync", "other"]}, None),
        ({"platforms": {"includePlatforms": ["all"]}}, 53003),
        ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["windows", "linux"]}}, 53003),
        ({"platforms": {"includePlatforms": ["windows"]}}, None),
        ({"applications": {"includeApplications": [GRAPH]}}, 53003),
        ({"applications": {"includeApplications": ["Office365"]}}, None),
        ({"applications": {"includeApplications": ["All"], "excludeApplications": [GRAPH]}}, None),
        ({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}}, None),
        ({"signInRiskLevels": ["high"]}, None),
        ({"signInRiskLevels": ["none"]}, 53003),
        ({"userRiskLevels": ["low", "medium"]}, None),
        ({"insiderRiskLevels": "minor"}, None),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, None),
        ({"devices": {"deviceFilter": {"mode": "include", "rule": "device.model -eq 'x'"}}}, None),
        ({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.model -eq 'x'"}}}, 53003),
        ({"users": {"includeUsers": ["None"]}}, None),
    ],
)
def test_password_sign_in_from_an_unknown_device_meets_each_condition(
    directory: Directory, conditions: JsonObject, code: int | None
) -> None:
    put(directory, grantControls=control("block"), **conditions)

    assert outcome(directory, directory.add_user()) == code


@pytest.mark.parametrize(
    ("side", "code"), [("includeApplications", 53003), ("excludeApplications", None)], ids=["included", "excluded"]
)
def test_office_365_is_a_group_of_applications_at_real_sign_ins(
    directory: Directory, side: str, code: int | None
) -> None:
    put(directory, grantControls=control("block"), applications={"includeApplications": ["All"], side: ["Office365"]})

    assert outcome(directory, directory.add_user(), resource=EXCHANGE) == code


@pytest.mark.parametrize(
    ("locations", "blocked"),
    [
        ({"includeLocations": ["All"], "excludeLocations": ["egress"]}, {FOREIGN_IP, RUSSIAN_IP, "2001:db8::1"}),
        ({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}, {FOREIGN_IP, RUSSIAN_IP, "2001:db8::1"}),
        ({"includeLocations": ["egress"]}, {ALLOWED_IP}),
        ({"includeLocations": ["america"]}, {FOREIGN_IP}),
        ({"includeLocations": ["america-or-nowhere"]}, {FOREIGN_IP, "2001:db8::1"}),
        ({"includeLocations": ["All"], "excludeLocations": ["deleted-since"]}, "everywhere"),
        ({"includeLocations": ["All"]}, "everywhere"),
    ],
)
def test_location_is_told_by_the_address(directory: Directory, locations: JsonObject, blocked: set[str] | str) -> None:
    directory.tenant.named_locations |= {
        "egress": {"id": "egress", "isTrusted": True, "ipRanges": [{"cidrAddress": f"{ALLOWED_IP}/32"}]},
        "america": {"id": "america", "countriesAndRegions": ["US"]},
        "america-or-nowhere": {
            "id": "america-or-nowhere",
            "countriesAndRegions": ["US"],
            "includeUnknownCountriesAndRegions": True,
        },
    }
    put(directory, grantControls=control("block"), locations=locations)
    user = directory.add_user()
    addresses = (ALLOWED_IP, FOREIGN_IP, RUSSIAN_IP, "2001:db8::1")

    found = {ip for ip in addresses if outcome(directory, user, ip=ip) == 53003}

    assert found == (set(addresses) if blocked == "everywhere" else blocked)


def test_risky_user_meets_risk_policies(directory: Directory) -> None:
    user = directory.add_user()
    user.risk = "high"
    put(directory, grantControls=control("block"), userRiskLevels=["high"], signInRiskLevels=["medium", "high"])

    assert outcome(directory, user) == 53003


@pytest.mark.parametrize(
    ("role", "client", "registered", "unregistered"),
    [
        ("Exchange Administrator", "mobileAppsAndDesktopClients", 50076, 50079),
        ("Global Administrator", "mobileAppsAndDesktopClients", 50076, 50079),
        ("Teams Administrator", "mobileAppsAndDesktopClients", None, None),  # not on the list of security defaults
        ("Exchange Administrator", "other", 530035, 530035),
        (None, "mobileAppsAndDesktopClients", None, None),
        (None, "exchangeActiveSync", 530035, 530035),
    ],
)
def test_security_defaults_demand_mfa_of_administrators_and_shut_out_legacy_clients(
    directory: Directory, role: str | None, client: str, registered: int | None, unregistered: int | None
) -> None:
    directory.tenant.security_defaults = True
    held = (role,) if role else ()
    with_method, without = directory.add_user("ada", *held), directory.add_user("bea", *held)
    with_method.methods = [MFA_METHOD]

    assert outcome(directory, with_method, client=client) == registered
    assert outcome(directory, without, client=client) == unregistered


@pytest.mark.parametrize(
    ("state", "registered", "unregistered"),
    [("disabled", None, None), ("enabled", 50076, 50079), ("enforced", 50076, 50079)],
)
def test_per_user_mfa_stops_a_password(
    directory: Directory, state: str, registered: int | None, unregistered: int | None
) -> None:
    with_method, without = directory.add_user("ada"), directory.add_user("bea")
    with_method.methods = [MFA_METHOD]
    with_method.per_user_mfa = without.per_user_mfa = state

    assert outcome(directory, with_method) == registered
    assert outcome(directory, without) == unregistered


def test_block_outside_the_allowed_addresses_made_through_graph_holds_at_sign_in(directory: Directory) -> None:
    user, bystander = directory.add_user("svc"), directory.add_user("adele")
    location = directory.made(LOCATIONS, ip_location())
    conditions = {
        **policy()["conditions"],
        "users": {"includeUsers": [user.id]},
        "locations": {"includeLocations": ["All"], "excludeLocations": [location["id"]]},
    }
    made = directory.made(POLICIES, policy(conditions=conditions, grantControls=control("block")))

    assert outcome(directory, user, ip=ALLOWED_IP) is None
    assert outcome(directory, user, ip=FOREIGN_IP) == 53003
    assert outcome(directory, bystander, ip=FOREIGN_IP) is None
    directory.call("PATCH", f"{POLICIES}/{made['id']}", {"state": "enabledForReportingButNotEnforced"})
    assert outcome(directory, user, ip=FOREIGN_IP) is None


def test_session_controls_do_not_stop_a_password(directory: Directory) -> None:
    controls = {"secureSignInSession": {"isEnabled": True}, "signInFrequency": {"isEnabled": True, "value": 1}}
    directory.tenant.policies["p"] = {"id": "p", **policy(grantControls=None, sessionControls=controls)}

    assert outcome(directory, directory.add_user()) is None


def test_policy_for_one_service_does_not_reach_another_that_depends_on_it(directory: Directory) -> None:
    put(directory, grantControls=control("block"), applications={"includeApplications": [EXCHANGE]})

    assert outcome(directory, directory.add_user(), resource=TEAMS) is None


def test_country_by_gps_is_judged_by_the_address(directory: Directory) -> None:
    america = {"id": "usa", "countriesAndRegions": ["US"], "countryLookupMethod": "authenticatorAppGps"}
    directory.tenant.named_locations["usa"] = america
    put(directory, grantControls=control("block"), locations={"includeLocations": ["usa"]})

    assert outcome(directory, directory.add_user(), ip=FOREIGN_IP) == 53003


def test_new_policy_reaches_sign_ins_after_its_delay(directory: Directory) -> None:
    directory.world.policy_delay = 60
    user = directory.add_user()
    directory.made(POLICIES, policy(grantControls=control("block")))

    early = outcome(directory, user)
    directory.clock.advance(timedelta(minutes=1).total_seconds())

    assert early is None
    assert outcome(directory, user) == 53003


@pytest.mark.parametrize(
    ("ip", "country"), [("203.0.113.9", "NL"), ("198.51.100.1", "US"), ("192.0.2.77", "RU"), ("8.8.8.8", None)]
)
def test_documentation_addresses_have_a_country(directory: Directory, ip: str, country: str | None) -> None:
    assert country_of(directory.world.countries, ip) == country


def test_smaller_range_says_more_about_an_address() -> None:
    assert country_of({"203.0.113.0/24": "NL", "203.0.113.128/25": "BE"}, "203.0.113.200") == "BE"


@pytest.mark.parametrize(
    ("ip", "cidr", "expected"),
    [("203.0.113.10", "203.0.113.0/24", True), ("203.0.113.10", "2001:db8::/32", False), ("::1", "::1/128", True)],
)
def test_address_lies_in_a_range_of_its_own_version_only(ip: str, cidr: str, expected: bool) -> None:
    assert is_in(ip, cidr) is expected
