"""What a deployment promises of the web console, where it has one; no findings: the promise is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.infra.bicep_template import Deployment
from tests.infra.promises import SITE, Said, all_say

STATIC_SITE: Final = "Microsoft.Web/staticSites"


def console_is_one_site_and_may_call(deployment: Deployment) -> Iterator[str]:
    yield from all_say(
        deployment,
        STATIC_SITE,
        Said("properties.allowConfigFileUpdates", True),  # or the headers of its configuration would not be sent
        Said("properties.stagingEnvironmentPolicy", "Disabled"),
    )
    for console in deployment.of(STATIC_SITE):
        origin = f"https://{console.read('properties.defaultHostname')}"
        for site in deployment.of(SITE):
            if origin not in site["properties.siteConfig.cors.allowedOrigins"]:
                yield f"{origin} may not call the API"
            yield from Said("properties.siteConfig.cors.supportCredentials", False).breaches(site)
        if deployment.outputs["CONSOLE_URL"] != origin or deployment.outputs["CONSOLE_NAME"] != console.name:
            yield f"nobody is told where {console.name} is"
