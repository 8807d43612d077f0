// What stands in the session's way: one row a check, with cause, fix, and a button where the API can put it right.
import { Badge, Link } from "@fluentui/react-components";
import {
  CheckmarkCircle20Filled, DismissCircle20Filled, QuestionCircle20Filled, ShieldCheckmark20Regular,
  SubtractCircle20Regular,
} from "@fluentui/react-icons";
import type { PolicyCheck, PolicyCheckRow, Tenant, Verdict } from "../bodies";
import { useKept } from "../live/useKept";
import { useLive } from "../live/useLive";
import { useTenant } from "../live/TenantView";
import { Act } from "../parts/Act";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder, Section } from "../parts/Section";
import { When } from "../parts/When";
import { CHECK, VERDICT, called, withNames } from "../words";
import { AllowedIpsForm } from "./AllowedIps";

const CURED_BY_ALLOWED_IPS: readonly PolicyCheckRow["name"][] = ["conditionalAccess", "namedLocation"];

export function PolicySection({ tenant }: { tenant: Tenant }) {
  const { api, operation } = useTenant();
  const { state, checkedAt } = tenant.policyCheck;
  const key = state === "none" ? undefined : `${tenant.tenantId} ${state} ${checkedAt} ${tenant.allowedIps.updatedAt}`;
  const check = useKept(useLive(key, (signal) => api.policyCheck(tenant.tenantId, signal), paceOfCheck));
  const failure = operation?.kind === "checkPolicies" && operation.status === "failed" ? operation.error : undefined;
  return (
    <Section title="Policy check" aside={checkedAt && <span className="fine">checked <When at={checkedAt} /></span>}>
      {state === "none" && <p>The tenant&rsquo;s policies were not checked yet.</p>}
      {failure && <ProblemBar problem={failure} />}
      {check.problem && !check.value && <ProblemBar problem={check.problem} />}
      {key && !check.value && !check.problem && <Placeholder lines={rowsOf(tenant)} />}
      {key && check.value && <Rows check={check.value} tenant={tenant} />}
      <Act
        right="operator"
        icon={<ShieldCheckmark20Regular />}
        obstacle={state === "running" ? "A check is running." : undefined}
        call={(wanted) => wanted.checkPolicies(tenant.tenantId)}
      >
        {state === "none" ? "Check policies" : "Check again"}
      </Act>
    </Section>
  );
}

/** How many rows there will be, so that what is below them stays where it is. */
function rowsOf({ policyCheck: { counts } }: Tenant): number {
  return counts ? counts.pass + counts.fail + counts.unknown + counts.skipped : 6;
}

function paceOfCheck(check: PolicyCheck): number | undefined {
  return check.state === "running" ? 2 : undefined;
}

function Rows({ check, tenant }: { check: PolicyCheck; tenant: Tenant }) {
  const isFixable = check.rows.some((row) => row.verdict === "fail" && CURED_BY_ALLOWED_IPS.includes(row.name));
  return (
    <>
      <ul className="checks" aria-label="Checks">
        {check.rows.map((row) => (
          <Row key={row.name} row={row} />
        ))}
      </ul>
      <AllowedIpsForm tenant={tenant} isAdvised={isFixable} />
    </>
  );
}

function Row({ row }: { row: PolicyCheckRow }) {
  return (
    <li data-verdict={row.verdict}>
      <Mark verdict={row.verdict} />
      <div>
        <b>{called(CHECK, row.name)}</b>
        <span className="for-ears">: {VERDICT[row.verdict]}</span>
        {row.cause && <div>{withNames(row.cause)}</div>}
        {row.fix && (
          <div>
            <b>Fix: </b>
            {row.fix}{" "}
            {row.link && (
              <Link href={row.link} target="_blank" rel="noreferrer" inline>
                Open where to do it
              </Link>
            )}
          </div>
        )}
        {row.policies?.map((policy) => (
          <div key={policy.id} className="policy">
            <b>{policy.displayName}</b>{" "}
            <Badge appearance="tint" color={policy.state === "enabled" ? "danger" : "warning"}>
              {policy.state === "enabled" ? "blocks" : "will block"}
            </Badge>{" "}
            <span className="fine">
              demands {policy.controls.join(", ")}
              {policy.resources && ` for ${policy.resources.join(", ")}`}
              {policy.blocksFrom && (
                <>
                  {" "}
                  from <When at={policy.blocksFrom} />
                </>
              )}
            </span>
            {policy.exclusion && <div>{policy.exclusion}</div>}
          </div>
        ))}
      </div>
    </li>
  );
}

function Mark({ verdict }: { verdict: Verdict }) {
  const props = { "aria-hidden": true } as const;
  switch (verdict) {
    case "pass":
      return <CheckmarkCircle20Filled {...props} className="good" />;
    case "fail":
      return <DismissCircle20Filled {...props} className="bad" />;
    case "unknown":
      return <QuestionCircle20Filled {...props} className="doubtful" />;
    case "skipped":
      return <SubtractCircle20Regular {...props} className="quiet" />;
  }
}
