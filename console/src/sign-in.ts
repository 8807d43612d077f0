// Who is sitting here: authorization code with PKCE through MSAL, tokens kept in this tab's session storage.
import {
  AuthError, BrowserAuthErrorCodes, CacheLookupPolicy, ClientAuthErrorCodes, createStandardPublicClientApplication,
  ServerError, type AccountInfo, type IPublicClientApplication,
} from "@azure/msal-browser";
import type { Config } from "./config";
import { Problem } from "./problem";
import { rightsOf, type Rights } from "./rights";

export interface Person {
  readonly name: string;
  readonly username: string;
  readonly rights: Rights;
}

export class SignIn {
  private constructor(
    private readonly msal: IPublicClientApplication,
    private readonly scopes: string[],
    private readonly account: AccountInfo | null,
  ) {}

  /** Takes over what a redirect from Entra has brought, or what this tab remembers. */
  static async begin(config: Config): Promise<SignIn> {
    const metadata = config.authorityMetadata;
    const msal = await createStandardPublicClientApplication({
      auth: {
        clientId: config.clientId,
        authority: config.authority,
        knownAuthorities: [new URL(config.authority).host],
        redirectUri: location.origin + location.pathname,
        postLogoutRedirectUri: location.origin + location.pathname,
        ...(metadata && { authorityMetadata: JSON.stringify(metadata) }),
      },
      cache: { cacheLocation: "sessionStorage" },
    });
    const returned = await msal.handleRedirectPromise();
    return new SignIn(msal, [config.scope], returned?.account ?? msal.getAllAccounts()[0] ?? null);
  }

  get isSignedIn(): boolean {
    return this.account !== null;
  }

  /** Leaves the page for Entra's. */
  readonly go = (): Promise<void> => this.msal.loginRedirect({ scopes: this.scopes, prompt: "select_account" });

  readonly leave = (): Promise<void> => this.msal.logoutRedirect({ account: this.account });

  /** An access token for the API. When Entra wants the person again, the page leaves and the promise stays open; when
   *  Entra does not answer, the page stays and the promise rejects with a Problem. */
  readonly token = async (): Promise<string> => {
    const account = this.account;
    if (!account) return this.leaveFor(this.go);
    try {
      // No hidden frame: an expired sign-in is renewed where the person sees it.
      const cacheLookupPolicy = CacheLookupPolicy.AccessTokenAndRefreshToken;
      return (await this.msal.acquireTokenSilent({ scopes: this.scopes, account, cacheLookupPolicy })).accessToken;
    } catch (failure) {
      if (isEntraAway(failure)) throw Problem.entraUnreachable(failure.correlationId);
      return this.leaveFor(() => this.msal.acquireTokenRedirect({ scopes: this.scopes, account }));
    }
  };

  async person(): Promise<Person> {
    const username = this.account?.username ?? "";
    return { name: this.account?.name ?? username, username, rights: rightsOf(await this.token()) };
  }

  private async leaveFor(where: () => Promise<void>): Promise<never> {
    await where();
    return new Promise<never>(() => undefined);
  }
}

const AWAY: readonly string[] = [
  BrowserAuthErrorCodes.noNetworkConnectivity,
  BrowserAuthErrorCodes.postRequestFailed,
  BrowserAuthErrorCodes.failedToParseResponse,
  ClientAuthErrorCodes.networkError,
];

/** Whether asking the person would help nobody: Entra was not reached, or answers with a trouble of its own. For a
 *  minute after that, MSAL repeats the trouble without asking Entra, its code then numbers or nothing. */
function isEntraAway(failure: unknown): failure is AuthError {
  if (failure instanceof ServerError) return failure.errorCode !== "invalid_grant";
  return failure instanceof AuthError && AWAY.includes(failure.errorCode);
}
