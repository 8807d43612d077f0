// One tenant as everything below it sees it: what the API says of it now, and a way to change it.
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Api, Written } from "../api";
import type { Operation, Tenant } from "../bodies";
import { Problem } from "../problem";
import type { Rights } from "../rights";
import { useLive } from "./useLive";

export interface TenantView {
  readonly api: Api;
  readonly rights: Rights;
  readonly tenantId: string;
  readonly tenant: Tenant | undefined;
  /** The operation that runs, or the one that ended last while this page was open. */
  readonly operation: Operation | undefined;
  readonly isBusy: boolean;
  /** Why the tenant could not be read just now. */
  readonly problem: Problem | undefined;
  readonly refresh: () => void;
  /** Calls the API, then follows the operation that comes of it. Rejects with a Problem. */
  readonly carryOut: <T>(call: (api: Api) => Promise<Written<T>>) => Promise<void>;
}

const Context = createContext<TenantView | undefined>(undefined);

const RESTING = 5; // seconds between reads while nothing moves
const MOVING = 2; // the API's Retry-After for operations

export function TenantProvider(props: { api: Api; rights: Rights; tenantId: string; children: ReactNode }) {
  const { api, rights, tenantId } = props;
  const [followed, setFollowed] = useState<string>();
  const live = useLive(
    tenantId,
    (signal) => api.tenant(tenantId, signal),
    (tenant) => (isMoving(tenant) ? MOVING : RESTING),
  );
  const tenant = live.value;
  const running = tenant?.operation?.id;
  useEffect(() => {
    if (running) setFollowed(running);
  }, [running]);

  const following = useLive(
    followed,
    (signal) => api.operation(tenantId, followed ?? "", signal),
    (read) => (isFinal(read) ? undefined : MOVING),
  );
  const operation = following.value;
  const { refresh } = live;
  const status = operation?.status;
  useEffect(() => {
    refresh();
  }, [status, refresh]);

  const carryOut = useCallback(
    async <T,>(call: (api: Api) => Promise<Written<T>>) => {
      try {
        const written = await call(api);
        if ("operation" in written) setFollowed(written.operation.id);
      } catch (thrown) {
        throw Problem.of(thrown);
      } finally {
        refresh();
      }
    },
    [api, refresh],
  );

  const isBusy = running !== undefined || (operation !== undefined && !isFinal(operation));
  const problem = live.problem;
  const view = useMemo(
    () => ({ api, rights, tenantId, tenant, operation, isBusy, problem, refresh, carryOut }),
    [api, rights, tenantId, tenant, operation, isBusy, problem, refresh, carryOut],
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

function isMoving(tenant: Tenant): boolean {
  return tenant.operation !== undefined || ["turningOn", "draining", "turningOff"].includes(tenant.session.state);
}
