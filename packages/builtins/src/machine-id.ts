/**
 * The id of the machine that a target finds: one of its own, in place of what tells this machine from all others.
 *
 * machine-id(5)
 */
import { viewFile } from './views/view-file.js';
import type { View } from './views/view.js';

/** The second is the same for programs that D-Bus came with first. dbus-uuidgen(1) */
const FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/** @throws {RangeError} it is not 32 hexadecimal digits in lower case, or all of them are 0 */
export function machineId(id: string): readonly View[] {
  if (!/^(?!0+$)[0-9a-f]{32}$/.test(id)) throw new RangeError(`A machine id is 32 hexadecimal digits in lower case, not all 0; ${JSON.stringify(id)} is none.`);
  const content = Buffer.from(`${id}\n`);
  return FILES.map((path) => viewFile(path, () => content));
}
