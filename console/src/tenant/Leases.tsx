// Who is using the session now: the actions that hold a lease.
import type { LeaseInUse, Session } from "../bodies";
import { useKept } from "../live/useKept";
import { useLive } from "../live/useLive";
import { useTenant } from "../live/TenantView";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder } from "../parts/Section";
import { When } from "../parts/When";
import { ACTION, called } from "../words";

const REST = 15; // seconds; the tenant is read more often, and a change of its count brings a new look

export function Leases({ session }: { session: Session }) {
  const { api, tenantId } = useTenant();
  const key = session.leases > 0 ? `${tenantId} ${session.state} ${session.leases}` : undefined;
  const { value, problem } = useKept(useLive(key, (signal) => api.session(tenantId, signal), () => REST));
  if (!key) return <p>No action holds a lease.</p>;
  const held = value?.leasesInUse;
  return (
    <>
      {problem && <ProblemBar problem={problem} />}
      {!held && !problem && <Placeholder lines={session.leases} />}
      {held && <InUse held={held} />}
      {held && held.length < session.leases && (
        <p className="fine">
          The newest {held.length} of {session.leases}.
        </p>
      )}
    </>
  );
}

function InUse({ held }: { held: readonly LeaseInUse[] }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Leases in use">
      <table>
        <thead>
          <tr>
            <th scope="col">Action</th>
            <th scope="col">Operator</th>
            <th scope="col">Since</th>
            <th scope="col">Until</th>
          </tr>
        </thead>
        <tbody>
          {held.map((lease) => (
            <tr key={lease.leaseId}>
              <td>
                {lease.kind ? called(ACTION, lease.kind) : "Action"}
                <div className="fine">
                  <code>{lease.actionId.slice(0, 8)}</code>
                </div>
              </td>
              <td>{lease.operator?.name ?? "not known"}</td>
              <td>
                <When at={lease.since} />
              </td>
              <td>
                <When at={lease.until} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
