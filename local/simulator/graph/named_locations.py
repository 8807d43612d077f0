"""Named locations: IP ranges and countries that conditional access policies refer to."""

from __future__ import annotations

import ipaddress
import re
from uuid import uuid4

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_POLICIES
from local.simulator.graph.odata import EntityType, collection, entity, no_content, words
from local.simulator.graph.operation import body_of
from local.simulator.graph.premium import premium_operation
from local.simulator.graph.refusals import GraphRefusal, bad_request
from local.simulator.graph.schema import Shape, each, flag, nullable, one_of, record, text
from local.simulator.state import JsonObject
from local.simulator.timestamps import stamp
from local.simulator.wire import Response

# learn.microsoft.com/entra/identity/conditional-access/concept-assignment-network: locations a tenant, ranges a
# location, and the widest range, "CIDR masks greater than /8".
MAX_LOCATIONS = 195
MAX_RANGES = 2000
MIN_PREFIX = 9

_COUNTRY_CODE = re.compile(r"[A-Z]{2}")

_IP = "#microsoft.graph.ipNamedLocation"
_COUNTRY = "#microsoft.graph.countryNamedLocation"
_RANGE_VERSIONS = {"#microsoft.graph.iPv4CidrRange": 4, "#microsoft.graph.iPv6CidrRange": 6}

_SHAPES: dict[str, dict[str, Shape]] = {
    _IP: {
        "displayName": text,
        "isTrusted": flag,
        "ipRanges": each(record("@odata.type", "cidrAddress", cidrAddress=text)),
    },
    _COUNTRY: {
        "displayName": text,
        "countriesAndRegions": each(text),
        "countryLookupMethod": nullable(one_of("clientIpAddress", "authenticatorAppGps")),
        "includeUnknownCountriesAndRegions": flag,
    },
}
_NEEDED = {_IP: ("displayName", "ipRanges"), _COUNTRY: ("displayName", "countriesAndRegions")}
_DEFAULTS: dict[str, JsonObject] = {
    _IP: {"isTrusted": False},
    _COUNTRY: {"includeUnknownCountriesAndRegions": False, "countryLookupMethod": "clientIpAddress"},
}

NAMED_LOCATION = EntityType(
    name="namedLocation",
    context="identity/conditionalAccess/namedLocations",
    properties=words(
        """
        id createdDateTime modifiedDateTime deletedDateTime displayName isTrusted ipRanges
        countriesAndRegions countryLookupMethod includeUnknownCountriesAndRegions
        """
    ),
)


def show(document: JsonObject) -> JsonObject:
    """A stored location, whoever stored it, with its type and every property it has."""
    kind = document.get("@odata.type") or (_IP if "ipRanges" in document else _COUNTRY)
    stamps: JsonObject = {"createdDateTime": None, "modifiedDateTime": None}
    shown = {"@odata.type": kind, **_DEFAULTS[kind], **stamps, **document}
    if kind == _IP:
        shown["ipRanges"] = [_show_range(entry) for entry in document["ipRanges"]]
    return shown


def _show_range(entry: JsonObject) -> JsonObject:
    version = 6 if ":" in entry["cidrAddress"] else 4
    return {"@odata.type": f"#microsoft.graph.iPv{version}CidrRange", **entry}


def list_locations(call: GraphCall) -> Response:
    """GET /identity/conditionalAccess/namedLocations."""
    return collection(call, NAMED_LOCATION, map(show, call.tenant.named_locations.values()))


def get_location(call: GraphCall) -> Response:
    """GET /identity/conditionalAccess/namedLocations/{id}."""
    return entity(call, NAMED_LOCATION, show(_find(call)))


def create_location(call: GraphCall) -> Response:
    """POST /identity/conditionalAccess/namedLocations: 201; policies may name it after `named_location_delay`."""
    body = _checked(call)
    kind = body["@odata.type"]
    for name in _NEEDED[kind]:
        if not body.get(name):
            raise bad_request(f"The property {name} is required.")
    if len(call.tenant.named_locations) >= MAX_LOCATIONS:
        raise bad_request(f"A tenant can have at most {MAX_LOCATIONS} named locations.")
    now = stamp(call.clock.now())
    document = show({**body, "id": str(uuid4()), "createdDateTime": now, "modifiedDateTime": now})
    call.tenant.named_locations[document["id"]] = document
    return entity(call, NAMED_LOCATION, document, status=201)


