// The end of management: asked twice, and reported thing by thing.
import { Button, MessageBar, MessageBarBody } from "@fluentui/react-components";
import { Delete20Regular } from "@fluentui/react-icons";
import type { Operation, Tenant } from "../bodies";
import { useTenant } from "../live/TenantView";
import { Act } from "../parts/Act";
import { Confirmation } from "../parts/Confirmation";
import { ProblemBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";
import { Progress } from "../parts/Steps";
import { RemovalReport } from "../parts/RemovalReport";

export function DisableSection({ tenant }: { tenant: Tenant }) {
  const { operation, rights, isBusy } = useTenant();
  const removal = operation?.kind === "deleteServiceAccount" ? operation : undefined;
  const isGone = tenant.serviceAccount.state === "none";
  return (
    <Section title="Disable advanced management">
      {removal && <Removal operation={removal} />}
      {isGone && !removal && <p className="fine">There is no service account to remove.</p>}
      {!isGone && (
        <Confirmation
          title={`Disable advanced management of ${tenant.displayName}?`}
          trigger={
            <Button
              className="to-the-left"
              icon={<Delete20Regular />}
              disabled={!rights.has("administrator") || isBusy}
            >
              Disable advanced management
            </Button>
          }
          action={(close) => (
            <Act
              right="administrator"
              tone="off"
              onDone={close}
              call={(api, seen) => api.deleteAccount(tenant.tenantId, seen)}
            >
              Disable and delete
            </Act>
          )}
        >
          <WhatGoes tenant={tenant} />
        </Confirmation>
      )}
      {!rights.has("administrator") && !isGone && <p className="fine">Takes an administrator.</p>}
    </Section>
  );
}

function WhatGoes({ tenant }: { tenant: Tenant }) {
  const { allowedIps, serviceAccount, session } = tenant;
  const roles = serviceAccount.roles.map((role) => role.name).join(", ");
  const made = allowedIps.exclusions?.filter((each) => each.state === "applied") ?? [];
  return (
    <>
      <p>This will be deleted from the tenant, and read back to be sure:</p>
      <ul>
        {session.state !== "off" && <li>the management session is turned off, actions that use it are cut short</li>}
        <li>
          the account <b className="breakable">{serviceAccount.userPrincipalName ?? "of this service"}</b>
        </li>
        {roles && <li>its roles: {roles}</li>}
        <li>its password in Key Vault</li>
        {allowedIps.state !== "none" && (
          <li>the conditional access policy and the named location of the allowed IPs</li>
        )}
        {made.length > 0 && <li>its exclusions from {made.map((each) => each.displayName).join(", ")}</li>}
      </ul>
      <p>Microsoft keeps the deleted account for 30 days. Nothing else in the tenant is touched.</p>
    </>
  );
}

function Removal({ operation }: { operation: Operation }) {
  if (operation.status === "notStarted" || operation.status === "running") return <Progress operation={operation} />;
  return (
    <>
      {operation.error && <ProblemBar problem={operation.error} />}
      {operation.status === "succeeded" && (
        <MessageBar intent="success" className="bar">
          <MessageBarBody>Advanced management is disabled.</MessageBarBody>
        </MessageBar>
      )}
      {operation.result && <RemovalReport result={operation.result} />}
    </>
  );
}
