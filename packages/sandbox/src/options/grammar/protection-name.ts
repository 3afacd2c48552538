/** Names of protections: `fsRefer` or `fs-refer`, in any case. */
import { PROTECTIONS, protectionFlagName, type Protection } from '../../landlock/protections.js';
import { nearestName } from '../nearest-name.js';
import { GrammarError, show } from './grammar-error.js';

/** @throws {GrammarError} the valid names are in it */
export function parseProtection(value: unknown): Protection {
  if (typeof value !== 'string') throw new GrammarError(`A protection is named by text, not ${show(value)}.`);
  const plain = (name: string) => name.replaceAll('-', '').toLowerCase();
  const found = PROTECTIONS.find((protection) => plain(protection) === plain(value));
  if (found !== undefined) return found;
  const names = PROTECTIONS.map(protectionFlagName);
  const nearest = nearestName(value, names);
  throw new GrammarError(`${show(value)} is no protection; there are ${names.join(', ')}.`,
    nearest === undefined ? undefined : `Did you mean ${nearest}?`);
}

/** The same, for `disable`. */
export function parseDisabledProtection(value: unknown): Protection {
  const protection = parseProtection(value);
  if (protection !== 'fsRefer') return protection;
  // landlock(7): REFER is the one right that is denied also when it is not handled.
  throw new GrammarError('fsRefer (fs-refer) cannot be disabled: the kernel denies it unless a rule grants it, so that would only tighten.',
    'Use allowDegraded to run on kernels without it.');
}
