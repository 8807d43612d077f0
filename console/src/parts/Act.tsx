// A button that does something to the tenant: usable only by whoever may, busy at once, its refusal right below it.
import { Button, Spinner, type ButtonProps } from "@fluentui/react-components";
import { useId, useState, type ReactNode } from "react";
import { useTenant, type Call } from "../live/TenantView";
import { Problem } from "../problem";
import type { Right } from "../rights";
import { ProblemBar } from "./ProblemBar";

const ARTICLE: Record<Right, string> = { operator: "an operator", administrator: "an administrator" };

export interface ActProps {
  readonly right: Right;
  readonly call: Call<unknown>;
  readonly onDone?: () => void;
  readonly tone?: "primary" | "on" | "off" | "plain";
  readonly icon?: ButtonProps["icon"];
  /** Whether it may be done while something else runs. */
  readonly anytime?: boolean;
  /** Why it cannot be done now, whoever asks. */
  readonly obstacle?: string | undefined;
  readonly children: ReactNode;
}

export function Act({ right, call, onDone, tone = "plain", icon, anytime, obstacle, children }: ActProps) {
  const { carryOut, isBusy, rights } = useTenant();
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const hint = useId();
  const reason = rights.has(right) ? obstacle : `Takes ${ARTICLE[right]}.`;

  const act = async () => {
    setSending(true);
    setProblem(undefined);
    try {
      await carryOut(call);
      onDone?.();
    } catch (thrown) {
      setProblem(Problem.of(thrown));
    } finally {
      setSending(false);
    }
  };
  return (
    <>
      <div className="act">
        <Button
          appearance={tone === "plain" ? "secondary" : "primary"}
          className={`tone-${tone}`}
          icon={isSending ? <Spinner size="tiny" role="presentation" /> : (icon ?? null)}
          disabled={reason !== undefined || (isBusy && !anytime) || isSending}
          {...(reason && { "aria-describedby": hint })}
          onClick={() => void act()}
        >
          {children}
        </Button>
        {reason && (
          <span id={hint} className="fine">
            {reason}
          </span>
        )}
      </div>
      {problem && <ProblemBar problem={problem} />}
    </>
  );
}
