"""The Functions app: registers every door."""

import azure.functions as func

from functions import (
    action_messages,
    allowed_ips,
    auto_enable,
    emergency_stop,
    health,
    leases,
    operation_messages,
    operations,
    operators,
    poison,
    poison_messages,
    policy_checks,
    service_accounts,
    sessions,
    support_bundles,
    tenants,
    upkeep,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # each HTTP door verifies the caller's token itself
for room in (
    tenants,
    operators,
    service_accounts,
    sessions,
    auto_enable,
    policy_checks,
    allowed_ips,
    support_bundles,
    poison_messages,
    emergency_stop,
    leases,
    operations,
    operation_messages,
    action_messages,
    poison,
    upkeep,
    health,
):
    app.register_functions(room.bp)
