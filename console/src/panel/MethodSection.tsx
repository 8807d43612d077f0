// Whose sign-in the session stands on, and the form that a Global Administrator fills in.
import { Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import type { NextStep, Session } from "../bodies";
import { WarningBar } from "../parts/ProblemBar";
import { Section } from "../parts/Section";

export type Method = NonNullable<Session["method"]>;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Props {
  readonly method: Method;
  readonly onMethod: (method: Method) => void;
  readonly isFixed: boolean;
  readonly warning: NextStep | undefined;
}

/** What the API says one should know of a method, before it is chosen and while the session stands on it. */
export function warningOf(session: Session, method: Method): NextStep | undefined {
  return session.methods?.find((each) => each.method === method)?.warning;
}

export function MethodSection({ method, onMethod, isFixed, warning }: Props) {
  return (
    <Section title="Method">
      <RadioGroup
        value={method}
        disabled={isFixed}
        onChange={(_, chosen) => onMethod(chosen.value as Method)}
        aria-label="Whose sign-in the session stands on"
      >
        <Radio value="serviceAccount" label="Use management service account" />
        <Radio value="globalAdmin" label="Use Global Admin credentials" />
      </RadioGroup>
      {warning && <WarningBar step={warning} />}
    </Section>
  );
}

export function CredentialFields(props: { value: Credentials; onChange: (value: Credentials) => void }) {
  const { value, onChange } = props;
  return (
    <>
      <p className="fine">
        For a Global Administrator without MFA. The password is used for this one sign-in and never stored.
      </p>
      <Field label="Sign-in name" required>
        <Input
          value={value.username}
          autoComplete="off"
          spellCheck={false}
          placeholder="admin@contoso.onmicrosoft.com"
          onChange={(_, typed) => onChange({ ...value, username: typed.value.trim() })}
        />
      </Field>
      <Field label="Password" required>
        <Input
          type="password"
          autoComplete="off"
          value={value.password}
          onChange={(_, typed) => onChange({ ...value, password: typed.value })}
        />
      </Field>
    </>
  );
}
