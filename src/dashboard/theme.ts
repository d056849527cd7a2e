import { useState } from "preact/hooks";

const KEY = "collapsar-theme";

/** `system`: as the machine is set. */
export type Theme = "system" | "light" | "dark";

/** Returns the theme that was chosen on this machine, and what changes it. */
export function useTheme(): [theme: Theme, choose: (theme: Theme) => void] {
  const [theme, setTheme] = useState(chosen);
  const choose = (next: Theme) => {
    localStorage.setItem(KEY, next);
    showTheme(next);
    setTheme(next);
  };
  return [theme, choose];
}

/** Makes the page light or dark; by default as it was chosen before. */
export function showTheme(theme: Theme = chosen()): void {
  document.documentElement.dataset.theme = theme;
}

function chosen(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}
