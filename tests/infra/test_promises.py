"""Both environments keep what a deployment promises; and every promise, broken on purpose, is seen to be broken."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra import promises
from tests.infra.bicep_template import Deployment
from tests.infra.console_promise import console_is_one_site_and_may_call
from tests.infra.environments import INFRA, worked_out
from tests.infra.promises import IN_PRODUCTION, Promise

EVERYWHERE = (*promises.EVERYWHERE, console_is_one_site_and_may_call)


@dataclass(frozen=True, slots=True)
class Fault:
    """One edit that breaks one promise."""

    breaks: Promise
    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.breaks.__name__}: {self.new.strip() or f'without {self.old.strip()}'}"


def _fault(breaks: Promise, file: str, old: str, new: str = "") -> Fault:
    return Fault(breaks, file, old, new)


_STORAGE, _VAULT, _APP = "modules/storage.bicep", "modules/vault.bicep", "modules/functionApp.bicep"
_NETWORK, _ENDPOINTS, _ACCESS = "modules/network.bicep", "modules/privateEndpoints.bicep", "modules/access.bicep"
_LOGS, _ALERTS, _CONSOLE = "modules/monitoring.bicep", "modules/alerts.bicep", "modules/consoleSite.bicep"
_MAIN, _PROD = "main.bicep", "environments/prod.bicepparam"

FAULTS = (
    _fault(promises.storage_takes_no_keys, _STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    _fault(promises.storage_takes_no_keys, _STORAGE, "    allowSharedKeyAccess: false\n"),
    _fault(
        promises.storage_takes_no_keys,
        _STORAGE,
        "defaultToOAuthAuthentication: true",
        "defaultToOAuthAuthentication: false",
    ),
    _fault(promises.storage_takes_no_keys, _STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"),
    _fault(
        promises.storage_takes_no_keys,
        _STORAGE,
        "allowCrossTenantReplication: false",
        "allowCrossTenantReplication: true",
    ),
    _fault(promises.storage_takes_no_keys, _STORAGE, "'TLS1_2'", "'TLS1_0'"),
    _fault(
        promises.storage_takes_no_keys, _STORAGE, "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"
    ),
    _fault(promises.storage_takes_no_keys, _STORAGE, "bypass: 'None'", "bypass: 'AzureServices'"),
    _fault(promises.storage_takes_no_keys, _STORAGE, "publicAccess: 'None'", "publicAccess: 'Blob'"),
    _fault(
        promises.vault_is_opened_by_role_and_cannot_be_emptied,
        _VAULT,
        "enableRbacAuthorization: true",
        "enableRbacAuthorization: false",
    ),
    _fault(
        promises.vault_is_opened_by_role_and_cannot_be_emptied,
        _VAULT,
        "enableSoftDelete: true",
        "enableSoftDelete: false",
    ),
    _fault(promises.vault_is_opened_by_role_and_cannot_be_emptied, _VAULT, "InDays: 90", "InDays: 7"),
    _fault(promises.vault_is_opened_by_role_and_cannot_be_emptied, _VAULT, "    enablePurgeProtection: true\n"),
    _fault(
        promises.vault_is_opened_by_role_and_cannot_be_emptied,
        _VAULT,
        "enabledForTemplateDeployment: false",
        "enabledForTemplateDeployment: true",
    ),
    _fault(
        promises.vault_is_opened_by_role_and_cannot_be_emptied,
        _VAULT,
        "enabledForDeployment: false",
        "enabledForDeployment: true",
    ),
    _fault(promises.vault_is_opened_by_role_and_cannot_be_emptied, _VAULT, "bypass: 'None'", "bypass: 'AzureServices'"),
    _fault(promises.vault_is_audited, _VAULT, "'audit', enabled: true", "'audit', enabled: false"),
    _fault(promises.logs_take_no_keys, _LOGS, "disableLocalAuth: true", "disableLocalAuth: false"),
    _fault(promises.logs_take_no_keys, _LOGS, "    DisableLocalAuth: true\n"),
    _fault(promises.logs_take_no_keys, _APP, ";Authorization=AAD"),
    _fault(promises.app_is_reached_over_tls_and_deployed_by_identity, _APP, "httpsOnly: true", "httpsOnly: false"),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        " minTlsVersion: '1.2'",
        " minTlsVersion: '1.0'",
    ),
    _fault(promises.app_is_reached_over_tls_and_deployed_by_identity, _APP, "      scmMinTlsVersion: '1.2'\n"),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "ftpsState: 'Disabled'",
        "ftpsState: 'FtpsOnly'",
    ),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "remoteDebuggingEnabled: false",
        "remoteDebuggingEnabled: true",
    ),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "type: 'UserAssigned',",
        "type: 'SystemAssigned',",
    ),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "type: 'UserAssignedIdentity'",
        "type: 'StorageAccountConnectionString'",
    ),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "'scm', properties: { allow: false }",
        "'scm', properties: { allow: true }",
    ),
    _fault(promises.app_is_reached_over_tls_and_deployed_by_identity, _APP, "name: 'ftp'", "name: 'scm'"),
    _fault(
        promises.app_is_reached_over_tls_and_deployed_by_identity,
        _APP,
        "allowedOrigins: consoleOrigins",
        "allowedOrigins: ['*']",
    ),
    _fault(console_is_one_site_and_may_call, _CONSOLE, "'Disabled'", "'Enabled'"),
    _fault(console_is_one_site_and_may_call, _CONSOLE, "    allowConfigFileUpdates: true\n"),
    _fault(console_is_one_site_and_may_call, _MAIN, "[consoleSite!.outputs.url]", "[]"),
    _fault(console_is_one_site_and_may_call, _APP, "supportCredentials: false", "supportCredentials: true"),
    _fault(
        console_is_one_site_and_may_call,
        _MAIN,
        "empty(consoleLocation) ? '' : consoleSite!.outputs.name",
        "''",
    ),
    _fault(
        promises.identity_settings_are_complete, _APP, "        AzureWebJobsStorage__credential: 'managedidentity'\n"
    ),
    _fault(promises.identity_settings_are_complete, _APP, "        AzureWebJobsStorage__clientId: identityClientId\n"),
    _fault(
        promises.identity_settings_are_complete, _APP, "AzureWebJobsDisableHomepage: 'true'", "AzureWebJobsStorage: ''"
    ),
    _fault(
        promises.identity_settings_are_complete, _MAIN, "      SessionStorage__clientId: identity.outputs.clientId\n"
    ),
    _fault(
        promises.identity_settings_are_complete,
        _MAIN,
        "__credential: 'managedidentity'",
        "__credential: 'systemassigned'",
    ),
    _fault(
        promises.identity_settings_are_complete,
        _MAIN,
        "AZURE_CLIENT_ID: identity.outputs.clientId",
        "AZURE_CLIENT_ID: appClientId",
    ),
    _fault(promises.no_setting_breaks_flex, _APP, "AzureWebJobsDisableHomepage", "FUNCTIONS_WORKER_RUNTIME"),
    _fault(
        promises.no_secret_is_configured, _MAIN, "EGRESS_COUNTRY: egressCountry", "APP_CLIENT_SECRET: egressCountry"
    ),
    _fault(
        promises.no_secret_is_configured,
        _MAIN,
        "UPKEEP_SCHEDULE: upkeepSchedule",
        "UPKEEP_SCHEDULE: 'AccountKey=only-for-tests'",
    ),
    _fault(promises.no_secret_is_configured, _MAIN, "output AZURE_FUNCTION_NAME", "output AZURE_FUNCTION_KEY"),
    _fault(
        promises.role_assignments_repeat_safely,
        _ACCESS,
        "guid(vault.id, principalId, roles.keyVaultSecretsOfficer)",
        "guid(vault.id, principalId)",
    ),
    _fault(promises.role_assignments_repeat_safely, _ACCESS, "guid(readQueue[i].id, ", "guid(readQueue[0].id, "),
    _fault(promises.role_assignments_repeat_safely, _ACCESS, "    principalType: 'ServicePrincipal'\n"),
    _fault(promises.alerts_reach_somebody, _ALERTS, "emailAddress: email", "emailAddress: ''"),
    _fault(promises.alerts_reach_somebody, _ALERTS, "actionGroups: [onCall.id]", "actionGroups: []"),
    _fault(promises.alerts_reach_somebody, _ALERTS, "    actions: [{ actionGroupId: onCall.id }]\n"),
    _fault(promises.names_fit, _MAIN, "'stsession${token}'", "'stmanagementsessions${token}'"),
    _fault(promises.names_fit, _VAULT, "'kv-${token}'", "'kv-management-sessions-${token}'"),
    _fault(promises.storage_and_secrets_are_private, _PROD, "isPrivate = true", "isPrivate = false"),
    _fault(promises.storage_and_secrets_are_private, _STORAGE, "isPublic ? 'Enabled' : 'Disabled'", "'Enabled'"),
    _fault(promises.storage_and_secrets_are_private, _VAULT, "isPublic ? 'Allow' : 'Deny'", "'Allow'"),
    _fault(
        promises.storage_and_secrets_are_private,
        _ENDPOINTS,
        "group: 'table', target: sessionStorageId",
        "group: 'table', target: hostStorageId",
    ),
    _fault(promises.storage_and_secrets_are_private, _ENDPOINTS, "'.vault.', '.vaultcore.'", "'.vault.', '.blob.'"),
    _fault(
        promises.sign_ins_come_from_known_addresses,
        _MAIN,
        "subnetId: isPrivate ? network!.outputs.appSubnetId : ''",
        "subnetId: ''",
    ),
    _fault(promises.sign_ins_come_from_known_addresses, _NETWORK, "      natGateway: { id: gateway.id }\n"),
    _fault(
        promises.sign_ins_come_from_known_addresses,
        _NETWORK,
        "publicIpPrefixes: [{ id: egress.id }]",
        "publicIpPrefixes: []",
    ),
    _fault(
        promises.sign_ins_come_from_known_addresses,
        _NETWORK,
        "defaultOutboundAccess: false",
        "defaultOutboundAccess: true",
    ),
    _fault(promises.sign_ins_come_from_known_addresses, _APP, "allTraffic: !empty(subnetId)", "allTraffic: false"),
    _fault(promises.sign_ins_come_from_known_addresses, _MAIN, "isPrivate ? [network!.outputs.egressRange] : []", "[]"),
    _fault(promises.what_is_kept_is_locked, _PROD, "isKept = true", "isKept = false"),
    _fault(
        promises.what_is_kept_is_locked, _MAIN, "    isLocked: isKept\n    tables", "    isLocked: false\n    tables"
    ),
    _fault(promises.what_is_kept_is_locked, _VAULT, "'CanNotDelete'", "'NotSpecified'"),
    _fault(promises.sessions_survive_a_region, _PROD, "'Standard_GZRS'", "'Standard_LRS'"),
)


@pytest.mark.parametrize("promise", EVERYWHERE, ids=lambda promise: promise.__name__)
def test_both_environments_keep_the_promise(promise: Promise, dev: Deployment, prod: Deployment) -> None:
    assert [*promise(dev), *promise(prod)] == []


@pytest.mark.parametrize("promise", IN_PRODUCTION, ids=lambda promise: promise.__name__)
def test_production_keeps_the_promise(promise: Promise, prod: Deployment) -> None:
    assert list(promise(prod)) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_promise_broken_on_purpose_is_seen_to_be_broken(fault: Fault, tmp_path: Path) -> None:
    infra = shutil.copytree(INFRA, tmp_path / "infra")
    text = (infra / fault.file).read_text("utf-8")
    assert fault.old in text
    (infra / fault.file).write_text(text.replace(fault.old, fault.new, 1), "utf-8")

    broken = worked_out("prod", infra=infra)

    assert list(fault.breaks(broken)) != []


def test_every_promise_has_been_broken_once() -> None:
    assert {fault.breaks for fault in FAULTS} == {*EVERYWHERE, *IN_PRODUCTION}
