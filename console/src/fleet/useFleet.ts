// All tenants: every page is read, so that problems are found wherever they are.
import { useRef } from "react";
import type { Api } from "../api";
import type { TenantSummary } from "../bodies";
import { useLive, type Live } from "../live/useLive";

const REST = 10; // seconds between looks at a fleet of one page; a larger one is looked at less often

export interface Fleet {
  readonly tenants: readonly TenantSummary[];
}

export function useFleet(api: Api): Live<Fleet> {
  const pages = useRef(1);
  return useLive(
    "fleet",
    async (signal) => {
      const tenants: TenantSummary[] = [];
      let page = await api.tenants(signal);
      for (pages.current = 1; ; pages.current++) {
        tenants.push(...page.body.value);
        if (!page.body.nextLink) return { body: { tenants: inOrder(tenants) }, retryAfter: page.retryAfter };
        page = await api.next(page.body.nextLink, signal);
      }
    },
    () => REST * pages.current,
  );
}

/** Whether somebody must look at it. */
export function hasProblem(tenant: TenantSummary): boolean {
  const { consent, serviceAccount, session } = tenant;
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
