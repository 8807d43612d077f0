// The session itself: turn it on by the chosen method, see it, turn it off at once or after what runs has finished.
import { Field, Input, Select } from "@fluentui/react-components";
import { Power20Filled, Power20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Session, SessionRequest, Tenant } from "../bodies";
import { isFinal, useTenant } from "../live/TenantView";
import { Act } from "../parts/Act";
import { ProblemBar, WarningBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";
import { Progress } from "../parts/Steps";
import { Remaining, When } from "../parts/When";
import { durationOf, nameOf } from "../words";
import { CredentialFields, warningOf, type Credentials, type Method } from "./MethodSection";

const DURATIONS: Record<Method, readonly string[]> = {
  serviceAccount: ["PT1H", "PT4H", "PT8H", "PT24H"],
  globalAdmin: ["PT30M", "PT1H", "PT2H"],
};
const USUAL: Record<Method, string> = { serviceAccount: "PT8H", globalAdmin: "PT1H" };
const WHAT_WENT_WRONG: Partial<Record<Session["state"], string>> = {
  failed: "The session could not be turned on",
  off: "Turning off left something open",
};
const NOBODY: Credentials = { username: "", password: "" };

export function SessionSection({ tenant, method }: { tenant: Tenant; method: Method }) {
  const { operation } = useTenant();
  const { session } = tenant;
  const isTurning = operation && ["turnOn", "turnOff"].includes(operation.kind) && session.state !== "on";
  const isUnderWay = isTurning && !isFinal(operation);
  const warning = session.warning ?? (isTurning ? operation.warning : undefined);
  return (
    <Section title="Management session">
      {isUnderWay && <Progress operation={operation} />}
      {warning && warning.text !== warningOf(session, method)?.text && <WarningBar step={warning} />}
      {session.error && (
        <ProblemBar problem={session.error} title={WHAT_WENT_WRONG[session.state] ?? "No new token can be had"} />
      )}
      <Facts session={session} />
      {session.state === "off" || session.state === "failed" ? (
        <TurnOn key={method} tenant={tenant} method={method} />
      ) : (
        <TurnOff tenant={tenant} />
      )}
    </Section>
  );
}

function TurnOn({ tenant, method }: { tenant: Tenant; method: Method }) {
  const [duration, setDuration] = useState(USUAL[method]);
  const [reason, setReason] = useState("");
  const [who, setWho] = useState(NOBODY);
  const isAdmin = method === "globalAdmin";
  const body = (): SessionRequest => {
    const wanted = { state: "on", duration, ...(reason && { reason }) } as const;
    return isAdmin ? { ...wanted, method: "globalAdmin", ...who } : { ...wanted, method: "serviceAccount" };
  };
  return (
    <>
      {isAdmin && <CredentialFields value={who} onChange={setWho} />}
      <div className="pair">
        <Field label="For">
          <Select value={duration} onChange={(_, chosen) => setDuration(chosen.value)}>
            {DURATIONS[method].map((each) => (
              <option key={each} value={each}>
                {durationOf(each)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Reason, for the activity trail">
          <Input value={reason} maxLength={500} onChange={(_, typed) => setReason(typed.value)} />
        </Field>
      </div>
      <Act
        right="operator"
        tone="on"
        icon={<Power20Filled />}
        obstacle={obstacleOf(tenant, method, who)}
        call={(api, seen) => {
          const wanted = body();
          setWho({ ...who, password: "" }); // whatever comes of it, the password does not stay on the screen
          return api.setSession(tenant.tenantId, wanted, seen);
        }}
      >
        Turn on management session
      </Act>
    </>
  );
}

function obstacleOf(tenant: Tenant, method: Method, who: Credentials): string | undefined {
  if (method === "serviceAccount") {
    return tenant.serviceAccount.state === "created" ? undefined : "Create the service account first.";
  }
  return /^[^@\s]+@[^@\s]+$/.test(who.username) && who.password ? undefined : "Fill in name and password first.";
}

/** Off must be possible whatever has changed since, so it is asked for without the version that was seen. */
function TurnOff({ tenant }: { tenant: Tenant }) {
  const { session, tenantId } = tenant;
  const turnOff = (drain: boolean) => ({ state: "off", drain }) as const;
  return (
    <>
      {session.state !== "turningOff" && (
        <Act
          right="operator"
          tone="off"
          icon={<Power20Filled />}
          anytime
          call={(api) => api.setSession(tenantId, turnOff(false))}
        >
          {session.state === "turningOn" ? "Stop turning on" : "Turn off management session now"}
        </Act>
      )}
      {session.state === "on" && (
        <Act right="operator" icon={<Power20Regular />} call={(api) => api.setSession(tenantId, turnOff(true))}>
          Drain: let running actions finish, then turn off
        </Act>
      )}
      {session.state === "on" && (
        <p className="fine">
          From then on no token is given. Tokens handed out before may be accepted by Microsoft 365 until they expire,
          an hour or so; you will see until when.
        </p>
      )}
    </>
  );
}

function Facts({ session }: { session: Session }) {
  const isActive = session.state === "on" || session.state === "draining";
  return (
    <dl className="facts">
      <dt>Since</dt>
      <dd>
        <When at={session.since} />
        {isActive && session.turnedOnBy && <> by {nameOf(session.turnedOnBy)}</>}
        {isActive && session.reason && <>, “{session.reason}”</>}
      </dd>
      {isActive && session.expiresAt && (
        <>
          <dt>Ends</dt>
          <dd>
            <When at={session.expiresAt} />, in <Remaining until={session.expiresAt} />
          </dd>
        </>
      )}
      {isActive && (
        <>
          <dt>In use</dt>
          <dd>{session.leases === 1 ? "1 action" : `${session.leases} actions`}</dd>
        </>
      )}
      {session.tokensValidUntil && !isActive && (
        <>
          <dt>Old tokens</dt>
          <dd>
            may be accepted by Microsoft 365 until <When at={session.tokensValidUntil} />
          </dd>
        </>
      )}
    </dl>
  );
}
