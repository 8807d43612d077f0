"""What a deployment promises, each promise a function that names what breaks it. No findings: the promise is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.infra.bicep_template import Deployment, Resource, Value

Promise = Callable[[Deployment], Iterator[str]]

STORAGE: Final = "Microsoft.Storage/storageAccounts"
VAULT: Final = "Microsoft.KeyVault/vaults"
SITE: Final = "Microsoft.Web/sites"
SETTINGS: Final = "Microsoft.Web/sites/config"
ROLE: Final = "Microsoft.Authorization/roleAssignments"
RULE: Final = "Microsoft.Insights/scheduledQueryRules"

_IDENTITY_TRIO: Final = ("accountName", "credential", "clientId")
_NOT_ON_FLEX: Final = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTSHARE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
)
_ZONES: Final = {
    "privatelink.blob.core.windows.net",
    "privatelink.table.core.windows.net",
    "privatelink.queue.core.windows.net",
    "privatelink.vaultcore.azure.net",
}
"""https://learn.microsoft.com/azure/private-link/private-endpoint-dns"""
_CREDENTIALS: Final = re.compile(r"AccountKey=|SharedAccess|sig=|InstrumentationKey=|eyJ|-----BEGIN")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that a resource must make: at this path, this value."""

    path: str
    value: Value

    def breaches(self, resource: Resource) -> Iterator[str]:
        found = resource[self.path]
        if found != self.value or type(found) is not type(self.value):
            yield f"{resource.name}: {self.path} is {found!r}, not {self.value!r}"


def settings(deployment: Deployment) -> dict[str, Value]:
    """The app's settings."""
    (found,) = deployment.of(SETTINGS)
    return dict(found["properties"])


def all_say(deployment: Deployment, type_: str, *said: Said) -> Iterator[str]:
    """Every resource of the type makes every statement; and there is one."""
    resources = deployment.of(type_)
    if not resources:
        yield f"there is no {type_}"
    for resource in resources:
        for each in said:
            yield from each.breaches(resource)


# ── in every environment ─────────────────────────────────────────────────────────────────────────────────────────────


def storage_takes_no_keys(deployment: Deployment) -> Iterator[str]:
    yield from all_say(
        deployment,
        STORAGE,
        Said("properties.allowSharedKeyAccess", False),
        Said("properties.defaultToOAuthAuthentication", True),
        Said("properties.allowBlobPublicAccess", False),
        Said("properties.allowCrossTenantReplication", False),
        Said("properties.minimumTlsVersion", "TLS1_2"),
        Said("properties.supportsHttpsTrafficOnly", True),
        Said("properties.networkAcls.bypass", "None"),
    )
    yield from all_say(deployment, f"{STORAGE}/blobServices/containers", Said("properties.publicAccess", "None"))


def vault_is_opened_by_role_and_cannot_be_emptied(deployment: Deployment) -> Iterator[str]:
    yield from all_say(
        deployment,
        VAULT,
        Said("properties.enableRbacAuthorization", True),
        Said("properties.enableSoftDelete", True),
        Said("properties.softDeleteRetentionInDays", 90),
        Said("properties.enablePurgeProtection", True),
        Said("properties.enabledForTemplateDeployment", False),
        Said("properties.enabledForDeployment", False),
        Said("properties.networkAcls.bypass", "None"),
    )


def vault_is_audited(deployment: Deployment) -> Iterator[str]:
    for vault in deployment.of(VAULT):
        audits = [each for each in deployment.of("Microsoft.Insights/diagnosticSettings") if each.scope == vault.name]
        if not any(
            log == {"categoryGroup": "audit", "enabled": True} for each in audits for log in each["properties.logs"]
        ):
            yield f"{vault.name}: no audit log goes anywhere"


def logs_take_no_keys(deployment: Deployment) -> Iterator[str]:
    workspace = "Microsoft.OperationalInsights/workspaces"
    yield from all_say(deployment, workspace, Said("properties.features.disableLocalAuth", True))
    yield from all_say(deployment, "Microsoft.Insights/components", Said("properties.DisableLocalAuth", True))
    if "Authorization=AAD" not in settings(deployment).get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", ""):
        yield "the app is not told to send telemetry with a token"


