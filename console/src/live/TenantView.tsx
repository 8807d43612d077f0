// One tenant as everything below it sees it: what the API says of it now, and a way to change it.
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Answer, Api, Written } from "../api";
import type { Operation, Tenant } from "../bodies";
import { Problem } from "../problem";
import type { Rights } from "../rights";
import { changesBetween, tooLate } from "./changes";
import { useLive } from "./useLive";

/** A write; `seen` is the version of the tenant as it was shown, for writes that must not rest on an older look. */
export type Call<T> = (api: Api, seen: string | undefined) => Promise<Written<T>>;

export interface TenantView {
  readonly api: Api;
  readonly rights: Rights;
  readonly tenantId: string;
  readonly tenant: Tenant | undefined;
  /** The tenant's version as it is shown. */
  readonly version: string | undefined;
  /** The operation that runs, or the one that ended last while this page was open. */
  readonly operation: Operation | undefined;
  /** Whether something runs that must be waited for. A policy check gives way. */
  readonly isBusy: boolean;
  /** Why the tenant could not be read just now. */
  readonly problem: Problem | undefined;
  readonly refresh: () => void;
  /** Calls the API, then follows the operation that comes of it. Rejects with a Problem. */
  readonly carryOut: <T>(call: Call<T>) => Promise<void>;
}

const Context = createContext<TenantView | undefined>(undefined);

const RESTING = 5; // seconds between reads while nothing moves
const MOVING = 2; // the API's Retry-After for operations

export function TenantProvider(props: { api: Api; rights: Rights; tenantId: string; children: ReactNode }) {
  const { api, rights, tenantId } = props;
  const { value: tenant, version, problem, refresh } = useLive(
    tenantId,
    (signal) => api.tenant(tenantId, signal),
    (read) => (isMoving(read) ? MOVING : RESTING),
  );
  const [operation, follow] = useOperation(api, tenantId, tenant?.operation?.id);
  const status = operation?.status;
  useEffect(() => {
    if (status) refresh();
  }, [status, refresh]);

  const carryOut = useCallback(
    async <T,>(call: Call<T>) => {
      try {
        const written = await carriedOut(api, call, tenant, version);
        if ("operation" in written) follow(written.operation);
      } finally {
        refresh();
      }
    },
    [api, tenant, version, follow, refresh],
  );

  const kind = operation && !isFinal(operation) ? operation.kind : tenant?.operation?.kind;
  const isBusy = kind !== undefined && kind !== "checkPolicies";
  const view = useMemo(
    () => ({ api, rights, tenantId, tenant, version, operation, isBusy, problem, refresh, carryOut }),
    [api, rights, tenantId, tenant, version, operation, isBusy, problem, refresh, carryOut],
  );
  return <Context.Provider value={view}>{props.children}</Context.Provider>;
}

export function useTenant(): TenantView {
  const view = useContext(Context);
  if (!view) throw new Error("useTenant needs a TenantProvider above it.");
  return view;
}

export function isFinal(operation: Operation): boolean {
  return ["succeeded", "failed", "canceled"].includes(operation.status);
}

/** The operation that runs, whoever began it; `follow` shows one at once that was just accepted. */
function useOperation(api: Api, tenantId: string, running: string | undefined) {
  const [followed, setFollowed] = useState<string>();
  const [accepted, setAccepted] = useState<Answer<Operation>>();
  useEffect(() => {
    if (running) setFollowed(running);
  }, [running]);
  const { value } = useLive(
    followed,
    (signal) => api.operation(tenantId, followed ?? "", signal),
    (read) => (isFinal(read) ? undefined : MOVING),
    accepted?.body.id === followed ? accepted : undefined,
  );
  const follow = useCallback((answer: Answer<Operation>) => {
    setAccepted(answer);
    setFollowed(answer.body.id);
  }, []);
  return [value, follow] as const;
}

/** Calls with the version that the person saw. When nothing they decide by has changed, a newer one will do. */
async function carriedOut<T>(
  api: Api,
  call: Call<T>,
  tenant: Tenant | undefined,
  version: string | undefined,
): Promise<Written<T>> {
  try {
    return await call(api, version);
  } catch (thrown) {
    const refusal = Problem.of(thrown);
    if (refusal.code !== "preconditionFailed" || !tenant) throw refusal;
    const now = await api.tenant(tenant.tenantId);
    const changes = changesBetween(tenant, now.body);
    if (changes.length > 0) throw tooLate(refusal, changes);
    return call(api, now.version);
  }
}

function isMoving(tenant: Tenant): boolean {
  return tenant.operation !== undefined || ["turningOn", "draining", "turningOff"].includes(tenant.session.state);
}
