// Whether the session turns on by itself when an action needs it.
import { Switch } from "@fluentui/react-components";
import { useState } from "react";
import type { Tenant } from "../bodies";
import { useTenant } from "../live/TenantView";
import { ProblemBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";
import { When } from "../parts/When";
import { Problem } from "../problem";
import { ACTION, durationOf } from "../words";

export function AutoEnableSection({ tenant }: { tenant: Tenant }) {
  const { carryOut, rights } = useTenant();
  const { autoEnable, session, tenantId } = tenant;
  const [wanted, setWanted] = useState<boolean>();
  const [problem, setProblem] = useState<Problem>();

  const set = async (enabled: boolean) => {
    setWanted(enabled);
    setProblem(undefined);
    try {
      await carryOut((api) => api.setAutoEnable(tenantId, { enabled }));
    } catch (thrown) {
      setWanted(undefined);
      setProblem(Problem.of(thrown));
    }
  };
  const isOn = wanted ?? autoEnable.enabled;
  if (wanted === autoEnable.enabled) setWanted(undefined);
  return (
    <Section title="Automatic">
      <Switch
        checked={isOn}
        disabled={!rights.has("administrator")}
        label="Auto-enable management session"
        onChange={(_, change) => void set(change.checked)}
      />
      <p className="fine">
        {rights.has("administrator") ? "" : "Takes an administrator. "}
        {isOn
          ? `Turns on for ${autoEnable.kinds.map((kind) => ACTION[kind].toLowerCase()).join(", ")}; ` +
            `off again ${durationOf(autoEnable.idleTimeout)} after the last action.`
          : "An action that comes while the session is off is refused."}
      </p>
      {session.lastAutoEnable && (
        <p className="fine">
          Last time, <When at={session.lastAutoEnable.at} />: {session.lastAutoEnable.reason}
        </p>
      )}
      {problem && <ProblemBar problem={problem} correlationId={problem.correlationId} />}
    </Section>
  );
}
