// <management-session>: the header's tab with its panel, for the pages of others. README.md shows how to embed it.
import "./style.css";
import { useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { Api, type Token } from "./api";
import { FailureBoundary } from "./Failure";
import { TenantProvider } from "./live/TenantView";
import { Panel } from "./panel/Panel";
import { ProblemBar } from "./parts/ProblemBar";
import { Problem } from "./problem";
import { rightsOf, type Rights } from "./rights";
import { SessionTab } from "./SessionTab";
import { Theme, useDarkness } from "./Theme";

class ManagementSession extends HTMLElement {
  static readonly observedAttributes = ["api", "tenant-id"];

  /** Set by the page that embeds: a token for the API, fresh whenever it is asked for. */
  getToken: Token | undefined;

  private root: Root | undefined;

  connectedCallback(): void {
    this.root = createRoot(this);
    void this.show();
  }

  /** Another tenant was chosen. */
  attributeChangedCallback(): void {
    if (this.root) void this.show();
  }

  disconnectedCallback(): void {
    this.root?.unmount();
    this.root = undefined;
  }

  private async show(): Promise<void> {
    const api = this.getAttribute("api");
    const tenantId = this.getAttribute("tenant-id");
    const getToken = this.getToken;
    if (!api || !tenantId || !getToken) {
      throw new Error("<management-session> needs the attributes api and tenant-id and the property getToken.");
    }
    try {
      const rights = rightsOf(await getToken());
      if (tenantId !== this.getAttribute("tenant-id")) return; // chosen away from while the token was fetched
      this.root?.render(
        <Embedded key={`${api} ${tenantId}`} api={new Api(api, getToken)} rights={rights} tenantId={tenantId} />,
      );
    } catch (thrown) {
      this.root?.render(<NotShown problem={Problem.of(thrown)} />);
    }
  }
}

function Embedded(props: { api: Api; rights: Rights; tenantId: string }) {
  const [isDark] = useDarkness();
  const [isOpen, setOpen] = useState(false);
  return (
    <FailureBoundary>
      <Theme isDark={isDark}>
        <TenantProvider {...props}>
          <SessionTab onOpen={() => setOpen(true)} />
          <Panel isOpen={isOpen} onClose={() => setOpen(false)} />
        </TenantProvider>
      </Theme>
    </FailureBoundary>
  );
}

function NotShown({ problem }: { problem: Problem }) {
  const [isDark] = useDarkness();
  return (
    <Theme isDark={isDark}>
      <ProblemBar problem={problem} title="The management session cannot be shown" />
    </Theme>
  );
}

customElements.define("management-session", ManagementSession);