def app_is_reached_over_tls_and_deployed_by_identity(deployment: Deployment) -> Iterator[str]:
    yield from all_say(
        deployment,
        SITE,
        Said("properties.httpsOnly", True),
        Said("properties.siteConfig.minTlsVersion", "1.2"),
        Said("properties.siteConfig.scmMinTlsVersion", "1.2"),
        Said("properties.siteConfig.ftpsState", "Disabled"),
        Said("properties.siteConfig.remoteDebuggingEnabled", False),
        Said("identity.type", "UserAssigned"),
        Said("properties.functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
    )
    passwords = deployment.of(f"{SITE}/basicPublishingCredentialsPolicies")
    if {each.name.rpartition("/")[2] for each in passwords} != {"ftp", "scm"}:
        yield "publishing with a password is not forbidden for both ftp and scm"
    yield from all_say(deployment, f"{SITE}/basicPublishingCredentialsPolicies", Said("properties.allow", False))
    for site in deployment.of(SITE):
        if "*" in site["properties.siteConfig.cors.allowedOrigins"]:
            yield f"{site.name}: every origin may call"


def identity_settings_are_complete(deployment: Deployment) -> Iterator[str]:
    """The name alone deploys well and never starts (https://github.com/Azure/azure-functions-host/issues/10904)."""
    found = settings(deployment)
    for connection in ("AzureWebJobsStorage", "SessionStorage"):
        missing = [part for part in _IDENTITY_TRIO if not found.get(f"{connection}__{part}")]
        if missing:
            yield f"{connection} lacks {', '.join(missing)}"
        if found.get(f"{connection}__credential") != "managedidentity":
            yield f"{connection}__credential is not managedidentity"
        if connection in found:
            yield f"{connection} is set beside its parts, and breaks them"
    if found.get("AZURE_CLIENT_ID") != found.get("SessionStorage__clientId"):
        yield "AZURE_CLIENT_ID is another identity than SessionStorage__clientId"


def no_setting_breaks_flex(deployment: Deployment) -> Iterator[str]:
    for name in _NOT_ON_FLEX:
        if name in settings(deployment):
            yield f"{name} must not be set on Flex Consumption"


def no_secret_is_configured(deployment: Deployment) -> Iterator[str]:
    for name, value in settings(deployment).items():
        if re.search(r"SECRET|PASSWORD|_KEY$", name) or _CREDENTIALS.search(str(value)):
            yield f"the setting {name} looks like a secret"
    for name, value in deployment.outputs.items():
        if re.search(r"SECRET|PASSWORD|KEY$|TOKEN|CONNECTION", name) or _CREDENTIALS.search(str(value)):
            yield f"the output {name} looks like a secret"


def role_assignments_repeat_safely(deployment: Deployment) -> Iterator[str]:
    """The name says what is assigned, so that deploying again changes nothing."""
    names = set()
    for each in deployment.of(ROLE):
        role, principal = each["properties.roleDefinitionId"].rpartition("/")[2], each["properties.principalId"]
        if not re.fullmatch(
            rf"guid\(/Microsoft\.\S+/{re.escape(each.scope)}, {re.escape(principal)}, {role}\)", each.name
        ):
            yield f"{each.name} is not named by its scope, principal and role"
        if each["properties.principalType"] != "ServicePrincipal":
            yield f"{each.name}: the principal's type is not stated, so a new one may not be found yet"
        if each.name in names:
            yield f"{each.name} is assigned twice"
        names.add(each.name)


def alerts_reach_somebody(deployment: Deployment) -> Iterator[str]:
    (group,) = deployment.of("Microsoft.Insights/actionGroups")
    if not all(each["emailAddress"] for each in group["properties.emailReceivers"]):
        yield "nobody gets the alerts"
    for rule in deployment.of(RULE):
        if rule["properties.enabled"] is not True or rule["properties.actions.actionGroups"] != [group.read("id")]:
            yield f"{rule.name} tells nobody"
    for metric in deployment.of("Microsoft.Insights/metricAlerts"):
        if metric["properties.enabled"] is not True or metric["properties.actions"] != [
            {"actionGroupId": group.read("id")}
        ]:
            yield f"{metric.name} tells nobody"


def names_fit(deployment: Deployment) -> Iterator[str]:
    for type_ in (STORAGE, VAULT):
        for each in deployment.of(type_):
            if not 3 <= len(each.name) <= 24:
                yield f"{each.name} has {len(each.name)} characters; 3 to 24 are allowed"


# ── in production ────────────────────────────────────────────────────────────────────────────────────────────────────


def storage_and_secrets_are_private(deployment: Deployment) -> Iterator[str]:
    for type_ in (STORAGE, VAULT):
        yield from all_say(
            deployment,
            type_,
            Said("properties.publicNetworkAccess", "Disabled"),
            Said("properties.networkAcls.defaultAction", "Deny"),
        )
    (host, session), (vault,) = deployment.of(STORAGE), deployment.of(VAULT)
    wanted = {
        (host.read("id"), "blob"),
        (session.read("id"), "table"),
        (session.read("id"), "queue"),
        (vault.read("id"), "vault"),
    }
    found = {
        (connection["properties"]["privateLinkServiceId"], group)
        for endpoint in deployment.of("Microsoft.Network/privateEndpoints")
        for connection in endpoint["properties.privateLinkServiceConnections"]
        for group in connection["properties"]["groupIds"]
    }
    for target, group in wanted - found:
        yield f"the app cannot reach {group} of {target}"
    zones = {each.name for each in deployment.of("Microsoft.Network/privateDnsZones")}
    links = deployment.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    if zones != _ZONES or {each.name.partition("/")[0] for each in links} != _ZONES:
        yield f"names are not looked up inside the network: {sorted(zones ^ _ZONES)}"


def sign_ins_come_from_known_addresses(deployment: Deployment) -> Iterator[str]:
    (site,) = deployment.of(SITE)
    subnets = {each.read("id"): each for each in deployment.of("Microsoft.Network/virtualNetworks/subnets")}
    subnet = subnets.get(site["properties.virtualNetworkSubnetId"])
    if subnet is None:
        yield "the app is not in the network"
        return
    gateways = {each.read("id"): each for each in deployment.of("Microsoft.Network/natGateways")}
    gateway = gateways.get(subnet["properties.natGateway.id"] or "")
    prefixes = {each.read("id"): each for each in deployment.of("Microsoft.Network/publicIPPrefixes")}
    if gateway is None or [each["id"] for each in gateway["properties.publicIpPrefixes"]] != list(prefixes):
        yield "the app's subnet does not leave by the gateway with our addresses"
    if subnet["properties.defaultOutboundAccess"] is not False:
        yield "the app's subnet may leave by an address of Azure's choice"
    if site["properties.outboundVnetRouting.allTraffic"] is not True:
        yield "not all traffic takes the network"
    ranges = settings(deployment)["EGRESS_IPS"].split(",")
    if not all(prefix.read("properties.ipPrefix") in ranges for prefix in prefixes.values()):
        yield "EGRESS_IPS does not name our addresses"


def what_is_kept_is_locked(deployment: Deployment) -> Iterator[str]:
    locked = {
        each.scope
        for each in deployment.of("Microsoft.Authorization/locks")
        if each["properties.level"] == "CanNotDelete"
    }
    _, session = deployment.of(STORAGE)
    for each in (session, *deployment.of(VAULT)):
        if each.name not in locked:
            yield f"{each.name} can be deleted by mistake"


def sessions_survive_a_region(deployment: Deployment) -> Iterator[str]:
    _, session = deployment.of(STORAGE)
    yield from Said("sku.name", "Standard_GZRS").breaches(session)


EVERYWHERE: Final[tuple[Promise, ...]] = (
    storage_takes_no_keys,
    vault_is_opened_by_role_and_cannot_be_emptied,
    vault_is_audited,
    logs_take_no_keys,
    app_is_reached_over_tls_and_deployed_by_identity,
    identity_settings_are_complete,
    no_setting_breaks_flex,
    no_secret_is_configured,
    role_assignments_repeat_safely,
    alerts_reach_somebody,
    names_fit,
)
IN_PRODUCTION: Final[tuple[Promise, ...]] = (
    storage_and_secrets_are_private,
    sign_ins_come_from_known_addresses,
    what_is_kept_is_locked,
    sessions_survive_a_region,
)
