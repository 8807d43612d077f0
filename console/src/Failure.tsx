// What is shown when the console cannot begin, or not go on.
import { Button } from "@fluentui/react-components";
import { Component, type ReactNode } from "react";
import { ProblemBar } from "./parts/ProblemBar";
import { Problem } from "./problem";
import { Theme, useDarkness } from "./Theme";

export function Failure({ failure }: { failure: unknown }) {
  const [isDark] = useDarkness();
  const problem = Problem.of(failure);
  return (
    <Theme isDark={isDark}>
      <main className="page welcome">
        <h1>The console stopped</h1>
        <ProblemBar problem={problem} />
        <Button onClick={() => location.reload()}>Try again</Button>
      </main>
    </Theme>
  );
}

/** Shows a failure of anything below it in its place, so that the page never goes blank. */
export class FailureBoundary extends Component<{ children: ReactNode }, { failure?: unknown }> {
  override state: { failure?: unknown } = {};

  static getDerivedStateFromError(failure: unknown): { failure: unknown } {
    return { failure };
  }

  override render(): ReactNode {
    return "failure" in this.state ? <Failure failure={this.state.failure} /> : this.props.children;
  }
}
