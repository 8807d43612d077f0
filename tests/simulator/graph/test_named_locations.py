"""Named locations: what may be in one, and when one can be used and deleted."""

from __future__ import annotations

import pytest

from local.simulator.graph.named_locations import MAX_LOCATIONS, MAX_RANGES
from tests.simulator.graph.directory import (
    LOCATIONS,
    POLICIES,
    Directory,
    as_user,
    document,
    ip_location,
    message,
    policy,
    refusal,
    values,
)

COUNTRIES = {
    "@odata.type": "#microsoft.graph.countryNamedLocation",
    "displayName": "Benelux",
    "countriesAndRegions": ["BE", "NL", "LU"],
}


def at(*included: str, excluded: tuple[str, ...] = ()) -> dict[str, object]:
    """A policy for these locations."""
    conditions = policy()["conditions"] | {
        "locations": {"includeLocations": list(included), "excludeLocations": list(excluded)}
    }
    return policy(conditions=conditions)


def test_ip_location_is_made_read_and_listed_with_its_types(directory: Directory) -> None:
    created = directory.made(LOCATIONS, ip_location("203.0.113.10/32", "2001:db8::/64"))

    found = document(directory.call("GET", f"{LOCATIONS}/{created['id']}"))
    assert found["@odata.type"] == "#microsoft.graph.ipNamedLocation"
    assert [entry["@odata.type"] for entry in found["ipRanges"]] == [
        "#microsoft.graph.iPv4CidrRange",
        "#microsoft.graph.iPv6CidrRange",
    ]
    assert [row["id"] for row in values(directory.call("GET", LOCATIONS))] == [created["id"]]


def test_country_location_has_its_defaults(directory: Directory) -> None:
    created = directory.made(LOCATIONS, COUNTRIES)

    assert created["countryLookupMethod"] == "clientIpAddress"
    assert created["includeUnknownCountriesAndRegions"] is False


def test_changing_the_ranges_replaces_them(directory: Directory) -> None:
    created = directory.made(LOCATIONS, ip_location())

    response = directory.call(
        "PATCH",
        f"{LOCATIONS}/{created['id']}",
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": ip_location("198.51.100.0/24")["ipRanges"]},
    )

    found = document(directory.call("GET", f"{LOCATIONS}/{created['id']}"))
    assert response.status == 204
    assert [entry["cidrAddress"] for entry in found["ipRanges"]] == ["198.51.100.0/24"]
    assert found["displayName"] == "Egress"


@pytest.mark.parametrize(
    "body",
    [
        {"displayName": "New"},
        {"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "New"},
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": "yes"},
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": []},
    ],
)
def test_change_without_the_right_type_is_refused(directory: Directory, body: dict[str, object]) -> None:
    created = directory.made(LOCATIONS, ip_location())

    response = directory.call("PATCH", f"{LOCATIONS}/{created['id']}", body)

    assert refusal(response) == (400, "BadRequest")


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/8", "0.0.0.0/0", "203.0.113.10", "203.0.113.10/24", "300.0.0.0/24", "office", "::/8"]
)
def test_impossible_range_is_refused(directory: Directory, cidr: str) -> None:
    response = directory.call("POST", LOCATIONS, ip_location(cidr))

    assert refusal(response) == (400, "BadRequest")
    assert cidr in message(response)


@pytest.mark.parametrize(
    "changes",
    [
        {"@odata.type": "#microsoft.graph.namedLocation"},
        {"@odata.type": None},
        {"displayName": ""},
        {"ipRanges": []},
        {"ipRanges": [{"cidrAddress": "203.0.113.10/32"}]},
        {"ipRanges": [{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "203.0.113.10/32"}]},
        {"countriesAndRegions": ["NL"]},
    ],
)
def test_impossible_location_is_refused(directory: Directory, changes: dict[str, object]) -> None:
    response = directory.call("POST", LOCATIONS, ip_location(**changes))

    assert refusal(response) == (400, "BadRequest")
    assert directory.tenant.named_locations == {}


