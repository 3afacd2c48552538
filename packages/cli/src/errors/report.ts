/**
 * Errors as lines on stderr.
 *
 * `sandlock: error: what: why: and why that`, one line each, whatever the names in it contain. SANDLOCK_DEBUG=1 adds
 * the stack. Options that make no sense are a line each, and so are mistakes in a profile.
 */
import type { ConfigIssue } from '@sandlock/sandbox';

import { writeError } from '../terminal/output.js';
import { printable } from '../terminal/printable.js';
import { UsageError } from './usage-error.js';

export function reportError(error: unknown): void {
  for (const line of errorLines(error)) writeError(`sandlock: error: ${line}\n`);
  if (error instanceof UsageError) writeError(`See "${error.command} --help".\n`);
  if (process.env['SANDLOCK_DEBUG'] === '1' && error instanceof Error) writeError(`${error.stack ?? ''}\n`);
}

export function errorLines(error: unknown): string[] {
  const { issues, profile } = (error ?? {}) as { issues?: readonly ConfigIssue[]; profile?: string };
  if (issues === undefined) return [oneLine(causeChain(error))];
  return issues.map(({ path, message, hint }) => oneLine(
    `${profile === undefined ? '' : `${profile}: `}${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : ` ${hint}`}`));
}

function causeChain(error: unknown): string {
  const messages: string[] = [];
  const seen = new Set<unknown>();
  for (let at = error; at !== undefined && !seen.has(at); at = at instanceof Error ? at.cause : undefined) {
    seen.add(at);
    const message = at instanceof Error ? at.message : String(at);
    // A message that already tells its cause need not tell it twice.
    if (!messages.some((told) => told.includes(message))) messages.push(message);
  }
  if (messages.length === 0) messages.push('something was thrown that says nothing');
  return messages.map((message, i) => (i < messages.length - 1 ? message.replace(/\.$/, '') : message)).join(': ');
}

/** A path may hold a newline or an escape sequence; a terminal must not obey it. */
function oneLine(text: string): string {
  return printable(text.replace(/\n\s*/g, ' ').replaceAll('\t', ' '));
}
