// The panel behind the header's tab: everything that can be done with one tenant's management session, in order.
import { Button, DrawerBody, DrawerHeader, DrawerHeaderTitle, OverlayDrawer } from "@fluentui/react-components";
import { Dismiss24Regular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Session, Tenant } from "../bodies";
import { useTenant } from "../live/TenantView";
import { ProblemBar, WarningBar } from "../parts/ProblemBar";
import { Placeholder } from "../parts/Section";
import { Progress } from "../parts/Steps";
import { SESSION } from "../words";
import { AccountSection } from "./AccountSection";
import { AutoEnableSection } from "./AutoEnableSection";
import { DisableSection } from "./DisableSection";
import { MethodSection, warningOf, type Method } from "./MethodSection";
import { PolicySection } from "./PolicySection";
import { SessionSection } from "./SessionSection";

export function Panel({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { tenant, problem } = useTenant();
  return (
    <OverlayDrawer
      open={isOpen}
      position="end"
      size="medium"
      className="panel"
      onOpenChange={(_, change) => !change.open && onClose()}
    >
      <DrawerHeader>
        <DrawerHeaderTitle
          action={<Button appearance="subtle" aria-label="Close" icon={<Dismiss24Regular />} onClick={onClose} />}
        >
          Management session
        </DrawerHeaderTitle>
        <p className="row fine">
          {tenant?.displayName ?? "\u00a0"}
          {tenant && <State session={tenant.session} />}
        </p>
      </DrawerHeader>
      <DrawerBody>
        {problem && <ProblemBar problem={problem} />}
        {tenant ? <Content tenant={tenant} /> : !problem && <Placeholder lines={12} />}
      </DrawerBody>
    </OverlayDrawer>
  );
}

/** What the header's tab says, which is behind the panel now. */
function State({ session }: { session: Session }) {
  return (
    <span className="state" data-state={session.state}>
      <span className="lamp" aria-hidden="true" />
      {SESSION[session.state]}
    </span>
  );
}

// Operations that no section of the panel shows as its own.
const SHOWN_ON_TOP = ["rotatePassword", "checkPolicies", "setAllowedIps", "removeAllowedIps"];

function Content({ tenant }: { tenant: Tenant }) {
  const { operation } = useTenant();
  const { session } = tenant;
  const isResting = session.state === "off" || session.state === "failed";
  const [chosen, setChosen] = useState<Method>(session.method ?? "serviceAccount");
  const method = isResting ? chosen : (session.method ?? chosen);
  const onTop = operation && SHOWN_ON_TOP.includes(operation.kind) ? operation : undefined;
  const isOver = onTop && ["succeeded", "canceled"].includes(onTop.status);
  return (
    <>
      <div className="note next">
        <WhatNext tenant={tenant} />
      </div>
      {onTop && !isOver && onTop.status !== "failed" && <Progress operation={onTop} />}
      {onTop?.status === "failed" && onTop.kind !== "checkPolicies" && onTop.error && (
        <ProblemBar problem={onTop.error} />
      )}
      {onTop?.warning && <WarningBar step={onTop.warning} />}
      <MethodSection
        method={method}
        onMethod={setChosen}
        isFixed={!isResting}
        warning={warningOf(session, method)}
      />
      {method === "serviceAccount" && <AccountSection tenant={tenant} />}
      {method === "serviceAccount" && <PolicySection tenant={tenant} />}
      <SessionSection tenant={tenant} method={method} />
      <AutoEnableSection tenant={tenant} />
      <DisableSection tenant={tenant} />
    </>
  );
}

function WhatNext({ tenant }: { tenant: Tenant }) {
  return (
    <p>
      <b>Next: </b>
      {tenant.nextStep.text}
    </p>
  );
}
