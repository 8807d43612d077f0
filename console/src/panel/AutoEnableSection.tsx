// Whether the session turns on by itself when an action needs it.
import { Switch } from "@fluentui/react-components";
import { useState } from "react";
import type { Tenant } from "../bodies";
import { useTenant } from "../live/TenantView";
import { ProblemBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";
import { When } from "../parts/When";
import { Problem } from "../problem";
import { ACTION, called, durationOf } from "../words";

export function AutoEnableSection({ tenant }: { tenant: Tenant }) {
  const { carryOut, rights, version } = useTenant();
  const { autoEnable, session, tenantId } = tenant;
  const [wish, setWish] = useState<{ enabled: boolean; version: string | undefined }>();
  const [problem, setProblem] = useState<Problem>();

  // The switch moves at once, and shows the API's truth again with the next version of the tenant.
  const isPending = wish !== undefined && wish.version === version;
  const isOn = isPending ? wish.enabled : autoEnable.enabled;
  const set = async (enabled: boolean) => {
    if (isPending) return;
    setWish({ enabled, version });
    setProblem(undefined);
    try {
      await carryOut((api, seen) => api.setAutoEnable(tenantId, { enabled }, seen));
    } catch (thrown) {
      setWish(undefined);
      setProblem(Problem.of(thrown));
    }
  };
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
          ? `Turns on for ${autoEnable.kinds.map((kind) => called(ACTION, kind).toLowerCase()).join(", ")}; ` +
            `off again ${durationOf(autoEnable.idleTimeout)} after the last action.`
          : "An action that comes while the session is off is refused."}
      </p>
      {session.lastAutoEnable && (
        <p className="fine">
          Last time, <When at={session.lastAutoEnable.at} />: {session.lastAutoEnable.reason}
        </p>
      )}
      {problem && <ProblemBar problem={problem} />}
    </Section>
  );
}
