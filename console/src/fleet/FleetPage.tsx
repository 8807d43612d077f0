// All tenants, problems first.
import { Button, Field, Input, Link, Select } from "@fluentui/react-components";
import { useState } from "react";
import type { Api } from "../api";
import type { TenantSummary } from "../bodies";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder } from "../parts/Section";
import { Remaining, When } from "../parts/When";
import type { Rights } from "../rights";
import { SESSION } from "../words";
import { Onboard } from "./Onboard";
import { hasProblem, useFleet } from "./useFleet";

const ON_A_PAGE = 25;

const FILTERS: Record<string, (tenant: TenantSummary) => boolean> = {
  "All states": () => true,
  "With a problem": hasProblem,
  "Management ON": (tenant) => tenant.session.state === "on",
  "Management OFF": (tenant) => tenant.session.state === "off",
  "On the way": (tenant) => ["turningOn", "draining", "turningOff"].includes(tenant.session.state),
};

export function FleetPage({ api, rights }: { api: Api; rights: Rights }) {
  const fleet = useFleet(api);
  const [words, setWords] = useState("");
  const [filter, setFilter] = useState("All states");
  const [page, setPage] = useState(0);
  const all = fleet.value?.tenants ?? [];
  const found = all.filter((tenant) => FILTERS[filter]?.(tenant) && isMeant(tenant, words));
  const last = Math.max(0, Math.ceil(found.length / ON_A_PAGE) - 1);
  const current = Math.min(page, last);
  return (
    <main className="page">
      <header className="row">
        <h1>Tenants</h1>
        {rights.has("administrator") && <Onboard api={api} onDone={fleet.refresh} />}
      </header>
      <div className="pair">
        <Field label="Search by name or id">
          <Input type="search" value={words} onChange={(_, typed) => setWords(typed.value)} />
        </Field>
        <Field label="Filter">
          <Select value={filter} onChange={(_, chosen) => setFilter(chosen.value)}>
            {Object.keys(FILTERS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
      </div>
      {fleet.problem && <ProblemBar problem={fleet.problem} correlationId={fleet.problem.correlationId} />}
      {!rights.everywhere && <OneTenant />}
      {!fleet.value && !fleet.problem && <Placeholder lines={8} />}
      {fleet.value && (
        <>
          <p className="fine" role="status">
            Tenants: {found.length === all.length ? all.length : `${found.length} of ${all.length}`}, with a problem:{" "}
            {all.filter(hasProblem).length}
          </p>
          <ul className="fleet" aria-label="Tenants">
            {found.slice(current * ON_A_PAGE, (current + 1) * ON_A_PAGE).map((tenant) => (
              <Row key={tenant.tenantId} tenant={tenant} />
            ))}
          </ul>
        </>
      )}
      {last > 0 && (
        <nav className="row" aria-label="Pages">
          <Button disabled={current === 0} onClick={() => setPage(current - 1)}>
            Previous
          </Button>
          <span className="fine">
            Page {current + 1} of {last + 1}
          </span>
          <Button disabled={current === last} onClick={() => setPage(current + 1)}>
            Next
          </Button>
        </nav>
      )}
    </main>
  );
}

function Row({ tenant }: { tenant: TenantSummary }) {
  const { session } = tenant;
  return (
    <li>
      <a href={`#/tenants/${tenant.tenantId}`} data-problem={hasProblem(tenant) || undefined}>
        <span className="tenant-name">
          <b>{tenant.displayName}</b>
          <span className="fine">{session.error?.message ?? tenant.nextStep.text}</span>
        </span>
        <span className="state" data-state={session.state}>
          <span className="lamp" aria-hidden="true" />
          <span>
            {SESSION[session.state]}
            <span className="fine">
              {session.state === "on" && session.expiresAt ? (
                <>
                  <Remaining until={session.expiresAt} /> left
                </>
              ) : (
                <>
                  since <When at={session.since} />
                </>
              )}
            </span>
          </span>
        </span>
      </a>
    </li>
  );
}

/** For people whose right holds in some tenants only: the API does not list those. */
function OneTenant() {
  const [id, setId] = useState("");
  return (
    <div className="note">
      <p>Your rights hold in some tenants only, and the list is for those whose rights hold in all. Open one by its id.</p>
      <Field label="Tenant id">
        <Input value={id} onChange={(_, typed) => setId(typed.value.trim())} />
      </Field>
      <Link href={`#/tenants/${encodeURIComponent(id)}`}>Open tenant</Link>
    </div>
  );
}

function isMeant(tenant: TenantSummary, words: string): boolean {
  const text = `${tenant.displayName} ${tenant.tenantId}`.toLowerCase();
  return text.includes(words.trim().toLowerCase());
}
