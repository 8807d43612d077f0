// Where the console is: config.json lies beside index.html and is written by whoever serves them.

export interface Config {
  /** The address before /v1. */
  readonly api: string;
  /** Entra's address with the vendor's tenant, https://login.microsoftonline.com/{tenantId}. */
  readonly authority: string;
  readonly clientId: string;
  /** What a token is asked for: api://{audience}/Sessions.Access. */
  readonly scope: string;
  /** Entra's OpenID configuration, where MSAL shall not look it up. */
  readonly authorityMetadata?: Readonly<Record<string, string>>;
}

export async function readConfig(): Promise<Config> {
  const response = await fetch(new URL("./config.json", document.baseURI), { cache: "no-cache" });
  if (!response.ok) throw new Error(`config.json is not there (${response.status}).`);
  return (await response.json()) as Config;
}
