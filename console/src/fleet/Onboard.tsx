// A new tenant: its id and name. The list then says what is still missing.
import { Button, Field, Input, Select } from "@fluentui/react-components";
import { Add20Regular } from "@fluentui/react-icons";
import { useState } from "react";
import type { Api } from "../api";
import type { RoleProfile } from "../bodies";
import { Confirmation } from "../parts/Confirmation";
import { ProblemBar } from "../parts/ProblemBar";
import { Problem } from "../problem";
import { GUID, PROFILE } from "../words";

export function Onboard({ api, onDone }: { api: Api; onDone: () => void }) {
  const [id, setId] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [roleProfile, setRoleProfile] = useState<RoleProfile>("leastPrivilege");
  const [problem, setProblem] = useState<Problem>();

  const onboard = async (close: () => void) => {
    try {
      await api.onboard(id, { displayName, roleProfile });
      close();
      onDone();
    } catch (thrown) {
      setProblem(Problem.of(thrown));
    }
  };
  return (
    <Confirmation
      title="Onboard a tenant"
      trigger={
        <Button appearance="primary" icon={<Add20Regular />}>
          Onboard a tenant
        </Button>
      }
      action={(close) => (
        <Button appearance="primary" disabled={!GUID.test(id) || !displayName} onClick={() => void onboard(close)}>
          Onboard
        </Button>
      )}
    >
      <Field label="Tenant id" hint="The directory id in Entra, a GUID." required>
        <Input value={id} spellCheck={false} onChange={(_, typed) => setId(typed.value.trim())} />
      </Field>
      <Field label="Name" required>
        <Input value={displayName} maxLength={256} onChange={(_, typed) => setDisplayName(typed.value)} />
      </Field>
      <Field label="Roles of its service account">
        <Select value={roleProfile} onChange={(_, chosen) => setRoleProfile(chosen.value as RoleProfile)}>
          {Object.entries(PROFILE).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </Select>
      </Field>
      {problem && <ProblemBar problem={problem} />}
    </Confirmation>
  );
}
