// The management service account: create it, see it, see why it could not be created and try again.
import { Badge, Link } from "@fluentui/react-components";
import { ArrowClockwise20Regular, Key20Regular, PersonAdd20Regular } from "@fluentui/react-icons";
import type { Consent, ServiceAccount, Tenant } from "../bodies";
import { useTenant } from "../live/TenantView";
import { Act } from "../parts/Act";
import { ProblemBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";
import { Progress } from "../parts/Steps";
import { When } from "../parts/When";
import { PROFILE } from "../words";

export function AccountSection({ tenant }: { tenant: Tenant }) {
  const { operation } = useTenant();
  const account = tenant.serviceAccount;
  const isCreating = operation?.kind === "createServiceAccount" && account.state === "creating";
  return (
    <Section title="Service account" aside={<State account={account} />}>
      {lacking(tenant).map(([what, consent]) => (
        <ConsentNote key={what} what={what} consent={consent} tenant={tenant} />
      ))}
      {isCreating && <Progress operation={operation} />}
      {account.error && (
        <ProblemBar
          problem={account.error}
          title={account.state === "failed" ? "The service account was not created" : "The last change failed"}
        />
      )}
      {account.state === "none" && <p>No account of ours is in this tenant yet.</p>}
      {account.userPrincipalName && account.state !== "creating" && <Facts tenant={tenant} />}
      <Buttons tenant={tenant} />
    </Section>
  );
}

/** Which consents are not all there. Once the account is made, the application that makes accounts may be off. */
function lacking({ consent, serviceAccount }: Tenant): readonly (readonly [what: string, consent: Consent])[] {
  const needed: [string, Consent][] = [["Admin consent", consent]];
  if (consent.onboarding && serviceAccount.state !== "created") {
    needed.push(["Admin consent to the application that makes accounts", consent.onboarding]);
  }
  return needed.filter(([, { state }]) => state !== "granted");
}

function Buttons({ tenant }: { tenant: Tenant }) {
  const id = tenant.tenantId;
  switch (tenant.serviceAccount.state) {
    case "none":
      return (
        <Act right="administrator" tone="primary" icon={<PersonAdd20Regular />} call={(api) => api.createAccount(id)}>
          Create service account
        </Act>
      );
    case "failed":
      return (
        <Act
          right="administrator"
          tone="primary"
          icon={<ArrowClockwise20Regular />}
          call={(api) => api.createAccount(id)}
        >
          Retry service account creation
        </Act>
      );
    case "created":
      return (
        <Act right="administrator" icon={<Key20Regular />} call={(api) => api.rotatePassword(id)}>
          Rotate password
        </Act>
      );
    default:
      return null;
  }
}

function State({ account }: { account: ServiceAccount }) {
  switch (account.state) {
    case "created":
      return <Badge appearance="tint" color="success">Created</Badge>;
    case "failed":
      return <Badge appearance="tint" color="danger">Failed</Badge>;
    case "creating":
      return <Badge appearance="tint" color="informative">Creating…</Badge>;
    case "deleting":
      return <Badge appearance="tint" color="warning">Being removed…</Badge>;
    case "none":
      return <Badge appearance="tint" color="informative">None</Badge>;
  }
}

function Facts({ tenant }: { tenant: Tenant }) {
  const { userPrincipalName, roles, credential } = tenant.serviceAccount;
  const missing = roles.filter((role) => role.state === "missing");
  return (
    <dl className="facts">
      <dt>Account</dt>
      <dd className="breakable">{userPrincipalName}</dd>
      <dt>Roles</dt>
      <dd>
        {roles.map((role) => role.name).join(", ") || "none"}{" "}
        <span className="fine">({PROFILE[tenant.roleProfile]})</span>
        {missing.length > 0 && <div className="bad">Missing: {missing.map((role) => role.name).join(", ")}</div>}
      </dd>
      {credential?.rotatedAt && (
        <>
          <dt>Password</dt>
          <dd>
            changed <When at={credential.rotatedAt} />
            {credential.nextRotationAt && (
              <>
                , next <When at={credential.nextRotationAt} />
              </>
            )}
          </dd>
        </>
      )}
    </dl>
  );
}

/** What an application of ours lacks in the tenant; the one that makes accounts may be another, and may be off. */
function ConsentNote({ consent, what, tenant }: { consent: Consent; what: string; tenant: Tenant }) {
  const missing = consent.permissions.filter((permission) => permission.state === "missing");
  return (
    <div className="note">
      <p>
        {consent.state === "unknown" ? "Nobody has looked yet whether " : ""}
        <b>{what}</b> {consent.state === "unknown" ? "is granted." : `is ${consent.state}.`}
      </p>
      {consent.state === "unknown" && consent.error && <ProblemBar problem={consent.error} />}
      {missing.length > 0 && (
        <details>
          <summary>{missing.length} permissions are missing</summary>
          <ul>
            {missing.map((permission) => (
              <li key={permission.name}>
                <code>{permission.name}</code> to {permission.neededFor}
              </li>
            ))}
          </ul>
        </details>
      )}
      <p>
        <Link href={consent.adminConsentUrl} target="_blank" rel="noreferrer">
          Grant consent as an administrator of the tenant
        </Link>
      </p>
      <Act right="administrator" call={(api) => api.onboard(tenant.tenantId, {})}>
        Look again
      </Act>
    </div>
  );
}
