// The header's tab: what the management session is, now. A click opens the panel.
import { useRestoreFocusTarget } from "@fluentui/react-components";
import { ChevronRight16Regular } from "@fluentui/react-icons";
import type { Session } from "./bodies";
import { useTenant } from "./live/TenantView";
import { Remaining } from "./parts/When";
import { SESSION } from "./words";

export function SessionTab({ onOpen }: { onOpen: () => void }) {
  const { tenant, problem } = useTenant();
  const session = tenant?.session;
  const returnFocusHere = useRestoreFocusTarget();
  return (
    <>
      <button
        {...returnFocusHere}
        type="button"
        className="tab"
        data-state={session?.state ?? "reading"}
        aria-haspopup="dialog"
        onClick={onOpen}
      >
        <span className="lamp" aria-hidden="true" />
        <span className="tab-words">
          <b>{session ? SESSION[session.state] : "Reading…"}</b>
          <span className="tab-more">
            {problem ? "not reachable, last known" : session ? <More session={session} /> : "\u00a0"}
          </span>
        </span>
        <ChevronRight16Regular aria-hidden="true" />
      </button>
      <span role="status" className="for-ears">
        {session ? SESSION[session.state] : ""}
      </span>
    </>
  );
}

function More({ session }: { session: Session }) {
  if (session.state === "on" && session.expiresAt) {
    return (
      <>
        <Remaining until={session.expiresAt} /> left
      </>
    );
  }
  if (session.state === "draining") return <>{session.leases} in use</>;
  return <>Management session</>;
}
