// An operation as it goes: how far it is, its named steps, and how long each took.
import { ProgressBar, Spinner } from "@fluentui/react-components";
import { CheckmarkCircle20Filled, Circle20Regular, DismissCircle20Filled } from "@fluentui/react-icons";
import type { Operation, OperationStep } from "../bodies";
import { isFinal } from "../live/TenantView";
import { OPERATION, called, sentence, span } from "../words";

export function Progress({ operation }: { operation: Operation }) {
  const title = called(OPERATION, operation.kind);
  return (
    <section className="progress" aria-label={title} aria-busy={!isFinal(operation)}>
      <div className="row">
        <b>{title}</b>
        <span className="numbers">{operation.percentComplete} %</span>
      </div>
      <ProgressBar value={operation.percentComplete / 100} thickness="large" aria-label={title} />
      <StepList steps={operation.steps} />
      {!isFinal(operation) && <p className="fine">You may leave this page. {LEFT[operation.kind] ?? GOES_ON}</p>}
    </section>
  );
}

const GOES_ON = "The work goes on, and is here when you return.";

// What can be stopped or put aside, and how.
const LEFT: Partial<Record<Operation["kind"], string>> = {
  turnOn: `${GOES_ON} “Stop turning on” takes its place at once.`,
  turnOff: "The session ends all the same.",
  checkPolicies: "The check goes on, and gives way to whatever else you begin.",
};

export function StepList({ steps }: { steps: readonly OperationStep[] }) {
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li key={step.name} data-status={step.status}>
          <Mark status={step.status} />
          <span>{sentence(step.name)}</span>
          <span className="fine numbers">{duration(step)}</span>
        </li>
      ))}
    </ol>
  );
}

function Mark({ status }: { status: OperationStep["status"] }) {
  switch (status) {
    case "succeeded":
      return <CheckmarkCircle20Filled aria-label="Done" role="img" className="good" />;
    case "running":
      return <Spinner size="extra-tiny" aria-label="Running" />;
    case "failed":
    case "canceled":
      return <DismissCircle20Filled aria-label={sentence(status)} role="img" className="bad" />;
    case "notStarted":
      return <Circle20Regular aria-label="Not started" role="img" className="quiet" />;
  }
}

function duration(step: OperationStep): string {
  if (!step.startedAt || !step.endedAt) return "";
  const milliseconds = new Date(step.endedAt).getTime() - new Date(step.startedAt).getTime();
  return milliseconds < 1000 ? `${Math.max(0, milliseconds)} ms` : span(milliseconds);
}
