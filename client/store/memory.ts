/** `localStorage` as a `Memory`: a browser that blocks it costs the memory, never the page. */
import type { Memory } from './ports.ts';

const PREFIX = 'matinee.';

export const deviceMemory: Memory = {
  read(name) {
    try {
      return localStorage.getItem(PREFIX + name);
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      if (value === null) localStorage.removeItem(PREFIX + name);
      else localStorage.setItem(PREFIX + name, value);
    } catch {
      // Full or forbidden: the value lives as long as the page.
    }
  },
};
