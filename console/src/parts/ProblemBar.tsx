// Every error looks so: what went wrong, what to do next, and the correlation id to give to support.
import { Link, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import type { ErrorDetail, NextStep } from "../bodies";

interface Shown {
  readonly code: string;
  readonly message: string;
  readonly nextStep?: NextStep | undefined;
  readonly details?: readonly ErrorDetail[];
  readonly correlationId?: string | undefined;
}

interface Props {
  readonly problem: Shown;
  readonly title?: string;
}

export function ProblemBar({ problem, title }: Props) {
  return (
    <MessageBar intent="error" layout="multiline" role="alert" className="bar">
      <MessageBarBody>
        {title && <MessageBarTitle>{title}</MessageBarTitle>}
        {problem.message}
        {problem.details?.map((each) => <div key={each.message}>{each.message}</div>)}
        {problem.nextStep && <Advice step={problem.nextStep} label="What to do" />}
        <div className="fine">
          {problem.code}
          {problem.correlationId && (
            <>
              {" · correlation id "}
              <code>{problem.correlationId}</code>
            </>
          )}
        </div>
      </MessageBarBody>
    </MessageBar>
  );
}

export function Advice(props: { step: NextStep; label: string; linkText?: string }) {
  const { step, label, linkText = "Open where to do it" } = props;
  return (
    <div>
      <b>{label}: </b>
      {step.text}
      {step.link && (
        <>
          {" "}
          <Link href={step.link} target="_blank" rel="noreferrer" inline>
            {linkText}
          </Link>
        </>
      )}
    </div>
  );
}

export function WarningBar({ step }: { step: NextStep }) {
  return (
    <MessageBar intent="warning" layout="multiline" className="bar">
      <MessageBarBody>
        <Advice step={step} label="Note" linkText="Read more" />
      </MessageBarBody>
    </MessageBar>
  );
}
