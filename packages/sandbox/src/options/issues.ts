/** Issues of a schema, as issues of the options. */
import type * as v from 'valibot';

import type { ConfigIssue } from '../errors.js';

/** @param root the option; list indices and keys are added to it */
export function toConfigIssue(root: string, issue: v.BaseIssue<unknown>): ConfigIssue {
  const path = (issue.path ?? []).reduce((text, item) => text + step(item.key), root);
  // grammar() puts its hint there; a schema of valibot itself names a type, which its message already says.
  const hint = issue.type === 'raw_transform' ? issue.expected : null;
  return hint === null || hint === undefined ? { path, message: issue.message } : { path, message: issue.message, hint };
}

function step(key: unknown): string {
  if (typeof key === 'number') return `[${key}]`;
  const text = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}
