"""The composition root: the only place where settings, adapters and services meet."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache, partial
from uuid import UUID

from shared import telemetry
from shared.adapters.clock import SystemClock
from shared.adapters.entra import EntraSignIn
from shared.adapters.graph import GraphDirectory
from shared.adapters.graph_calls import GraphCalls
from shared.adapters.graph_pace import Pace
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.key_vault import KeyVaultSecrets
from shared.adapters.managed_identity import ManagedIdentity
from shared.adapters.signing_keys import JwksSigningKeys
from shared.adapters.storage import due_table, tenant_index_table, tenant_table
from shared.adapters.storage.account import ByIdentity, StorageAccount
from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.queues import QueueMessages
from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.config import SettingInvalid, Settings, StorageSettings, read_settings
from shared.domain.directory_roles import ONBOARDING, RUNTIME, SINGLE, Registration
from shared.domain.ids import TenantId
from shared.domain.ports import Clock, SigningKeys
from shared.domain.secret import Secret
from shared.services.accept import Accept
from shared.services.act import Act
from shared.services.answer_parked import AnswerParked
from shared.services.ask_for_account import AskForServiceAccount
from shared.services.ask_for_policies import AskForPolicies
from shared.services.carry_out import CarryOut
from shared.services.check_policies import CheckPolicies
from shared.services.create_account import CreateAccount
from shared.services.delete_account import DeleteAccount
from shared.services.emergency_stop import EmergencyStop
from shared.services.forget_old_rows import ForgetOldRows
from shared.services.hold_lease import HoldLease
from shared.services.keep_poison import KeepPoison
from shared.services.look import Look
from shared.services.onboard import ConsentUrls, Onboard, admin_consent_url
from shared.services.rate_limits import RateLimits
from shared.services.record_refusal import RecordRefusal
from shared.services.remove_allowed_ips import RemoveAllowedIps
from shared.services.rotate_password import RotatePassword
from shared.services.run_policy_check import RunPolicyCheck
from shared.services.set_allowed_ips import SetAllowedIps
from shared.services.toggle_session import ToggleSession
from shared.services.tokens import Tokens
from shared.services.turn_off import TurnOff
from shared.services.turn_on import TurnOn
from shared.services.turn_on_as_admin import TurnOnAsAdmin
from shared.services.upkeep import Upkeep
from shared.services.world import Application, World


@dataclass(frozen=True, slots=True)
class CallerRules:
    """What a caller's token is checked against."""

    issuer: str
    audience: str
    signing_keys: SigningKeys
    clock: Clock


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a door may call."""

    world: World
    caller_rules: CallerRules
    authority_host: str
    consent_redirect_uri: str | None
    onboard: Onboard
    look: Look
    accounts: AskForServiceAccount
    policies: AskForPolicies
    sessions: ToggleSession
    admin_sessions: TurnOnAsAdmin
    leases: HoldLease
    act: Act
    carry_out: CarryOut
    upkeep: Upkeep
    refusals: RecordRefusal
    poison: KeepPoison
    emergency_stop: EmergencyStop
    rates: RateLimits

    def consent_urls(self, tenant_id: TenantId) -> ConsentUrls:
        """Where the tenant's administrator grants consent, application by application."""
        acting, redirect_uri = self.world.onboarding, self.consent_redirect_uri
        url = partial(admin_consent_url, self.authority_host, tenant_id, redirect_uri=redirect_uri)
        return ConsentUrls(url(self.world.application_id), url(acting.application_id) if acting else None)


@cache
def services() -> Services:
    """This process's services, made at first use from its settings.

    Raises:
        SettingInvalid: a setting is missing or wrong.
    """
    try:
        settings = read_settings()
    except SettingInvalid as error:
        telemetry.event("settingInvalid", level=logging.ERROR, text=error.text)
        raise
    clock = SystemClock()
    keys = JwksSigningKeys(settings.api_issuer, clock)
    rules = CallerRules(settings.api_issuer, str(settings.api_audience), keys, clock)
    return assemble(_world(settings, clock), rules, settings.authority_host, settings.consent_redirect_uri)


