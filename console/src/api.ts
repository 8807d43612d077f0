// Calls of the API. Every call carries a correlation id of its own, every write an Idempotency-Key.
import type {
  ActivityPage, AllowedIps, AllowedIpsRequest, AutoEnable, AutoEnableRequest, ErrorResponse, Operation, OperatorGrant,
  OperatorGrantRequest, OperatorList, PolicyCheck, Session, SessionRequest, SupportBundle, Tenant, TenantPage,
  TenantQuery, TenantRequest,
} from "./bodies";
import { Problem } from "./problem";

/** What was read, and after how many seconds at the earliest it may be read again. */
export interface Answer<T> {
  readonly body: T;
  readonly retryAfter: number | undefined;
  /** The ETag, for If-Match. */
  readonly version?: string | undefined;
}

/** A write is either done at once or goes on as an operation. */
export type Written<T> = { readonly done: T } | { readonly operation: Answer<Operation> };

export type Token = () => Promise<string>;

interface Sending {
  readonly body?: object;
  /** The ETag of what the person saw: the API refuses when it has changed since. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Api {
  constructor(private readonly address: string, private readonly token: Token) {}

  tenants = (query: TenantQuery, signal: AbortSignal) =>
    this.read<TenantPage>(`/v1/tenants?${parameters(query)}`, signal);
  /** The page behind a nextLink, which is an address of its own. */
  next = <T>(link: string, signal?: AbortSignal) => this.read<T>(this.within(link), signal);

  tenant = (id: string, signal?: AbortSignal) => this.read<Tenant>(`/v1/tenants/${id}`, signal);
  session = (id: string, signal?: AbortSignal) => this.read<Session>(`/v1/tenants/${id}/session`, signal);
  operation = (id: string, operationId: string, signal?: AbortSignal) =>
    this.read<Operation>(`/v1/tenants/${id}/operations/${operationId}`, signal);
  policyCheck = (id: string, signal?: AbortSignal) =>
    this.read<PolicyCheck>(`/v1/tenants/${id}/policy-checks/latest`, signal);
  activity = (id: string, signal?: AbortSignal) => this.read<ActivityPage>(`/v1/tenants/${id}/activity?top=50`, signal);
  supportBundle = (id: string) => this.read<SupportBundle>(`/v1/tenants/${id}/support-bundle`);
  operators = (id: string, signal?: AbortSignal) => this.read<OperatorList>(`/v1/tenants/${id}/operators`, signal);

  onboard = (id: string, body: TenantRequest) => this.write<Tenant>("PUT", `/v1/tenants/${id}`, { body });
  createAccount = (id: string) => this.write<never>("PUT", `/v1/tenants/${id}/service-account`, { body: {} });
  deleteAccount = (id: string, ifMatch?: string) =>
    this.write<never>("DELETE", `/v1/tenants/${id}/service-account`, { ifMatch });
  rotatePassword = (id: string) => this.write<never>("POST", `/v1/tenants/${id}/service-account/rotate`, { body: {} });
  checkPolicies = (id: string) => this.write<never>("POST", `/v1/tenants/${id}/policy-checks`, { body: {} });
  setAllowedIps = (id: string, body: AllowedIpsRequest, ifMatch?: string) =>
    this.write<AllowedIps>("PUT", `/v1/tenants/${id}/allowed-ips`, { body, ifMatch });
  removeAllowedIps = (id: string, ifMatch?: string) =>
    this.write<never>("DELETE", `/v1/tenants/${id}/allowed-ips`, { ifMatch });
  setSession = (id: string, body: SessionRequest, ifMatch?: string) =>
    this.write<never>("PUT", `/v1/tenants/${id}/session`, { body, ifMatch });
  setAutoEnable = (id: string, body: AutoEnableRequest, ifMatch?: string) =>
    this.write<AutoEnable>("PUT", `/v1/tenants/${id}/auto-enable`, { body, ifMatch });
  grant = (id: string, objectId: string, body: OperatorGrantRequest) =>
    this.write<OperatorGrant>("PUT", `/v1/tenants/${id}/operators/${objectId}`, { body });
  removeGrant = (id: string, objectId: string) =>
    this.write<undefined>("DELETE", `/v1/tenants/${id}/operators/${objectId}`, {});

  private async read<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
    const response = await this.send("GET", path, { signal });
    const version = response.headers.get("ETag") ?? undefined;
    return { body: (await response.json()) as T, retryAfter: secondsToWait(response), version };
  }

  private async write<T>(method: string, path: string, sending: Sending): Promise<Written<T>> {
    const response = await this.send(method, path, sending);
    const content = response.status === 204 ? undefined : ((await response.json()) as unknown);
    if (response.status !== 202) return { done: content as T };
    return { operation: { body: content as Operation, retryAfter: secondsToWait(response) } };
  }

  private async send(method: string, path: string, { body, ifMatch, signal }: Sending): Promise<Response> {
    const correlationId = crypto.randomUUID();
    const headers: Record<string, string> = {
      Authorization: `Bearer ${await this.token()}`,
      "x-correlation-id": correlationId,
    };
    if (method !== "GET") headers["Idempotency-Key"] = crypto.randomUUID();
    if (ifMatch) headers["If-Match"] = ifMatch;
    if (body) headers["Content-Type"] = "application/json";
    const request: RequestInit = { method, headers, cache: "no-store" };
    if (body) request.body = JSON.stringify(body);
    if (signal) request.signal = signal;
    let response: Response;
    try {
      response = await fetch(this.address + path, request);
    } catch (failure) {
      if (signal?.aborted) throw failure;
      throw Problem.unreachable(correlationId, method === "GET");
    }
    if (!response.ok) throw await refusal(response, correlationId);
    return response;
  }

  /** The path of a link that the API gave: a token must not follow one that leads elsewhere. */
  private within(link: string): string {
    const url = new URL(link);
    const version = url.pathname.indexOf("/v1/");
    return url.pathname.slice(version) + url.search;
  }
}

function parameters(query: TenantQuery): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

function secondsToWait(response: Response): number | undefined {
  const seconds = Number(response.headers.get("Retry-After"));
  return seconds > 0 ? seconds : undefined;
}

async function refusal(response: Response, correlationId: string): Promise<Problem> {
  const thread = response.headers.get("x-correlation-id") ?? correlationId;
  try {
    const { error } = (await response.json()) as ErrorResponse;
    return new Problem(error, thread, secondsToWait(response));
  } catch {
    const nextStep = { text: "Try again in a moment." };
    const error = { code: `http${response.status}`, message: `The API answered ${response.status}.`, nextStep };
    return new Problem(error, thread, secondsToWait(response));
  }
}
