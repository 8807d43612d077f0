// One part of the panel or the page, under a heading that a screen reader can jump to.
import { useId, type ReactNode } from "react";

export function Section(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <div className="row">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** Holds the place of what is still being read, so that nothing jumps when it comes. */
export function Placeholder({ lines = 3 }: { lines?: number }) {
  return (
    <div className="placeholder" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}
