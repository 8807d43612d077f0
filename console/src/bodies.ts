// The contract's bodies by their names. `contract.ts` is generated from contracts/openapi.yaml by `npm run generate`.
import type { components } from "./contract";

type Schemas = components["schemas"];

export type Tenant = Schemas["tenant"];
export type TenantSummary = Schemas["tenantSummary"];
export type TenantPage = Schemas["tenantPage"];
export type TenantRequest = Schemas["tenantRequest"];
export type Session = Schemas["session"];
export type SessionState = Schemas["sessionState"];
export type SessionRequest = Schemas["sessionRequest"];
export type ServiceAccount = Schemas["serviceAccount"];
export type AutoEnable = Schemas["autoEnable"];
export type AutoEnableRequest = Schemas["autoEnableRequest"];
export type ActionKind = Schemas["actionKind"];
export type PolicyCheck = Schemas["policyCheck"];
export type PolicyCheckRow = Schemas["policyCheckRow"];
export type Verdict = Schemas["verdict"];
export type AllowedIps = Schemas["allowedIps"];
export type AllowedIpsRequest = Schemas["allowedIpsRequest"];
export type PolicyExclusion = Schemas["policyExclusion"];
export type Operation = Schemas["operation"];
export type OperationStep = Schemas["operationStep"];
export type RemovalRow = Schemas["removalRow"];
export type ActivityEntry = Schemas["activityEntry"];
export type ActivityPage = Schemas["activityPage"];
export type Action = Schemas["action"];
export type Actor = Schemas["actor"];
export type ErrorDetail = Schemas["errorDetail"];
export type ErrorResponse = Schemas["errorResponse"];
export type NextStep = Schemas["nextStep"];
export type RoleProfile = Schemas["roleProfile"];
export type SupportBundle = Schemas["supportBundle"];
