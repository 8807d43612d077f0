"""The story: a tenant's whole life, each line printed because it was seen through HTTP, a queue or the journal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from local.client import Client
from local.executor import KINDS, Executor
from local.simulator import seed
from local.stack import Stack
from local.stage import TENANT, Json, Stage, require
from local.story_of_policies import StoryOfPolicies
from local.tokens import bearer, claims_of

JOURNAL: Final = Path(__file__).parents[1] / ".local" / "demo-journal.jsonl"
_STORM: Final = 50


def run(stack: Stack) -> int:
    """Walk through the story on a running stack; 0, or 1 with the failing step named."""
    story = Story(Client(stack.addresses))
    started = time.monotonic()
    for number, (title, step) in enumerate(story.steps(), 1):
        try:
            seen = step()
        except Exception as failure:  # whatever it is, the step it happened in is named
            sys.stdout.write(f"{number:3}  FAILED  {title}: {type(failure).__name__}: {failure}\n")
            return 1
        sys.stdout.write(f"{number:3}  {title}: {seen}\n")
        sys.stdout.flush()
    story.keep_journal()
    sys.stdout.write(f"\nThe whole story, as told, in {time.monotonic() - started:.0f} s.\n")
    return 0


@dataclass
class _Remembered:
    leases: dict[str, str]  # kind -> lease id
    actions: dict[str, str]  # kind -> action id
    token_answer: Json


class Story:
    """The steps, in order; each returns what was seen, or raises StepFailed."""

    def __init__(self, client: Client) -> None:
        self._stage = Stage(client)
        self._executor = Executor(client, bearer(client, "executor"))
        self._kept = _Remembered({}, {}, {})

    def steps(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        """Title and step."""
        return (
            ("Onboard the tenant", self.onboard),
            ("Create the service account, too early", self.create_without_consent),
            ("Grant consent", self.consent),
            ("Create the service account", self.create),
            *StoryOfPolicies(self._stage).steps(),
            ("Turn the session on", self.turn_on),
            ("An executor of each kind asks to act", self.ask_each_kind),
            ("Each redeems its lease for a token", self.redeem),
            ("Another executor tries one of those leases", self.redeem_as_another),
            ("The actions end", self.complete),
            ("Turn the session off", self.turn_off),
            ("An action while the session is off", self.ask_while_off),
            ("Let the session turn itself on", self.auto_enable),
            (f"{_STORM} actions at once", self.storm),
            ("Rotate the password", self.rotate),
            ("Disable advanced management", self.disable),
            ("Read the activity trail", self.activity),
        )

    def onboard(self) -> str:
        """PUT the tenant; nobody has consented yet."""
        reply = self._stage.api("PUT", "", self._stage.administrator, {"displayName": "Contoso"})
        body = self._stage.expect(reply, 201)
        missing = [p["name"] for p in body["consent"]["permissions"] if p["state"] == "missing"]
        require(body["consent"]["state"] == "missing", f"consent is {body['consent']['state']}")
        return (
            f"201; {len(missing)} permissions are missing; consent is granted at {body['consent']['adminConsentUrl']}"
        )

    def create_without_consent(self) -> str:
        """The reference's sentence, with what to do."""
        operation = self._stage.finish(
            self._stage.api("PUT", "/service-account", self._stage.administrator, {}), "failed"
        )
        error = operation["error"]
        return f"failed with {error['code']}: {error['message']} {error['nextStep']['text']}"

    def consent(self) -> str:
        """What the customer's administrator does at the consent URL; onboarding again sees it."""
        granted = {"tenantId": TENANT, "clientId": seed.APP_CLIENT_ID, "grant": True}
        reply = self._stage.client.control("POST", "/consent", granted)
        require(reply.status < 300, f"the simulator answered {reply.status}")
        body = self._stage.expect(self._stage.api("PUT", "", self._stage.administrator, {}), 200)
        require(body["consent"]["state"] == "granted", f"consent is {body['consent']['state']}")
        return f"consent is granted; next step: {body['nextStep']['text']}"

    def create(self) -> str:
        """The same call again; its progress is seen on the way."""
        progress: list[str] = []
        operation = self._stage.finish(
            self._stage.api("PUT", "/service-account", self._stage.administrator, {}), "succeeded", progress
        )
        tenant = self._stage.tenant()
        held = [role["name"] for role in tenant["serviceAccount"]["roles"] if role["state"] == "held"]
        require(tenant["serviceAccount"]["state"] == "created", "the tenant does not show the account as created")
        return f"{' → '.join(progress)}; {operation['result']['userPrincipalName']} holds {', '.join(held)}"

    def turn_on(self) -> str:
        """By service account."""
        body = {"state": "on", "method": "serviceAccount", "reason": "the demo"}
        self._stage.finish(self._stage.api("PUT", "/session", self._stage.operator, body), "succeeded")
        session = self._stage.tenant()["session"]
        require(session["state"] == "on", f"the session is {session['state']}")
        return f"Management ON by {session['turnedOnBy']['name']} until {session['expiresAt']}"

    def ask_each_kind(self) -> str:
        """Four requests, four decisions, each on the queue of its kind."""
        self._kept.actions = {kind: self._executor.ask(TENANT, kind) for kind in KINDS}
        decisions = self._executor.await_decisions(self._kept.actions.values())
        require(all(d["decision"] == "ready" for d in decisions), f"not all were ready: {decisions}")
        self._kept.leases = {kind: d["leaseId"] for kind, d in zip(KINDS, decisions, strict=True)}
        leases = self._stage.tenant()["session"]["leases"]
        return f"{', '.join(f'{kind}: ready' for kind in KINDS)}; {leases} leases are held"

    def redeem(self) -> str:
        """A token of another resource for each."""
        seen = []
        for kind, resource in zip(KINDS, ("graph", "exchange", "sharePoint", "teams"), strict=True):
            answer = self._stage.expect(self._executor.redeem(TENANT, self._kept.leases[kind], resource), 200)
            claims = claims_of(answer["accessToken"])
            require(claims["tid"] == TENANT, "the token is of another tenant")
            seen.append(f"{resource} until {answer['expiresAt']}")
        return "; ".join(seen)

    def redeem_as_another(self) -> str:
        """Somebody else's lease is no lease."""
        other = Executor(self._stage.client, self._stage.caller("second-executor"))
        reply = other.redeem(TENANT, self._kept.leases["workflow"], "graph")
        return f"404 {self._stage.expect(reply, 404)['error']['code']}"

    def complete(self) -> str:
        """Completion messages release the leases."""
        for action_id in self._kept.actions.values():
            self._executor.complete(TENANT, action_id)
        self._stage.wait(lambda: self._stage.tenant()["session"]["leases"] == 0, "leases are still held")
        return "no lease is held any more"

    def turn_off(self) -> str:
        """No new token at once; the residual time is told."""
        action = self._executor.ask(TENANT, "workflow")
        lease = self._executor.await_decisions([action])[0]["leaseId"]
        accepted = self._stage.api("PUT", "/session", self._stage.operator, {"state": "off"})
        refused = self._stage.expect(self._executor.redeem(TENANT, lease, "graph"), 409)["error"]["code"]
        operation = self._stage.finish(accepted, "succeeded")
        require(self._stage.tenant()["session"]["state"] == "off", "the session is not off")
        until = operation["result"]["tokensValidUntil"]
        return f"off; a lease held a moment ago now gets {refused}; tokens handed out before end by {until}"

    def ask_while_off(self) -> str:
        """Auto-enable is off as well: a reasoned no."""
        decision = self._executor.await_decisions([self._executor.ask(TENANT, "customAction")])[0]
        require(decision["decision"] == "denied", f"the decision is {decision['decision']}")
        return f"denied, {decision['error']['code']}: {decision['error']['nextStep']['text']}"

    def auto_enable(self) -> str:
        """The toggle."""
        body = self._stage.expect(
            self._stage.api("PUT", "/auto-enable", self._stage.administrator, {"enabled": True}), 200
        )
        return (
            f"auto-enable is on for {', '.join(body['kinds'])}, off again after {body['idleTimeout']} without an action"
        )

    def storm(self) -> str:
        """All at once, one sign-in, everybody answered once."""
        before = len(self._stage.sign_ins())
        actions = [self._executor.ask(TENANT, KINDS[number % 4]) for number in range(_STORM)]
        decisions = self._executor.await_decisions(actions)
        self._executor.collect()
        ready = sum(d["decision"] == "ready" for d in decisions)
        twice = sum(len(self._executor.decisions[action]) > 1 for action in actions)
        sign_ins = len(self._stage.sign_ins()) - before
        require((ready, twice, sign_ins) == (_STORM, 0, 1), f"{ready} ready, {twice} twice, {sign_ins} sign-ins")
        why = self._stage.tenant()["session"]["lastAutoEnable"]["reason"]
        return f"{ready} ready, none twice, 1 sign-in; turned on because: {why}"

    def rotate(self) -> str:
        """While the session is on."""
        operation = self._stage.finish(
            self._stage.api("POST", "/service-account/rotate", self._stage.administrator, {}), "succeeded"
        )
        decision = self._executor.await_decisions([self._executor.ask(TENANT, "managementAction")])[0]
        self._stage.expect(self._executor.redeem(TENANT, decision["leaseId"], "compliance"), 200)
        result = operation["result"]
        return f"rotated, next on {result['nextRotationAt'][:10]}; the session goes on lending tokens"

    def disable(self) -> str:
        """Everything of ours goes; the report says what, and the tenant is looked at."""
        name = self._stage.tenant()["serviceAccount"]["userPrincipalName"]
        operation = self._stage.finish(
            self._stage.api("DELETE", "/service-account", self._stage.administrator), "succeeded"
        )
        rows = operation["result"]["removal"]
        tenant = self._stage.tenant()
        require(tenant["serviceAccount"]["state"] == "none", "the account is still shown")
        state = self._stage.client.control("GET", f"/tenants/{TENANT}").json
        users = state["users"] if isinstance(state, dict) else []
        present = [u for u in users if u["userPrincipalName"] == name and not u.get("deletedAt")]
        require(not present, "the account is still in the tenant")
        return f"{len(rows)} things removed and verified: {', '.join(sorted({row['kind'] for row in rows}))}"

    def activity(self) -> str:
        """Who did what."""
        page = self._stage.expect(self._stage.api("GET", "/activity?top=200", self._stage.operator), 200)["value"]
        kinds = [entry["kind"] for entry in page]
        return f"{len(kinds)} entries, the newest {kinds[0]}, the oldest {kinds[-1]}"

    def keep_journal(self) -> None:
        """Leave what Graph was asked and answered for whoever wants to check it."""
        calls = [call for call in self._stage.journal() if call["service"] == "graph"]
        whole = [call | {"path": f"{call['path']}?{urlencode(call['query'])}".rstrip("?")} for call in calls]
        JOURNAL.parent.mkdir(exist_ok=True)
        JOURNAL.write_text("".join(f"{json.dumps(call)}\n" for call in whole), encoding="utf-8")
