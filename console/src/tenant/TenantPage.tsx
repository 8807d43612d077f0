// One tenant: its header with the session's tab, who uses the session, what happened, and the panel behind the tab.
import { Button, Link } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { useLive } from "../live/useLive";
import { useTenant } from "../live/TenantView";
import { Panel } from "../panel/Panel";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder, Section } from "../parts/Section";
import { Problem } from "../problem";
import { SessionTab } from "../SessionTab";
import { Activity } from "./Activity";
import { Leases } from "./Leases";
import { OperationDialog } from "./OperationDialog";

export function TenantPage() {
  const { api, tenant, tenantId, problem } = useTenant();
  const [isPanelOpen, setPanelOpen] = useState(false);
  const [operationId, setOperationId] = useState<string>();
  // What changes the tenant leaves an entry in the trail, so the trail is read anew when the tenant has changed.
  const key = tenant && `${tenantId} ${tenant.updatedAt} ${tenant.session.state} ${tenant.session.leases}`;
  const activity = useKept(useLive(key, (signal) => api.activity(tenantId, signal), () => 30));
  return (
    <main className="page">
      <nav aria-label="Breadcrumb">
        <Link href="#/">All tenants</Link>
      </nav>
      <header className="row tenant-head">
        <div>
          <h1>{tenant?.displayName ?? " "}</h1>
          <span className="fine">
            {tenant?.initialDomain && `${tenant.initialDomain} · `}
            <code>{tenantId}</code>
          </span>
        </div>
        <SessionTab onOpen={() => setPanelOpen(true)} />
      </header>
      {problem && <ProblemBar problem={problem} correlationId={problem.correlationId} />}
      <Section title="In use">
        {tenant ? <Leases session={tenant.session} activity={activity.value?.value ?? []} /> : <Placeholder lines={2} />}
      </Section>
      <Section title="Activity" aside={<SupportBundle />}>
        {activity.value ? (
          <Activity page={activity.value} onOperation={setOperationId} />
        ) : activity.problem ? (
          <ProblemBar problem={activity.problem} correlationId={activity.problem.correlationId} />
        ) : (
          <Placeholder lines={10} />
        )}
      </Section>
      <Panel isOpen={isPanelOpen} onClose={() => setPanelOpen(false)} />
      <OperationDialog operationId={operationId} onClose={() => setOperationId(undefined)} />
    </main>
  );
}

/** Keeps showing the last value while the next one is being read under another key. */
function useKept<T extends { value: unknown }>(live: T): T {
  const [kept, setKept] = useState(live);
  if (live.value !== undefined && live.value !== kept.value) setKept(live);
  return live.value === undefined && kept.value !== undefined ? kept : live;
}

function SupportBundle() {
  const { api, tenantId } = useTenant();
  const [problem, setProblem] = useState<Problem>();
  const download = async () => {
    try {
      const { body } = await api.supportBundle(tenantId);
      const file = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
      const link = Object.assign(document.createElement("a"), { href: file, download: `support-${tenantId}.json` });
      link.click();
      URL.revokeObjectURL(file);
      setProblem(undefined);
    } catch (thrown) {
      setProblem(Problem.of(thrown));
    }
  };
  return (
    <div>
      <Button icon={<ArrowDownload20Regular />} onClick={() => void download()}>
        Support bundle
      </Button>
      {problem && <ProblemBar problem={problem} correlationId={problem.correlationId} />}
    </div>
  );
}
