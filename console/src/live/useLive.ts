// Reading again and again: one read at a time, never sooner than the API allows, and not while nobody looks.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Answer } from "../api";
import { Problem } from "../problem";

export interface Live<T> {
  /** What was read last; it stays while a later read fails. */
  readonly value: T | undefined;
  /** Its ETag, where the API gave one. */
  readonly version: string | undefined;
  /** Why the last read failed; undefined after one that did not. */
  readonly problem: Problem | undefined;
  /** Reads now, unless the API's Retry-After is not over: then as soon as it is. */
  readonly refresh: () => void;
}

const FIRST_BACKOFF = 2;
const LONGEST_BACKOFF = 15;

/** `pace` says after how many seconds to read again, undefined for never. A new `key` starts over, with `first` if it
 *  is there already, otherwise by reading. */
export function useLive<T>(
  key: string | undefined,
  read: (signal: AbortSignal) => Promise<Answer<T>>,
  pace: (value: T) => number | undefined,
  first?: Answer<T>,
): Live<T> {
  const [state, setState] = useState<State<T>>({});
  const latest = useRef({ read, pace, first });
  latest.current = { read, pace, first };
  const hurry = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (key === undefined) return;
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let notBefore = 0;
    let failures = 0;
    let isReading = false;
    let isWantedAgain = false;

    const later = (seconds: number | undefined) => {
      clearTimeout(timer);
      if (seconds !== undefined && !leaving.signal.aborted) timer = setTimeout(() => void go(), seconds * 1000);
    };
    const take = (answer: Answer<T>) => {
      failures = 0;
      const atLeast = answer.retryAfter ?? 0;
      notBefore = Date.now() + atLeast * 1000;
      setState({ key, value: answer.body, version: answer.version });
      const pause = latest.current.pace(answer.body);
      later(pause === undefined ? undefined : Math.max(pause, atLeast));
    };
    const go = async () => {
      if (document.hidden || isReading) {
        isWantedAgain = true;
        return;
      }
      isReading = true;
      isWantedAgain = false;
      try {
        const answer = await latest.current.read(leaving.signal);
        if (!leaving.signal.aborted) take(answer);
      } catch (thrown) {
        if (leaving.signal.aborted) return;
        const problem = Problem.of(thrown);
        const pause = problem.retryAfter ?? Math.min(FIRST_BACKOFF * 2 ** failures++, LONGEST_BACKOFF);
        notBefore = Date.now() + (problem.retryAfter ?? 0) * 1000;
        setState((before) => (before.key === key ? { ...before, problem } : { key, problem }));
        later(pause);
      } finally {
        isReading = false;
        if (isWantedAgain) hurry.current();
      }
    };
    hurry.current = () => {
      if (isReading) isWantedAgain = true;
      else later(Math.max(0, notBefore - Date.now()) / 1000);
    };
    const onVisible = () => {
      if (!document.hidden) hurry.current();
    };
    document.addEventListener("visibilitychange", onVisible);
    if (latest.current.first) take(latest.current.first);
    else void go();
    return () => {
      leaving.abort();
      clearTimeout(timer);
      hurry.current = () => undefined;
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key]);

  const refresh = useCallback(() => hurry.current(), []);
  const { value, version, problem } = state.key === key ? state : NOTHING;
  return { value, version, problem, refresh };
}

interface State<T> {
  readonly key?: string | undefined;
  readonly value?: T;
  readonly version?: string | undefined;
  readonly problem?: Problem;
}

const NOTHING = { value: undefined, version: undefined, problem: undefined };
