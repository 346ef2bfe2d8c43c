/* Light or dark: as the system has it, or as was chosen here, which is kept. */
import { useEffect, useState } from 'preact/hooks';

export type Choice = 'auto' | 'light' | 'dark';
const KEPT = 'brant-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function choice(): Choice {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === 'light' || kept === 'dark' ? kept : 'auto';
  } catch {
    return 'auto';
  }
}

function apply(): void {
  const now = choice();
  document.documentElement.dataset['theme'] = now === 'auto' ? (system.matches ? 'dark' : 'light') : now;
  for (const listener of listeners) listener();
}

export function choose(theme: Choice): void {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // Kept for this page only.
  }
  apply();
}

system.addEventListener('change', apply);
apply();

export function isDark(): boolean {
  return document.documentElement.dataset['theme'] === 'dark';
}

export function useTheme(): { choice: Choice; dark: boolean } {
  const [state, set] = useState({ choice: choice(), dark: isDark() });
  useEffect(() => {
    const listener = (): void => set({ choice: choice(), dark: isDark() });
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return state;
}

/** Of types, in order. Each is told from the background, and from its neighbours in the list, in both themes. */
const LIGHT = ['#2f6bd8', '#d9541e', '#198a5b', '#8b4fc9', '#b8860b', '#c2326f', '#0e8aa0', '#6d7a1f', '#7a5236', '#5a6577'];
const DARK = ['#6ea1ff', '#ff9463', '#4fcf98', '#bd8bff', '#e6c04a', '#ff7fb0', '#4fd0e6', '#b9c95a', '#cf9f7c', '#a3aec0'];

export function palette(index: number, dark = isDark()): string {
  const colours = dark ? DARK : LIGHT;
  return colours[index % colours.length] as string;
}

export function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
