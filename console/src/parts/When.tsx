// Moments: in local time, with the exact UTC on hover, and what is left of them.
import { useNow } from "../live/useNow";
import { span } from "../words";

const SAME_DAY = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const ANOTHER_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function When({ at }: { at: string }) {
  const moment = new Date(at);
  const isToday = moment.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={`${moment.toISOString()} (UTC)`}>
      {(isToday ? SAME_DAY : ANOTHER_DAY).format(moment)}
    </time>
  );
}

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/;

/** A sentence of the API's, with the moments in it as they are here. */
export function Sentence({ text }: { text: string }) {
  return text.split(MOMENT).map((part, at) => (at % 2 ? <When key={at} at={part} /> : part));
}

/** How long until then, counting down. */
export function Remaining({ until }: { until: string }) {
  const left = new Date(until).getTime() - useNow();
  return (
    <time dateTime={until} title={`${new Date(until).toISOString()} (UTC)`} className="numbers">
      {span(left)}
    </time>
  );
}
