/**
 * What a target finds nowhere, though the machine has it: a name, with everything beneath.
 */
import { action } from '@sandlock/dispatch';

import type { View } from './view.js';

export function absent(path: string): View {
  return { path, absent: true, open: () => action.errno('ENOENT'), stat: () => undefined };
}
