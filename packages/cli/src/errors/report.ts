/**
 * Errors as lines on stderr.
 *
 * `sandlock: error: what: why: and why that`, one line each, whatever the names in it contain. SANDLOCK_DEBUG=1 adds
 * the stack. Options that make no sense are a line each.
 */
import type { ConfigIssue } from '@sandlock/sandbox';

import { writeError } from '../terminal/output.js';
import { UsageError } from './usage-error.js';

export function reportError(error: unknown): void {
  for (const line of errorLines(error)) writeError(`sandlock: error: ${line}\n`);
  if (error instanceof UsageError) writeError(`See "${error.command} --help".\n`);
  if (process.env['SANDLOCK_DEBUG'] === '1' && error instanceof Error) writeError(`${error.stack ?? ''}\n`);
}

export function errorLines(error: unknown): string[] {
  const issues = (error as { issues?: readonly ConfigIssue[] } | null)?.issues;
  if (issues === undefined) return [oneLine(causeChain(error))];
  return issues.map(({ path, message, hint }) =>
    oneLine(`${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : ` ${hint}`}`));
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
  return text.replace(/\n\s*/g, ' ')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (control) => `\\u{${control.codePointAt(0)!.toString(16)}}`);
}
