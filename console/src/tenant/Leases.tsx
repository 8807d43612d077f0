// Who is using the session now: the actions that hold a lease, found through the trail and read one by one.
import { useEffect, useState } from "react";
import type { Action, ActivityEntry, Session } from "../bodies";
import { useNow } from "../live/useNow";
import { useTenant } from "../live/TenantView";
import { When } from "../parts/When";
import { ACTION } from "../words";

const AT_MOST = 20; // actions read for one look

export function Leases({ session, activity }: { session: Session; activity: readonly ActivityEntry[] }) {
  const { api, tenantId } = useTenant();
  const [actions, setActions] = useState<readonly Action[]>([]);
  const now = useNow(10);
  const candidates = holders(activity).join(" ");

  useEffect(() => {
    const leaving = new AbortController();
    const ids = candidates ? candidates.split(" ") : [];
    Promise.all(ids.map((id) => api.action(tenantId, id, leaving.signal)))
      .then((answers) => setActions(answers.map((answer) => answer.body)))
      .catch(() => undefined); // the next look at the trail tries again; the count stays the API's
    return () => leaving.abort();
  }, [api, tenantId, candidates, session.leases]);

  const held = actions.filter((each) => each.state === "decided" && each.expiresAt && Date.parse(each.expiresAt) > now);
  if (session.leases === 0) return <p className="fine">No action holds a lease.</p>;
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
          {held.map((action) => (
            <tr key={action.actionId}>
              <td>
                {ACTION[action.kind]}
                <div className="fine">
                  <code>{action.actionId.slice(0, 8)}</code>
                </div>
              </td>
              <td>{action.operator.name}</td>
              <td>
                <When at={action.decidedAt ?? action.receivedAt} />
              </td>
              <td>{action.expiresAt && <When at={action.expiresAt} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {held.length < session.leases && (
        <p className="fine">
          {held.length} of {session.leases} shown.
        </p>
      )}
    </div>
  );
}

/** The actions of the trail that were let act and have not told their end, newest first. */
function holders(activity: readonly ActivityEntry[]): readonly string[] {
  const ended = new Set<string>();
  const found: string[] = [];
  for (const { kind, actionId } of activity) {
    if (!actionId) continue;
    if (kind === "actionCompleted" || kind === "leaseReleased") ended.add(actionId);
    else if (kind === "actionReady" && !ended.has(actionId) && !found.includes(actionId)) found.push(actionId);
  }
  return found.slice(0, AT_MOST);
}
