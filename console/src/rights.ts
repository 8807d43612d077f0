// What the person may try. The API decides; this only keeps the console from offering what it will refuse.

export type Right = "operator" | "administrator";

export interface Rights {
  /** Whether some right holds in every tenant; otherwise only the API knows in which. */
  readonly everywhere: boolean;
  readonly has: (right: Right) => boolean;
  /** To take a new tenant in: no right in it can have been granted before. */
  readonly mayOnboard: boolean;
}

const ROLES: Record<Right, string> = { operator: "Sessions.Operate", administrator: "Tenants.Manage" };

/** The rights in the `roles` claim of an access token for our own API. */
export function rightsOf(accessToken: string): Rights {
  const roles = rolesIn(accessToken);
  return {
    everywhere: roles.some((role) => role.endsWith(".All")),
    has: (right) => roles.includes(ROLES[right]) || roles.includes(`${ROLES[right]}.All`),
    mayOnboard: roles.includes(`${ROLES.administrator}.All`),
  };
}

function rolesIn(accessToken: string): readonly string[] {
  const payload = (accessToken.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as { roles?: string[] };
  return claims.roles ?? [];
}
