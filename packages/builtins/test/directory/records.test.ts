import { describe, expect, it } from 'vitest';

import { decodeEntries, encodeEntries, recordBytes, type DirectoryEntry } from '../../src/directory/records.js';

const entry = (name: string | Buffer, off = 0x7fff_ffff_ffff_fff0n): DirectoryEntry => (
  { ino: 0xffff_ffff_ffff_fff1n, off, type: 4, name: Buffer.from(name as string) });

describe('directory records', () => {
  it('are long enough for the name, its NUL and the type, in eights', () => {
    expect([1, 4, 5, 12, 13, 255].map((n) => recordBytes(Buffer.alloc(n)))).toEqual([24, 24, 32, 32, 40, 280]);
  });

  it('come back as they were, 64-bit numbers and bytes that are no text included', () => {
    const entries = [entry('.'), entry(Buffer.from([0xff, 0x20, 0x0a])), entry('a'.repeat(255), -1n)];
    const { bytes, count } = encodeEntries(entries, 'getdents64', 4096);
    expect(count).toBe(3);
    expect(decodeEntries(bytes)).toEqual(entries);
  });

  it('have the type behind the length, or in the last byte of the older record', () => {
    const [name64, name] = (['getdents64', 'getdents'] as const).map((layout) => encodeEntries([entry('abc')], layout, 4096).bytes);
    expect([name64!.length, name64![18], name64!.toString('latin1', 19, 23)]).toEqual([24, 4, 'abc\0']);
    expect([name!.length, name![23], name!.toString('latin1', 18, 22)]).toEqual([24, 4, 'abc\0']);
    expect(name!.readUInt16LE(16)).toBe(24);
  });

  it('stop before the first that does not fit', () => {
    const { bytes, count } = encodeEntries([entry('a'), entry('much-longer'), entry('b')], 'getdents64', 24 + 31);
    expect([bytes.length, count]).toEqual([24, 1]);
    expect(encodeEntries([entry('abcde')], 'getdents64', 31).count).toBe(0);
  });
});
