// Calls of the API. Every call carries a correlation id of its own, every write an Idempotency-Key.
import type {
  Action, ActivityPage, AllowedIps, AllowedIpsRequest, AutoEnable, AutoEnableRequest, ErrorResponse, Operation,
  PolicyCheck, SessionRequest, SupportBundle, Tenant, TenantPage, TenantRequest,
} from "./bodies";
import { Problem } from "./problem";

/** What was read, and after how many seconds at the earliest it may be read again. */
export interface Answer<T> {
  readonly body: T;
  readonly retryAfter: number | undefined;
}

/** A write is either done at once or goes on as an operation. */
export type Written<T> = { readonly done: T } | { readonly operation: Operation };

export type Token = () => Promise<string>;

export class Api {
  constructor(private readonly address: string, private readonly token: Token) {}

  tenants = (signal: AbortSignal) => this.read<TenantPage>("/v1/tenants?top=200", signal);
  /** The page behind a nextLink, which is an address of its own. */
  next = <T>(link: string, signal?: AbortSignal) => this.read<T>(this.within(link), signal);

  tenant = (id: string, signal?: AbortSignal) => this.read<Tenant>(`/v1/tenants/${id}`, signal);
  operation = (id: string, operationId: string, signal?: AbortSignal) =>
    this.read<Operation>(`/v1/tenants/${id}/operations/${operationId}`, signal);
  policyCheck = (id: string, signal?: AbortSignal) =>
    this.read<PolicyCheck>(`/v1/tenants/${id}/policy-checks/latest`, signal);
  activity = (id: string, signal?: AbortSignal) => this.read<ActivityPage>(`/v1/tenants/${id}/activity?top=50`, signal);
  action = (id: string, actionId: string, signal?: AbortSignal) =>
    this.read<Action>(`/v1/tenants/${id}/actions/${actionId}`, signal);
  supportBundle = (id: string) => this.read<SupportBundle>(`/v1/tenants/${id}/support-bundle`);

  onboard = (id: string, body: TenantRequest) => this.write<Tenant>("PUT", `/v1/tenants/${id}`, body);
  createAccount = (id: string) => this.write<never>("PUT", `/v1/tenants/${id}/service-account`, {});
  deleteAccount = (id: string) => this.write<never>("DELETE", `/v1/tenants/${id}/service-account`);
  rotatePassword = (id: string) => this.write<never>("POST", `/v1/tenants/${id}/service-account/rotate`, {});
  checkPolicies = (id: string) => this.write<never>("POST", `/v1/tenants/${id}/policy-checks`, {});
  setAllowedIps = (id: string, body: AllowedIpsRequest) =>
    this.write<AllowedIps>("PUT", `/v1/tenants/${id}/allowed-ips`, body);
  removeAllowedIps = (id: string) => this.write<never>("DELETE", `/v1/tenants/${id}/allowed-ips`);
  setSession = (id: string, body: SessionRequest) => this.write<never>("PUT", `/v1/tenants/${id}/session`, body);
  setAutoEnable = (id: string, body: AutoEnableRequest) =>
    this.write<AutoEnable>("PUT", `/v1/tenants/${id}/auto-enable`, body);

  private async read<T>(path: string, signal?: AbortSignal): Promise<Answer<T>> {
    const response = await this.send("GET", path, undefined, signal);
    return { body: (await response.json()) as T, retryAfter: secondsToWait(response) };
  }

  private async write<T>(method: string, path: string, body?: object): Promise<Written<T>> {
    const response = await this.send(method, path, body);
    const content = (await response.json()) as unknown;
    return response.status === 202 ? { operation: content as Operation } : { done: content as T };
  }

  private async send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    const correlationId = crypto.randomUUID();
    const headers: Record<string, string> = {
      Authorization: `Bearer ${await this.token()}`,
      "x-correlation-id": correlationId,
    };
    if (method !== "GET") headers["Idempotency-Key"] = crypto.randomUUID();
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
