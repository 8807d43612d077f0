// The screen of who may do what in this tenant: seen, granted and taken away by its administrators.
import { Button, Checkbox, Field, Input } from "@fluentui/react-components";
import { PersonAdd20Regular } from "@fluentui/react-icons";
import { useId, useState } from "react";
import type { OperatorGrant, Right } from "../bodies";
import { useKept } from "../live/useKept";
import { useLive } from "../live/useLive";
import { useTenant } from "../live/TenantView";
import { Act } from "../parts/Act";
import { Confirmation } from "../parts/Confirmation";
import { ProblemBar } from "../parts/ProblemBar";
import { Placeholder, Section } from "../parts/Section";
import { GUID, RIGHT } from "../words";

export function Operators() {
  const { api, rights, tenantId, version } = useTenant();
  const key = version && rights.has("administrator") ? `${tenantId} ${version}` : undefined;
  const { value, problem } = useKept(useLive(key, (signal) => api.operators(tenantId, signal), () => 60));
  if (!rights.has("administrator")) return <p>Takes an administrator.</p>;
  return (
    <Section title="Who may do what here" aside={<Grant />}>
      <p className="fine">
        Rights granted for this tenant. Whoever has an app role for every tenant (its name ends in .All) is not listed.
      </p>
      {problem && <ProblemBar problem={problem} />}
      {!value && !problem && <Placeholder lines={3} />}
      {value?.value.length === 0 && <p>Nobody was granted a right in this tenant alone.</p>}
      {value && value.value.length > 0 && <Grants grants={value.value} />}
    </Section>
  );
}

function Grants({ grants }: { grants: readonly OperatorGrant[] }) {
  return (
    <ul className="grants" aria-label="Rights granted here">
      {grants.map((grant) => (
        <li key={grant.objectId}>
          <div>
            {grant.displayName ?? "No name given"}
            <div className="fine">
              <code>{grant.objectId}</code>
            </div>
          </div>
          <div>{grant.roles.map((right) => RIGHT[right].name).join(", ")}</div>
          <div className="row">
            <Grant former={grant} />
            <Remove grant={grant} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Lets somebody in, or replaces what was granted before. */
function Grant({ former }: { former?: OperatorGrant }) {
  const { tenantId } = useTenant();
  const [objectId, setObjectId] = useState(former?.objectId ?? "");
  const [displayName, setDisplayName] = useState(former?.displayName ?? "");
  const [roles, setRoles] = useState<readonly Right[]>(former?.roles ?? []);
  const legend = useId();
  const who = former ? (former.displayName ?? former.objectId) : "";
  const missing = !GUID.test(objectId) ? "Fill in the object id first." : roles.length ? undefined : "Choose a right.";
  return (
    <Confirmation
      title={former ? `Change what ${who} may do here` : "Let somebody in"}
      trigger={
        former ? (
          <Button size="small">
            Change<span className="for-ears"> what {who} may do</span>
          </Button>
        ) : (
          <Button icon={<PersonAdd20Regular />}>Let somebody in</Button>
        )
      }
      action={(close) => (
        <Act
          right="administrator"
          tone="primary"
          anytime
          obstacle={missing}
          onDone={close}
          call={(api) => api.grant(tenantId, objectId, { roles: [...roles], ...(displayName && { displayName }) })}
        >
          Grant
        </Act>
      )}
    >
      {!former && (
        <Field label="Object id" hint="Of the person or application in your own directory, a GUID." required>
          <Input value={objectId} spellCheck={false} onChange={(_, typed) => setObjectId(typed.value.trim())} />
        </Field>
      )}
      <Field label="Name to show">
        <Input value={displayName} maxLength={256} onChange={(_, typed) => setDisplayName(typed.value)} />
      </Field>
      <div role="group" aria-labelledby={legend}>
        <span id={legend}>May act as</span>
        {Object.entries(RIGHT).map(([right, { name, what }]) => (
          <div key={right}>
            <Checkbox
              label={`${name}: ${what}`}
              checked={roles.includes(right as Right)}
              onChange={(_, { checked }) => {
                const others = roles.filter((each) => each !== right);
                setRoles(checked ? [...others, right as Right] : others);
              }}
            />
          </div>
        ))}
      </div>
      <p className="fine">
        The right works with an app role of the same kind in Entra, the one without .All; without one, this grant does
        nothing.
      </p>
    </Confirmation>
  );
}

function Remove({ grant }: { grant: OperatorGrant }) {
  const { tenant, tenantId } = useTenant();
  const who = grant.displayName ?? grant.objectId;
  return (
    <Confirmation
      title={`Take every right in ${tenant?.displayName ?? "this tenant"} from ${who}?`}
      trigger={
        <Button size="small">
          Remove<span className="for-ears"> {who}</span>
        </Button>
      }
      action={(close) => (
        <Act
          right="administrator"
          tone="off"
          anytime
          onDone={close}
          call={(api) => api.removeGrant(tenantId, grant.objectId)}
        >
          Remove
        </Act>
      )}
    >
      <p>It holds from the next request on. Rights for every tenant, from Entra, are not touched.</p>
    </Confirmation>
  );
}