def _world(settings: Settings, clock: SystemClock) -> World:
    """The outside as the settings describe it; nothing is opened before it is used."""
    identity = ManagedIdentity(settings.managed_identity_client_id, audience=settings.token_exchange_audience)
    storage = _storage(settings.storage)
    graph, pace = GraphCalls(settings.graph_endpoint, pause=clock.pause), Pace(clock, clock.pause)

    def speaking_as(client_id: UUID, secret: Secret | None, asked: Registration) -> Application:
        sign_in = EntraSignIn(
            authority_host=settings.authority_host,
            client_id=str(client_id),
            credential=secret or identity.assertion,
            graph_scope=f"{settings.graph_endpoint}/.default",
            graph=graph,
            clock=clock,
            asked=asked,
        )
        directory = GraphDirectory(graph, sign_in.app_token, asked)
        return Application(client_id, directory, sign_in, GraphPolicies(graph, sign_in.app_token, pace, asked))

    onboarding_id, onboarding_secret = settings.onboarding_client_id, settings.onboarding_client_secret
    runtime = speaking_as(settings.app_client_id, settings.app_client_secret, RUNTIME if onboarding_id else SINGLE)
    return World(
        clock=clock,
        store=TenantTable(AzureTable(storage, tenant_table.NAME)),
        index=TenantIndexTable(AzureTable(storage, tenant_index_table.NAME)),
        due=DueTable(AzureTable(storage, due_table.NAME)),
        messages=QueueMessages(storage),
        vault=KeyVaultSecrets(settings.key_vault_url, lambda: identity.credential, pause=clock.pause),
        directory=runtime.directory,
        sign_in=runtime.sign_in,
        policies=runtime.policies,
        application_id=runtime.application_id,
        egress_ips=settings.egress_ips,
        egress_country=settings.egress_country,
        audiences=settings.audiences,
        limits=settings.limits,
        onboarding=speaking_as(onboarding_id, onboarding_secret, ONBOARDING) if onboarding_id else None,
    )


def _storage(settings: StorageSettings) -> StorageAccount:
    if settings.connection_string is not None:
        return StorageAccount(settings.connection_string)
    identity = ManagedIdentity(settings.client_id)
    tables, queues = (
        f"https://{settings.account_name}.{service}.{settings.endpoint_suffix}" for service in ("table", "queue")
    )
    return StorageAccount(ByIdentity(tables, queues, lambda: identity.credential))


def assemble(world: World, rules: CallerRules, authority_host: str, consent_redirect_uri: str | None) -> Services:
    """The services over a world, whatever it is made of."""
    accept = Accept(world)
    sessions = ToggleSession(world, accept)
    accounts = AskForServiceAccount(world, accept)
    answer_parked = AnswerParked(world, sessions)
    policies = AskForPolicies(world, accept)
    onboarding = world.as_onboarding()
    checks = CheckPolicies(world)
    flows = (
        CreateAccount(onboarding),
        RotatePassword(world),
        DeleteAccount(onboarding, world.directory),
        TurnOn(world, checks),
        TurnOff(world),
        RunPolicyCheck(world, checks),
        SetAllowedIps(onboarding, checks),
        RemoveAllowedIps(onboarding),
    )
    carry_out = CarryOut(world, flows, answer_parked)
    return Services(
        world=world,
        caller_rules=rules,
        authority_host=authority_host,
        consent_redirect_uri=consent_redirect_uri,
        onboard=Onboard(world),
        look=Look(world),
        accounts=accounts,
        policies=policies,
        sessions=sessions,
        admin_sessions=TurnOnAsAdmin(world, accept),
        leases=HoldLease(world, Tokens(world)),
        act=Act(world, sessions, carry_out),
        carry_out=carry_out,
        upkeep=Upkeep(world, sessions, accounts, policies, answer_parked, ForgetOldRows(world)),
        refusals=RecordRefusal(world),
        poison=KeepPoison(world),
        emergency_stop=EmergencyStop(world, sessions),
        rates=RateLimits(world.clock),
    )
