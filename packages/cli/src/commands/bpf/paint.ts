/**
 * Colour, for people only: where stdout is a terminal and nobody asked to do without. no-color.org.
 */
import { isatty } from 'node:tty';

export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  /** An action, or a line that ends in one: green lets the call happen, red ends the process, yellow is the rest. */
  readonly action: (text: string) => string;
}

export function isColoured(env: NodeJS.ProcessEnv = process.env, terminal: () => boolean = () => isatty(1)): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' && terminal();
}

export function paint(coloured: boolean): Paint {
  const sgr = (code: number) => (text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    strong: sgr(1),
    faint: sgr(2),
    action: (text) => sgr(/^(ALLOW|LOG)\b/.test(text) ? 32 : /^KILL/.test(text) ? 31 : 33)(text),
  };
}
