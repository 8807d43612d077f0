// What lets a page stand still while something new is on its way.
import { useEffect, useState } from "react";
import type { Live } from "./useLive";

/** Keeps showing the last value while the next one is being read under another key. */
export function useKept<T>(live: Live<T>): Live<T> {
  const [kept, setKept] = useState(live);
  if (live.value !== undefined && live.value !== kept.value) setKept(live);
  return live.value === undefined && kept.value !== undefined ? { ...live, value: kept.value } : live;
}

/** The value, once it has been the same for so many milliseconds. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
