"""The parameter files of infra/environments, worked out with what a deployer would set."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.infra.bicep_template import Deployment, deploy

PROJECT: Final = Path(__file__).parents[2]
INFRA: Final = PROJECT / "infra"

DEPLOYER: Final = {
    "AZURE_LOCATION": "westeurope",
    "API_AUDIENCE": "11111111-1111-4111-8111-111111111111",
    "APP_CLIENT_ID": "22222222-2222-4222-8222-222222222222",
    "ONBOARDING_CLIENT_ID": "33333333-3333-4333-8333-333333333333",
    "ALERT_EMAIL": "on-call@example.com",
    "EGRESS_COUNTRY": "NL",
    "CONSOLE_LOCATION": "westeurope",
}


def worked_out(environment: str, *, infra: Path = INFRA) -> Deployment:
    """The deployment of `dev` or `prod`."""
    return deploy(infra / "environments" / f"{environment}.bicepparam", DEPLOYER)
