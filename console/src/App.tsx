// The frame: who is signed in, light or dark, and which page the address names.
import { Button } from "@fluentui/react-components";
import { SignOut20Regular, WeatherMoon20Regular, WeatherSunny20Regular } from "@fluentui/react-icons";
import { useEffect, useState } from "react";
import type { Api } from "./api";
import { FleetPage } from "./fleet/FleetPage";
import { TenantProvider } from "./live/TenantView";
import type { Person } from "./sign-in";
import { TenantPage, type Screen } from "./tenant/TenantPage";
import { Theme, useDarkness } from "./Theme";

interface Props {
  readonly api: Api | undefined;
  readonly person: Person | undefined;
  readonly onSignIn: () => Promise<void>;
  readonly onSignOut: () => Promise<void>;
}

export function App({ api, person, onSignIn, onSignOut }: Props) {
  const [isDark, setDark] = useDarkness();
  return (
    <Theme isDark={isDark}>
      <header className="top">
        <a href="#/" className="brand">
          <img src="./icon.svg" alt="" width="24" height="24" />
          Management sessions
        </a>
        <div className="row">
          {person && (
            <span className="person" title={person.username}>
              {person.name}
            </span>
          )}
          <Button
            appearance="subtle"
            aria-label={isDark ? "Light colours" : "Dark colours"}
            icon={isDark ? <WeatherSunny20Regular /> : <WeatherMoon20Regular />}
            onClick={() => setDark(!isDark)}
          />
          {person && (
            <Button appearance="subtle" icon={<SignOut20Regular />} onClick={() => void onSignOut()}>
              Sign out
            </Button>
          )}
        </div>
      </header>
      {api && person ? <Pages api={api} person={person} /> : <Welcome onSignIn={onSignIn} />}
    </Theme>
  );
}

function Pages({ api, person }: { api: Api; person: Person }) {
  const [tenantId, screen] = usePlace();
  if (!tenantId) return <FleetPage api={api} rights={person.rights} />;
  return (
    <TenantProvider key={tenantId} api={api} rights={person.rights} tenantId={tenantId}>
      <TenantPage screen={screen} />
    </TenantProvider>
  );
}

function Welcome({ onSignIn }: { onSignIn: () => Promise<void> }) {
  return (
    <main className="page welcome">
      <h1>Management sessions for Microsoft 365</h1>
      <p>A tenant can be managed only while its management session is on. Sign in to see your tenants.</p>
      <Button appearance="primary" size="large" onClick={() => void onSignIn()}>
        Sign in
      </Button>
    </main>
  );
}

/** The tenant and the screen that the address names: #/tenants/{tenantId} or #/tenants/{tenantId}/operators. */
function usePlace(): readonly [tenantId: string | undefined, screen: Screen] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  const [, tenantId, screen] = /^#\/tenants\/([^/]+)(\/operators)?$/.exec(hash) ?? [];
  return [tenantId, screen ? "operators" : "happening"];
}
