// The current time as state, for what counts down.
import { useEffect, useState } from "react";

/** Milliseconds since 1970, renewed every `seconds`. */
export function useNow(seconds = 1): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
}