def test_country_must_be_a_code(directory: Directory) -> None:
    response = directory.call("POST", LOCATIONS, {**COUNTRIES, "countriesAndRegions": ["Netherlands"]})

    assert refusal(response) == (400, "BadRequest")


def test_location_has_no_more_than_its_ranges_and_a_tenant_no_more_than_its_locations(directory: Directory) -> None:
    many = [f"203.0.{number // 256}.{number % 256}/32" for number in range(MAX_RANGES + 1)]

    fits = directory.call("POST", LOCATIONS, ip_location(*many[:MAX_RANGES]))
    too_many_ranges = directory.call("POST", LOCATIONS, ip_location(*many))
    for number in range(MAX_LOCATIONS - 1):
        directory.tenant.named_locations[str(number)] = {"id": str(number), "ipRanges": []}
    too_many_locations = directory.call("POST", LOCATIONS, ip_location())

    assert fits.status == 201
    assert refusal(too_many_ranges) == (400, "BadRequest")
    assert refusal(too_many_locations) == (400, "BadRequest")


def test_trusted_location_cannot_be_deleted_before_it_is_untrusted(directory: Directory) -> None:
    created = directory.made(LOCATIONS, ip_location(isTrusted=True))
    path = f"{LOCATIONS}/{created['id']}"

    trusted = directory.call("DELETE", path)
    directory.call("PATCH", path, {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": False})
    untrusted = directory.call("DELETE", path)

    assert refusal(trusted) == (400, "BadRequest")
    assert untrusted.status == 204
    assert refusal(directory.call("GET", path)) == (404, "NotFound")


@pytest.mark.parametrize("side", ["include", "exclude"])
def test_location_cannot_be_deleted_while_a_policy_refers_to_it(directory: Directory, side: str) -> None:
    created = directory.made(LOCATIONS, ip_location())
    body = at(created["id"]) if side == "include" else at("All", excluded=(created["id"],))
    referring = directory.made(POLICIES, body)

    held = directory.call("DELETE", f"{LOCATIONS}/{created['id']}")
    directory.call("DELETE", f"{POLICIES}/{referring['id']}")
    free = directory.call("DELETE", f"{LOCATIONS}/{created['id']}")

    assert refusal(held) == (400, "BadRequest")
    assert referring["id"] in message(held)
    assert free.status == 204


def test_policy_cannot_name_a_location_that_was_made_a_moment_ago(directory: Directory) -> None:
    directory.world.named_location_delay = 5
    created = directory.made(LOCATIONS, ip_location())

    early = directory.call("POST", POLICIES, at("All", excluded=(created["id"],)))
    directory.clock.advance(6)
    late = directory.call("POST", POLICIES, at("All", excluded=(created["id"],)))

    assert refusal(early) == (400, "BadRequest")
    assert message(early) == f"1040: NamedLocation with id {created['id']} does not exist in the directory."
    assert late.status == 201


def test_location_of_a_test_that_wrote_only_the_ranges_is_shown_whole(directory: Directory) -> None:
    directory.tenant.named_locations["x"] = {"id": "x", "displayName": "X", "ipRanges": [{"cidrAddress": "::1/128"}]}

    found = document(directory.call("GET", f"{LOCATIONS}/x"))

    assert found["@odata.type"] == "#microsoft.graph.ipNamedLocation"
    assert found["ipRanges"] == [{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "::1/128"}]


@pytest.mark.parametrize(
    "permissions", [{"Policy.Read.All"}, {"Policy.ReadWrite.ConditionalAccess"}, {"Directory.ReadWrite.All"}]
)
def test_writing_takes_both_policy_permissions(directory: Directory, permissions: set[str]) -> None:
    directory.permissions = frozenset(permissions)

    response = directory.call("POST", LOCATIONS, ip_location())

    assert refusal(response) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(("role", "status"), [("User Administrator", 403), ("Conditional Access Administrator", 201)])
def test_signed_in_user_writes_only_with_the_right_role(directory: Directory, role: str, status: int) -> None:
    admin = directory.add_user("admin", role)
    claims = as_user(admin, "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess")

    response = directory.call("POST", LOCATIONS, ip_location(), claims=claims)

    assert response.status == status
