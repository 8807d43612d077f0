// Who uses the session now, and what happened so far, with the bundle that support needs.
import { Button } from "@fluentui/react-components";
import { ArrowDownload20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import { useKept } from "../live/useKept";
import { useLive } from "../live/useLive";
import { useTenant } from "../live/TenantView";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder, Section } from "../parts/Section";
import { Problem } from "../problem";
import { Activity } from "./Activity";
import { Leases } from "./Leases";
import { OperationDialog } from "./OperationDialog";

export function Happening() {
  const { api, tenant, tenantId, version } = useTenant();
  const [operationId, setOperationId] = useState<string>();
  // What changes the tenant leaves an entry in the trail, so the trail is read anew when the tenant has changed.
  const key = tenant && `${tenantId} ${version} ${tenant.session.leases}`;
  const { value, problem } = useKept(useLive(key, (signal) => api.activity(tenantId, signal), () => 30));
  return (
    <>
      <Section title="In use">{tenant ? <Leases session={tenant.session} /> : <Placeholder lines={1} />}</Section>
      <Section title="Activity" aside={<SupportBundle />}>
        {value && <Activity page={value} onOperation={setOperationId} />}
        {!value && problem && <ProblemBar problem={problem} />}
        {!value && !problem && <Placeholder lines={10} />}
      </Section>
      <OperationDialog operationId={operationId} onClose={() => setOperationId(undefined)} />
    </>
  );
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
      {problem && <ProblemBar problem={problem} />}
    </div>
  );
}