def update_location(call: GraphCall) -> Response:
    """PATCH /identity/conditionalAccess/namedLocations/{id}: 204. It repeats `@odata.type`; ranges are replaced."""
    document = _find(call)
    body = _checked(call)
    if body["@odata.type"] != show(document)["@odata.type"]:
        raise bad_request("The type of a named location cannot be changed.")
    document.update(body, modifiedDateTime=stamp(call.clock.now()))
    return no_content()


def delete_location(call: GraphCall) -> Response:
    """DELETE /identity/conditionalAccess/namedLocations/{id}: 204, unless it is trusted or a policy refers to it."""
    document = _find(call)
    if document.get("isTrusted"):
        raise bad_request("A trusted named location cannot be deleted. Mark it as not trusted first.")
    for policy in call.tenant.policies.values():
        places = (policy.get("conditions") or {}).get("locations") or {}
        if any(document["id"] in (places.get(side) or ()) for side in ("includeLocations", "excludeLocations")):
            raise bad_request(f"The named location is referenced by the Conditional Access policy {policy['id']}.")
    del call.tenant.named_locations[document["id"]]
    return no_content()


def _find(call: GraphCall) -> JsonObject:
    wanted = call.parameters["id"]
    document = call.tenant.named_locations.get(wanted)
    if document is None:
        raise GraphRefusal(404, "NotFound", f"NamedLocation with id {wanted} does not exist in the directory.")
    return document


def _checked(call: GraphCall) -> JsonObject:
    body = body_of(call)
    kind = body.get("@odata.type")
    if kind not in _SHAPES:
        raise bad_request("Cannot create an abstract class: a named location needs the @odata.type of its kind.")
    if not record(**_SHAPES[kind])(body):
        raise bad_request(f"The request does not match the schema of {kind}.")
    if kind == _IP:
        _check_ranges(body.get("ipRanges"))
    if any(not _COUNTRY_CODE.fullmatch(code) for code in body.get("countriesAndRegions", ())):
        raise bad_request("Countries are two-letter codes of ISO 3166-2.")
    return body


def _check_ranges(ranges: list[JsonObject] | None) -> None:
    if ranges is None:
        return
    if not 1 <= len(ranges) <= MAX_RANGES:
        raise bad_request(f"A named location has 1 to {MAX_RANGES} IP ranges.")
    for entry in ranges:
        try:
            network = ipaddress.ip_network(entry["cidrAddress"])
        except ValueError:
            raise bad_request(f"The IP range {entry['cidrAddress']} is not a valid CIDR address.") from None
        if "/" not in entry["cidrAddress"] or _RANGE_VERSIONS.get(entry["@odata.type"]) != network.version:
            raise bad_request(f"The IP range {entry['cidrAddress']} is not of the stated type.")
        if network.prefixlen < MIN_PREFIX:
            raise bad_request(f"The IP range {entry['cidrAddress']} is too wide: the mask must be greater than /8.")


_LOCATIONS = "/v1.0/identity/conditionalAccess/namedLocations"
_READ = ("Policy.Read.All",)
_WRITE = ("Policy.ReadWrite.ConditionalAccess",)

ROUTES = (
    premium_operation("GET", _LOCATIONS, list_locations, permissions=_READ),
    premium_operation("GET", f"{_LOCATIONS}/{{id}}", get_location, permissions=_READ),
    premium_operation("POST", _LOCATIONS, create_location, permissions=_WRITE, also=_READ, roles=OVER_POLICIES),
    premium_operation(
        "PATCH", f"{_LOCATIONS}/{{id}}", update_location, permissions=_WRITE, also=_READ, roles=OVER_POLICIES
    ),
    premium_operation(
        "DELETE", f"{_LOCATIONS}/{{id}}", delete_location, permissions=_WRITE, also=_READ, roles=OVER_POLICIES
    ),
)
