// All tenants, problems first.
import { Button, Field, Input, Link, Select } from "@fluentui/react-components";
import { useState } from "react";
import type { Api } from "../api";
import type { TenantSummary } from "../bodies";
import { useSettled } from "../live/useKept";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder } from "../parts/Section";
import { Remaining, When } from "../parts/When";
import type { Rights } from "../rights";
import { SESSION } from "../words";
import { Onboard } from "./Onboard";
import { hasProblem, TOP, useFleet, type Page, type Place, type Wanted } from "./useFleet";

const FILTERS: Record<string, Wanted> = {
  "All states": {},
  "With a problem": { hasProblem: true },
  ...Object.fromEntries(Object.entries(SESSION).map(([state, words]) => [words, { state } as Wanted])),
};

const TYPING = 300; // milliseconds without a key until what was typed is looked for

export function FleetPage({ api, rights }: { api: Api; rights: Rights }) {
  const [words, setWords] = useState("");
  const [filter, setFilter] = useState("All states");
  const search = useSettled(words.trim(), TYPING);
  const wanted = { ...FILTERS[filter], ...(search && { search }) };
  const asked = JSON.stringify(wanted);

  // The way to this page, so that one can go back; another question begins at the top.
  const [way, setWay] = useState<{ asked: string; places: readonly Place[] }>({ asked, places: [TOP] });
  const places = way.asked === asked ? way.places : [TOP];
  const fleet = useFleet(api, rights.everywhere ? wanted : undefined, places.at(-1) ?? TOP);
  const go = (to: readonly Place[]) => setWay({ asked, places: to });
  return (
    <main className="page">
      <header className="row">
        <h1>Tenants</h1>
        {rights.mayOnboard && <Onboard api={api} onDone={fleet.refresh} />}
      </header>
      {!rights.everywhere && <OneTenant />}
      {rights.everywhere && (
        <div className="pair">
          <Field label="Search by name or id">
            <Input type="search" value={words} maxLength={256} onChange={(_, typed) => setWords(typed.value)} />
          </Field>
          <Field label="Filter">
            <Select value={filter} onChange={(_, chosen) => setFilter(chosen.value)}>
              {Object.keys(FILTERS).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          </Field>
        </div>
      )}
      {fleet.problem && <ProblemBar problem={fleet.problem} />}
      {rights.everywhere && !fleet.value && !fleet.problem && <Placeholder lines={8} />}
      {fleet.value && <Tenants page={fleet.value} />}
      {fleet.value && (places.length > 1 || fleet.value.next) && (
        <Pages places={places} next={fleet.isHere ? fleet.value.next : undefined} onGo={go} />
      )}
    </main>
  );
}

function Tenants({ page: { tenants } }: { page: Page }) {
  return (
    <>
      <p className="fine" role="status">
        Tenants on this page: {tenants.length}, with a problem: {tenants.filter(hasProblem).length}
      </p>
      {tenants.length === 0 && <p>There is no such tenant.</p>}
      {tenants.length > 0 && (
        <ul className="fleet" aria-label="Tenants">
          {tenants.map((tenant) => (
            <Row key={tenant.tenantId} tenant={tenant} />
          ))}
        </ul>
      )}
    </>
  );
}

interface PagesProps {
  readonly places: readonly Place[];
  readonly next: Place | undefined;
  readonly onGo: (places: readonly Place[]) => void;
}

function Pages({ places, next, onGo }: PagesProps) {
  return (
    <nav className="row" aria-label="Pages">
      <Button disabledFocusable={places.length === 1} onClick={() => onGo(places.slice(0, -1))}>
        Previous
      </Button>
      <span className="fine">Page {places.length}</span>
      <Button disabledFocusable={!next} onClick={() => next && onGo([...places, next])}>
        Next
      </Button>
    </nav>
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
      <p>
        Your rights hold in some tenants only, and the list is for those whose rights hold in all. Open one by its id.
      </p>
      <Field label="Tenant id">
        <Input value={id} onChange={(_, typed) => setId(typed.value.trim())} />
      </Field>
      <Link href={`#/tenants/${encodeURIComponent(id)}`}>Open tenant</Link>
    </div>
  );
}
