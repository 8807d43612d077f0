// The trail as a timeline, newest first, with filters; an entry opens the operation it belongs to.
import { Button, Field, Input, Select, useRestoreFocusTarget } from "@fluentui/react-components";
import { useState } from "react";
import type { ActivityEntry, ActivityPage } from "../bodies";
import { useTenant } from "../live/TenantView";
import { ProblemBar } from "../parts/ProblemBar";
import { Sentence, When } from "../parts/When";
import { Problem } from "../problem";
import { nameOf, sentence } from "../words";

const GROUPS: Record<string, RegExp> = {
  Everything: /./,
  Session: /^session|autoEnable/,
  "Service account": /^serviceAccount|^password|^rotation/,
  Policies: /^policy|^allowedIps|^consent/,
  Actions: /^action|^lease/,
  "Refusals and failures": /Refused$|Failed$|Denied$|Canceled$/,
};

interface Props {
  readonly page: ActivityPage;
  readonly onOperation: (operationId: string) => void;
}

export function Activity({ page, onOperation }: Props) {
  const { api } = useTenant();
  const [group, setGroup] = useState("Everything");
  const [words, setWords] = useState("");
  const [older, setOlder] = useState<ActivityPage>();
  const [problem, setProblem] = useState<Problem>();

  const newest = new Set(page.value.map((entry) => entry.id));
  const entries = [...page.value, ...(older?.value.filter((entry) => !newest.has(entry.id)) ?? [])];
  const shown = entries.filter((entry) => GROUPS[group]?.test(entry.kind) && holds(entry, words));
  const link = older ? older.nextLink : page.nextLink;

  const loadOlder = async (nextLink: string) => {
    try {
      const { body } = await api.next<ActivityPage>(nextLink);
      setOlder((before) => ({ ...body, value: [...(before?.value ?? page.value), ...body.value] }));
      setProblem(undefined);
    } catch (thrown) {
      setProblem(Problem.of(thrown));
    }
  };
  return (
    <>
      <div className="pair">
        <Field label="Show">
          <Select value={group} onChange={(_, chosen) => setGroup(chosen.value)}>
            {Object.keys(GROUPS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
        <Field label="Holding the words">
          <Input type="search" value={words} onChange={(_, typed) => setWords(typed.value)} />
        </Field>
      </div>
      <ol className="timeline">
        {shown.map((entry) => (
          <Entry key={entry.id} entry={entry} onOperation={onOperation} />
        ))}
      </ol>
      {shown.length === 0 && <p className="fine">Nothing of this kind in what was read.</p>}
      {problem && <ProblemBar problem={problem} />}
      {link && <Button onClick={() => void loadOlder(link)}>Load older entries</Button>}
    </>
  );
}

function Entry({ entry, onOperation }: { entry: ActivityEntry; onOperation: Props["onOperation"] }) {
  const { operationId } = entry;
  const returnFocusHere = useRestoreFocusTarget();
  return (
    <li data-bad={GROUPS["Refusals and failures"]?.test(entry.kind) || undefined}>
      <span className="fine numbers">
        <When at={entry.at} />
      </span>
      <div>
        <b>{sentence(entry.kind)}</b> <span className="fine">by {nameOf(entry.actor)}</span>
        <div>
          <Sentence text={entry.summary} />
        </div>
        {entry.reason && <div className="fine">Reason: {entry.reason}</div>}
        <div className="fine thread">
          <span>
            correlation id <code>{entry.correlationId}</code>
          </span>
          {operationId && (
            <Button {...returnFocusHere} size="small" appearance="subtle" onClick={() => onOperation(operationId)}>
              Steps<span className="for-ears"> of {sentence(entry.kind)}</span>
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

function holds(entry: ActivityEntry, words: string): boolean {
  const text = `${entry.kind} ${entry.summary} ${entry.reason ?? ""} ${entry.actor.name ?? ""} ${entry.correlationId}`;
  return words.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
}
