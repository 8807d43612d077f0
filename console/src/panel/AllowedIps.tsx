// From where the account may sign in, in two steps: propose in report-only and read the diff, then enforce it.
import { Field, Radio, RadioGroup, Textarea } from "@fluentui/react-components";
import { useState } from "react";
import type { AllowedIpsRequest, PolicyExclusion, Tenant } from "../bodies";
import { Act } from "../parts/Act";
import { ProblemBar } from "../parts/ProblemBar";

export function AllowedIpsForm({ tenant, isAdvised }: { tenant: Tenant; isAdvised: boolean }) {
  const { allowedIps, tenantId } = tenant;
  const [typed, setTyped] = useState<string>();
  const [outside, setOutside] = useState<AllowedIpsRequest["outside"]>(allowedIps.outside ?? "block");
  const text = typed ?? allowedIps.ranges.join("\n");
  const ranges = [...new Set(text.split(/[\s,]+/).filter(Boolean))];
  const proposed = allowedIps.exclusions?.filter((each) => each.state === "proposed") ?? [];
  const isSet = allowedIps.state === "reportOnly" || allowedIps.state === "enabled";
  return (
    <details className="note" open={isAdvised || undefined}>
      <summary>
        <b>Allowed IPs</b> <span className="fine">{STATE[allowedIps.state]}</span>
      </summary>
      {allowedIps.error && <ProblemBar problem={allowedIps.error} />}
      <Field label="Your own ranges, one a line (CIDR)" hint="The addresses of this service are always added.">
        <Textarea
          value={text}
          rows={3}
          spellCheck={false}
          placeholder="203.0.113.128/28"
          onChange={(_, change) => setTyped(change.value)}
        />
      </Field>
      <Field label="A sign-in from elsewhere">
        <RadioGroup
          layout="horizontal"
          value={outside}
          onChange={(_, chosen) => setOutside(chosen.value as AllowedIpsRequest["outside"])}
        >
          <Radio value="block" label="is blocked" />
          <Radio value="requireMfa" label="needs MFA" />
        </RadioGroup>
      </Field>
      {allowedIps.exclusions?.map((exclusion) => <Diff key={exclusion.policyId} exclusion={exclusion} />)}
      <Act
        right="administrator"
        call={(api, seen) => api.setAllowedIps(tenantId, { ranges, outside, state: "reportOnly" }, seen)}
        onDone={() => setTyped(undefined)}
      >
        {isSet ? "Propose again" : "Propose, and show what would change"}
      </Act>
      {isSet && (
        <Act
          right="administrator"
          tone="primary"
          call={(api, seen) => {
            const applyExclusions = proposed.length > 0;
            return api.setAllowedIps(tenantId, { ranges, outside, state: "enabled", applyExclusions }, seen);
          }}
          onDone={() => setTyped(undefined)}
        >
          {proposed.length > 0 ? "Enforce, and make these exclusions" : "Enforce"}
        </Act>
      )}
      {isSet && (
        <Act
          right="administrator"
          call={(api, seen) => api.removeAllowedIps(tenantId, seen)}
          onDone={() => setTyped(undefined)}
        >
          Remove the restriction
        </Act>
      )}
    </details>
  );
}

const STATE: Record<Tenant["allowedIps"]["state"], string> = {
  none: "not restricted",
  applying: "being applied…",
  reportOnly: "report-only: the tenant logs what it would refuse",
  enabled: "enforced",
  removing: "being removed…",
  failed: "the last change failed",
};

function Diff({ exclusion }: { exclusion: PolicyExclusion }) {
  const { before, after } = exclusion;
  const kept = before.filter((user) => after.includes(user));
  return (
    <figure className="diff">
      <figcaption>
        {exclusion.state === "proposed" ? "Proposed in" : "Made in"} <b>{exclusion.displayName}</b>, excluded users
      </figcaption>
      <ul>
        {kept.map((user) => (
          <li key={user}>
            <code>{user}</code>
          </li>
        ))}
        {before.filter((user) => !after.includes(user)).map((user) => (
          <li key={user} className="removed">
            <span className="for-ears">removed: </span>
            <code>{user}</code>
          </li>
        ))}
        {after.filter((user) => !before.includes(user)).map((user) => (
          <li key={user} className="added">
            <span className="for-ears">added: </span>
            <code>{user}</code>
          </li>
        ))}
      </ul>
    </figure>
  );
}
