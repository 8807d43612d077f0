// The API's words as people read them.
import type {
  ActionKind, Actor, Operation, PolicyCheckRow, Right, RoleProfile, SessionState, Verdict,
} from "./bodies";

/** What the header says. */
export const SESSION: Record<SessionState, string> = {
  off: "Management OFF",
  turningOn: "Turning on…",
  on: "Management ON",
  draining: "Draining…",
  turningOff: "Turning off…",
  failed: "Turn-on failed",
};

export const OPERATION: Record<Operation["kind"], string> = {
  createServiceAccount: "Create service account",
  rotatePassword: "Rotate password",
  deleteServiceAccount: "Disable advanced management",
  turnOn: "Turn on management session",
  turnOff: "Turn off management session",
  checkPolicies: "Check policies",
  setAllowedIps: "Set allowed IPs",
  removeAllowedIps: "Remove allowed IPs",
};

export const CHECK: Record<PolicyCheckRow["name"], string> = {
  consent: "Admin consent",
  adminRole: "Role of this application",
  serviceAccount: "Service account",
  unrecordedAccounts: "Accounts that nobody owns",
  tenantFacts: "Domains and country",
  licence: "Licence for conditional access",
  securityDefaults: "Security defaults",
  perUserMfa: "Per-user MFA",
  conditionalAccess: "Conditional access policies",
  comingPolicies: "Policies that will be enforced",
  namedLocation: "Named location",
  unrecordedPolicies: "Policies that nobody owns",
  roles: "Roles of the service account",
  credentialAge: "Age of the password",
  otherSignInMethods: "Other sign-in methods",
  signIn: "A real sign-in",
};

export const VERDICT: Record<Verdict, string> = {
  pass: "Pass",
  fail: "Fail",
  unknown: "Unknown",
  skipped: "Skipped",
};

export const ACTION: Record<ActionKind, string> = {
  playbookRemediation: "Playbook remediation",
  managementAction: "Management action",
  customAction: "Custom action",
  workflow: "Workflow",
};

export const PROFILE: Record<RoleProfile, string> = {
  leastPrivilege: "Least privilege",
  fullManagement: "Full management",
  readOnly: "Read only",
};

export const RIGHT: Record<Right, { readonly name: string; readonly what: string }> = {
  reader: { name: "Reader", what: "sees everything here" },
  operator: { name: "Operator", what: "also turns the session on and off and checks policies" },
  administrator: { name: "Administrator", what: "also sets the tenant up; may not turn the session on" },
  executor: { name: "Executor", what: "an application that redeems its own leases" },
};

export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A name in words; one that only a newer API knows is spelt out. */
export function called<Name extends string>(names: Readonly<Record<Name, string>>, name: Name): string {
  return names[name] ?? sentence(name);
}

/** “… the check signIn failed” → “… the check “A real sign-in” failed”: checks as the rows above call them. */
export function withNames(cause: string): string {
  return cause.replace(/\bthe check (\w+)/, (_, name: PolicyCheckRow["name"]) => `the check “${called(CHECK, name)}”`);
}

/** `assignRoles` → “Assign roles”: for names that the contract leaves open. */
export function sentence(camelCase: string): string {
  const words = camelCase.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replace(/\bips\b/, "IPs");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function nameOf(actor: Actor | undefined): string {
  if (!actor) return "unknown";
  return actor.name ?? { user: "Somebody", application: "An application", service: "This service" }[actor.kind];
}

/** `PT1H30M` → “1 h 30 min”. */
export function durationOf(iso: string): string {
  const [, hours, minutes] = /^PT(?:(\d+)H)?(?:(\d+)M)?$/.exec(iso) ?? [];
  return [hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean).join(" ");
}

/** Milliseconds → “3 h 59 min”, “4 min”, “12 s”; whole units, the two largest at most. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 5 && seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}
