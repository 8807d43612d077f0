// What of a tenant has changed between two looks, in words, for somebody whose click came too late.
import type { Tenant } from "../bodies";
import { Problem } from "../problem";
import { SESSION } from "../words";

// What a person decides by. Counts, dates, and why the session was last turned on by itself, change all the time.
const PARTS: Record<string, (tenant: Tenant) => unknown> = {
  "its name or role profile": ({ displayName, roleProfile }) => [displayName, roleProfile],
  "admin consent": ({ consent }) => [consent.state, consent.onboarding?.state],
  "the service account": ({ serviceAccount: { state, roles } }) => [state, roles],
  "auto-enable": ({ autoEnable }) => autoEnable,
  "the allowed IPs": ({ allowedIps }) => allowedIps,
  "the policy check": ({ policyCheck }) => policyCheck.state === "fail",
};

export function changesBetween(before: Tenant, now: Tenant): readonly string[] {
  const parts = Object.entries(PARTS).filter(([, part]) => JSON.stringify(part(before)) !== JSON.stringify(part(now)));
  const changes = parts.map(([name]) => name);
  if (before.session.state !== now.session.state || before.session.expiresAt !== now.session.expiresAt) {
    changes.unshift(`the session (now: ${SESSION[now.session.state]})`);
  }
  return changes;
}

/** The refusal of a write that rested on an older look, as somebody reads it who did not know of the other. */
export function tooLate(refusal: Problem, changes: readonly string[]): Problem {
  const message = `Nothing was done: since you looked, this has changed: ${changes.join(", ")}.`;
  const nextStep = { text: "You see the tenant as it is now. Look at it, and press again if you still want it." };
  return new Problem({ code: refusal.code, message, nextStep }, refusal.correlationId);
}
