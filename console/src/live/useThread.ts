// The correlation id that belongs to an error which is kept without its own: that of the trail's entry about it.
import type { ErrorDetail } from "../bodies";
import { useLive } from "./useLive";
import { useTenant } from "./TenantView";

/** The newest entry of one of the kinds tells; undefined while it is not known, and without an error. */
export function useThread(error: ErrorDetail | undefined, ...kinds: readonly string[]): string | undefined {
  const { api, tenantId, version } = useTenant();
  const isAsked = error !== undefined && error.correlationId === undefined;
  const key = isAsked ? `${tenantId} ${kinds.join(" ")} ${version}` : undefined;
  const { value } = useLive(key, (signal) => api.activity(tenantId, signal), () => undefined);
  return error?.correlationId ?? value?.value.find((entry) => kinds.includes(entry.kind))?.correlationId;
}
