// One tenant: its header with the session's tab and the panel behind it; below, what happens or who may do what.
import { Link } from "@fluentui/react-components";
import { useState, type ReactNode } from "react";
import { useTenant } from "../live/TenantView";
import { Panel } from "../panel/Panel";
import { ProblemBar } from "../parts/ProblemBar";
import { SessionTab } from "../SessionTab";
import { Happening } from "./Happening";
import { Operators } from "./Operators";

export type Screen = "happening" | "operators";

export function TenantPage({ screen }: { screen: Screen }) {
  const { rights, tenant, tenantId, problem } = useTenant();
  const [isPanelOpen, setPanelOpen] = useState(false);
  return (
    <main className="page">
      <nav aria-label="Breadcrumb">
        <Link href="#/">All tenants</Link>
      </nav>
      <header className="row tenant-head">
        <div>
          <h1>{tenant?.displayName ?? "\u00a0"}</h1>
          <div className="fine">{tenant?.initialDomain ?? "\u00a0"}</div>
          <code className="fine">{tenantId}</code>
        </div>
        <SessionTab onOpen={() => setPanelOpen(true)} />
      </header>
      {rights.has("administrator") && (
        <nav className="screens" aria-label="Of this tenant">
          <To screen="happening" current={screen}>Use and activity</To>
          <To screen="operators" current={screen}>Who may do what</To>
        </nav>
      )}
      {problem && <ProblemBar problem={problem} />}
      {screen === "operators" ? <Operators /> : <Happening />}
      <Panel isOpen={isPanelOpen} onClose={() => setPanelOpen(false)} />
    </main>
  );
}

function To({ screen, current, children }: { screen: Screen; current: Screen; children: ReactNode }) {
  const { tenantId } = useTenant();
  const address = `#/tenants/${tenantId}${screen === "operators" ? "/operators" : ""}`;
  return (
    <a href={address} aria-current={screen === current ? "page" : undefined}>
      {children}
    </a>
  );
}
