/**
 * Directory entries, as getdents64(2) and getdents(2) write them.
 *
 * The two records differ in where the type stands: behind the length, or in the record's last byte. Both are as long for
 * the same name, so what one call read always fits the buffer of the other. Names are bytes. `off` is a number of the
 * file system's own with 64 bits, a hash even; nothing may be concluded from it, but lseek(2) takes it back.
 * getdents(2); fs/readdir.c, filldir() and filldir64()
 */

export interface DirectoryEntry {
  readonly ino: bigint;
  /** Where reading goes on behind this entry: `d_off`. */
  readonly off: bigint;
  /** `DT_*`. */
  readonly type: number;
  readonly name: Buffer;
}

export type RecordLayout = 'getdents64' | 'getdents';

const ALIGNMENT = 8;
// offsetof(struct linux_dirent64, ...); the other structure has its name where this one has its type.
const OFF = 8;
const RECLEN = 16;
const TYPE64 = 18;
const NAME64 = 19;
const NAME = 18;

/** How many bytes an entry takes, in either layout. */
export function recordBytes(name: Uint8Array): number {
  return Math.ceil((NAME64 + name.length + 1) / ALIGNMENT) * ALIGNMENT;
}

/** @param bytes what getdents64(2) wrote; the names are parts of it */
export function decodeEntries(bytes: Buffer): DirectoryEntry[] {
  return entryStarts(bytes).map((at) => decodeEntry(bytes, at));
}

/** Where each begins. */
export function entryStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at + NAME64 < bytes.length; at += bytes.readUInt16LE(at + RECLEN)) starts.push(at);
  return starts;
}

export function decodeEntry(bytes: Buffer, at: number): DirectoryEntry {
  return {
    ino: bytes.readBigUInt64LE(at),
    off: bytes.readBigInt64LE(at + OFF),
    type: bytes[at + TYPE64]!,
    name: bytes.subarray(at + NAME64, bytes.indexOf(0, at + NAME64)),
  };
}

/** As many entries as fit, in their order. @param roomBytes the size of the target's buffer */
export function encodeEntries(
  entries: readonly DirectoryEntry[], layout: RecordLayout, roomBytes: number,
): { readonly bytes: Buffer; readonly count: number } {
  let total = 0;
  let count = 0;
  for (const { name } of entries) {
    if (total + recordBytes(name) > roomBytes) break;
    total += recordBytes(name);
    count++;
  }
  const bytes = Buffer.alloc(total);
  let at = 0;
  for (const entry of entries.slice(0, count)) at += encode(bytes, at, entry, layout);
  return { bytes, count };
}

function encode(bytes: Buffer, at: number, { ino, off, type, name }: DirectoryEntry, layout: RecordLayout): number {
  const length = recordBytes(name);
  bytes.writeBigUInt64LE(ino, at);
  bytes.writeBigInt64LE(off, at + OFF);
  bytes.writeUInt16LE(length, at + RECLEN);
  bytes[layout === 'getdents64' ? at + TYPE64 : at + length - 1] = type;
  bytes.set(name, at + (layout === 'getdents64' ? NAME64 : NAME));
  return length;
}
