/**
 * The identifiers that the kernel makes at random: a new UUID at every open, and one of the boot.
 *
 * random(4), "/proc interfaces"
 */
import { S_IFREG } from '@sandlock/sys';

import { viewFile } from '../views/view-file.js';
import type { View } from '../views/view.js';
import type { RandomStream } from './random-tree.js';

const DIRECTORY = '/proc/sys/kernel/random';

/**
 * @param bootId    the one of the run
 * @param streamOf  where UUIDs for a thread's process come from
 */
export function randomIds(bootId: string, streamOf: (tid: number) => RandomStream | undefined): readonly View[] {
  // stat(2) looks at no content, so that it uses none up; the kernel's files have no size either.
  const stat = () => ({ mode: S_IFREG | 0o444, size: 0 });
  return [
    { ...viewFile(`${DIRECTORY}/boot_id`, () => `${bootId}\n`), stat },
    {
      ...viewFile(`${DIRECTORY}/uuid`, ({ asker }) => {
        const stream = streamOf(asker.pid);
        if (stream === undefined) throw new Error(`Whose thread ${asker.pid} is cannot be told.`);
        return `${uuid(stream)}\n`;
      }),
      stat,
    },
  ];
}

/** Version 4. RFC 9562, section 5.4 */
export function uuid(stream: RandomStream): string {
  const bytes = stream.read(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
