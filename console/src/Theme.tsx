// Light and dark, as the machine is set unless the person chose.
import { FluentProvider, webDarkTheme, webLightTheme } from "@fluentui/react-components";
import { useEffect, useState, type ReactNode } from "react";

const DARK = window.matchMedia("(prefers-color-scheme: dark)");
const KEY = "theme";

export function useDarkness(): readonly [isDark: boolean, setDark: (isDark: boolean) => void] {
  const [chosen, setChosen] = useState(() => localStorage.getItem(KEY));
  const [machine, setMachine] = useState(DARK.matches);
  useEffect(() => {
    const follow = () => setMachine(DARK.matches);
    DARK.addEventListener("change", follow);
    return () => DARK.removeEventListener("change", follow);
  }, []);
  const choose = (isDark: boolean) => {
    const value = isDark ? "dark" : "light";
    localStorage.setItem(KEY, value);
    setChosen(value);
  };
  return [chosen ? chosen === "dark" : machine, choose];
}

export function Theme({ isDark, children }: { isDark: boolean; children: ReactNode }) {
  const theme = isDark ? webDarkTheme : webLightTheme;
  return (
    <FluentProvider theme={theme} className={isDark ? "management dark" : "management"}>
      {children}
    </FluentProvider>
  );
}
