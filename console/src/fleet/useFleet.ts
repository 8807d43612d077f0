// One page of the fleet: as many tenants as fit on it, problems first, read again while somebody looks.
import type { Answer, Api } from "../api";
import type { TenantPage, TenantQuery, TenantSummary } from "../bodies";
import { useKept } from "../live/useKept";
import { useLive, type Live } from "../live/useLive";

export const ON_A_PAGE = 50;

const REST = 10; // seconds between looks at a page that took one call; one that took more is looked at less often

/** What is looked for; hasProblem is left out for all, those with a problem first. */
export type Wanted = Pick<TenantQuery, "state" | "search" | "hasProblem">;

/** Where a page begins: in the list of those with a problem or in that of the others, at a nextLink or at the top. */
export interface Place {
  readonly hasProblem: boolean;
  readonly link?: string;
}

export const TOP: Place = { hasProblem: true };

export interface Page {
  readonly tenants: readonly TenantSummary[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: Place | undefined;
  readonly calls: number;
}

export interface Fleet extends Live<Page> {
  /** Whether the page shown is the one asked for, and not the one before it. */
  readonly isHere: boolean;
}

export function useFleet(api: Api, wanted: Wanted | undefined, place: Place): Fleet {
  const live = useLive(
    wanted && JSON.stringify([wanted, place]),
    (signal) => readPage(api, wanted ?? {}, place, signal),
    (page) => REST * page.calls,
  );
  return { ...useKept(live), isHere: live.value !== undefined };
}

/** A page of the API may be short, even empty, and still go on: so calls go on until this page is full. */
async function readPage(api: Api, wanted: Wanted, place: Place, signal: AbortSignal): Promise<Answer<Page>> {
  const found = new Map<string, TenantSummary>();
  let next: Place | undefined = place;
  let calls = 0;
  let answer: Answer<TenantPage>;
  do {
    answer = await readPart(api, wanted, next, signal);
    calls += 1;
    for (const tenant of answer.body.value) found.set(tenant.tenantId, tenant);
    next = after(next, wanted, answer.body.nextLink);
  } while (next && found.size < ON_A_PAGE);
  return { body: { tenants: inOrder([...found.values()]), next, calls }, retryAfter: answer.retryAfter };
}

function readPart(api: Api, wanted: Wanted, { hasProblem, link }: Place, signal: AbortSignal) {
  if (link) return api.next<TenantPage>(link, signal);
  return api.tenants({ ...wanted, hasProblem, top: ON_A_PAGE }, signal);
}

function after({ hasProblem }: Place, wanted: Wanted, nextLink: string | undefined): Place | undefined {
  if (nextLink) return { hasProblem, link: nextLink };
  return hasProblem && wanted.hasProblem === undefined ? { hasProblem: false } : undefined;
}

/** Whether somebody must look at it: the API's `hasProblem`, of a tenant that is here already. */
export function hasProblem({ consent, serviceAccount, session }: TenantSummary): boolean {
  return (
    session.state === "failed" || serviceAccount.state === "failed" || ["partial", "missing"].includes(consent.state)
  );
}

function inOrder(tenants: readonly TenantSummary[]): readonly TenantSummary[] {
  return tenants.toSorted((a, b) => rank(a) - rank(b) || a.displayName.localeCompare(b.displayName));
}

function rank(tenant: TenantSummary): number {
  if (tenant.session.state === "failed") return 0;
  if (hasProblem(tenant)) return 1;
  return tenant.session.state === "off" ? 3 : 2;
}
