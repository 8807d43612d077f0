// What was removed, what was not, and which of it was read back from the tenant afterwards.
import { Badge } from "@fluentui/react-components";
import type { Operation, RemovalRow } from "../bodies";
import { sentence } from "../words";
import { Advice } from "./ProblemBar";
import { When } from "./When";

const COLOR: Record<RemovalRow["state"], "success" | "warning" | "informative" | "danger"> = {
  removed: "success",
  unverified: "warning",
  absent: "informative",
  left: "danger",
};

export function RemovalReport({ result }: { result: NonNullable<Operation["result"]> }) {
  if (!result.removal) return null;
  return (
    <div className="report">
      <table>
        <caption>Removal report</caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Which</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {result.removal.map((row) => (
            <tr key={`${row.kind} ${row.id ?? row.name}`}>
              <td>{sentence(row.kind)}</td>
              <td className="breakable">
                {row.name}
                {row.nextStep && <Advice step={row.nextStep} label="What to do" />}
              </td>
              <td>
                <Badge appearance="tint" color={COLOR[row.state]}>
                  {row.state}
                </Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="fine">
        {result.verifiedAt && (
          <>
            Read back <When at={result.verifiedAt} />.{" "}
          </>
        )}
        {result.restorableUntil && (
          <>
            Microsoft can restore the account until <When at={result.restorableUntil} />.
          </>
        )}
      </p>
    </div>
  );
}
