"""The part of the story about policies: one blocks, the check names it, allowed IPs and an exclusion put it right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from local.stage import TENANT, Json, Stage, require

POLICY: Final = {
    "id": "c0000000-0000-4000-8000-00000000ca01",
    "displayName": "Require MFA for administrators",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeRoles": ["29232cdf-9323-42fd-ade2-1d097af3e4de"]},  # Exchange Administrator
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
_RANGES: Final = ["203.0.113.128/28"]


class StoryOfPolicies:
    """Steps of the same form as the whole story's."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        """Title and step."""
        return (
            ("The customer has a policy that asks administrators for MFA", self.have_policy),
            ("Check the tenant's policies", self.check_finds),
            ("Turn the session on all the same", self.turn_on_is_stopped),
            ("Propose allowed IPs, in report-only", self.propose),
            ("Enforce them, and make the exclusion", self.enforce),
            ("Check again", self.check_passes),
        )

    def have_policy(self) -> str:
        """What an administrator of the customer does in the Entra portal."""
        reply = self._stage.client.control("PATCH", f"/tenants/{TENANT}", {"policies": {POLICY["id"]: POLICY}})
        require(reply.status == 200, f"the simulator answered {reply.status}: {reply.body.decode()[:200]}")
        return f"“{POLICY['displayName']}”, for everybody who holds Exchange Administrator"

    def check_finds(self) -> str:
        """The what-if finds the policy by name, and says what cures it."""
        check = self._checked()
        row = self._row(check, "conditionalAccess")
        require(row["verdict"] == "fail", f"conditional access is {row['verdict']}")
        found = row["policies"][0]
        require(found["displayName"] == POLICY["displayName"], f"it names {found['displayName']}")
        others = ", ".join(f"{r['name']} {r['verdict']}" for r in check["rows"] if r["name"] != "conditionalAccess")
        return f"{row['cause']} {found['exclusion']} ({others})"

    def turn_on_is_stopped(self) -> str:
        """No sign-in is wasted on what is known to fail."""
        before = len(self._stage.sign_ins())
        body = {"state": "on", "method": "serviceAccount"}
        operation = self._stage.finish(self._stage.api("PUT", "/session", self._stage.operator, body), "failed")
        tried = len(self._stage.sign_ins()) - before
        require(tried == 0, f"{tried} sign-ins were tried")
        return f"failed with {operation['error']['code']} before any sign-in: {operation['nextStep']['text']}"

    def propose(self) -> str:
        """What would be changed in the customer's own policies is shown, and nothing is changed."""
        ips = self._set({"ranges": _RANGES, "outside": "block", "state": "reportOnly"})
        proposed = ips["exclusions"][0]
        added = set(proposed["after"]) - set(proposed["before"])
        require(proposed["state"] == "proposed" and len(added) == 1, f"the proposal is {proposed}")
        return (
            f"{ips['state']} for {', '.join(ips['ranges'])}; proposed in “{proposed['displayName']}”: + {added.pop()}"
        )

    def enforce(self) -> str:
        """The confirmation: the same ranges, enforced, with the exclusion."""
        ips = self._set({"ranges": _RANGES, "outside": "block", "state": "enabled", "applyExclusions": True})
        made = ips["exclusions"][0]
        require((ips["state"], made["state"]) == ("enabled", "applied"), f"it is {ips['state']}, {made['state']}")
        return f"{ips['state']}; the service account is excluded from “{made['displayName']}”, read back"

    def check_passes(self) -> str:
        """Including the real sign-in."""
        check = self._checked()
        failed = [row["name"] for row in check["rows"] if row["verdict"] != "pass"]
        require(not failed, f"{check['state']}: {failed}")
        return f"{len(check['rows'])} of {len(check['rows'])} rows pass, a real sign-in among them"

    def _set(self, body: Json) -> Json:
        self._stage.finish(self._stage.api("PUT", "/allowed-ips", self._stage.administrator, body), "succeeded")
        return self._stage.expect(self._stage.api("GET", "/allowed-ips", self._stage.operator), 200)

    def _checked(self) -> Json:
        self._stage.finish(self._stage.api("POST", "/policy-checks", self._stage.operator, {}), "succeeded")
        return self._stage.expect(self._stage.api("GET", "/policy-checks/latest", self._stage.operator), 200)

    def _row(self, check: Json, name: str) -> Json:
        found: Json = next(row for row in check["rows"] if row["name"] == name)
        return found
