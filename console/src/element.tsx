// <management-session>: the header's tab with its panel, for the pages of others. README.md shows how to embed it.
import "./style.css";
import { useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { Api, type Token } from "./api";
import { TenantProvider } from "./live/TenantView";
import { Panel } from "./panel/Panel";
import { rightsOf, type Rights } from "./rights";
import { SessionTab } from "./SessionTab";
import { Theme, useDarkness } from "./Theme";

class ManagementSession extends HTMLElement {
  /** Set by the page that embeds: a token for the API, fresh whenever it is asked for. */
  getToken: Token | undefined;

  private root: Root | undefined;

  connectedCallback(): void {
    const root = (this.root = createRoot(this));
    const api = this.getAttribute("api");
    const tenantId = this.getAttribute("tenant-id");
    const getToken = this.getToken;
    if (!api || !tenantId || !getToken) {
      throw new Error("<management-session> needs the attributes api and tenant-id and the property getToken.");
    }
    void getToken().then((token) =>
      root.render(<Embedded api={new Api(api, getToken)} rights={rightsOf(token)} tenantId={tenantId} />),
    );
  }

  disconnectedCallback(): void {
    this.root?.unmount();
  }
}

function Embedded(props: { api: Api; rights: Rights; tenantId: string }) {
  const [isDark] = useDarkness();
  const [isOpen, setOpen] = useState(false);
  return (
    <Theme isDark={isDark}>
      <TenantProvider {...props}>
        <SessionTab onOpen={() => setOpen(true)} />
        <Panel isOpen={isOpen} onClose={() => setOpen(false)} />
      </TenantProvider>
    </Theme>
  );
}

customElements.define("management-session", ManagementSession);
