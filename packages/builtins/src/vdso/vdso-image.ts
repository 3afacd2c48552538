/**
 * The functions in a vDSO image.
 *
 * The image is a shared object that is mapped whole, headers, symbols and code, so an offset in it is an address.
 * What is read here is the kernel's own image as this process has it; still, nothing in it is believed unchecked.
 * vdso(7); elf(5); System V ABI, "Symbol Table" and "Hash Table"
 */
import { layoutError } from './errors.js';

export interface VdsoFunction {
  readonly name: string;
  /** Where its code begins. */
  readonly entry: number;
  readonly size: number;
  /** Where the symbol's value stands: 8 bytes that say {@link entry}. */
  readonly valueAt: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_HASH = 4n;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_GNU_HASH = 0x6ffffef5n;
const STT_FUNC = 2;
const SYMBOL_BYTES = 24; // Elf64_Sym
/** Real ones have fewer than 20. */
const MAX_SYMBOLS = 1024;

/** @throws {VdsoError} ERR_SANDLOCK_VDSO_LAYOUT: not a 64-bit little-endian image that starts at address 0 */
export function vdsoFunctions(image: Buffer): VdsoFunction[] {
  try {
    return functions(image);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw layoutError('its tables lead out of it');
  }
}

function functions(image: Buffer): VdsoFunction[] {
  if (image.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw layoutError('it is no 64-bit little-endian ELF image');
  const [programHeaders, size, count] = [number64(image, 32), image.readUInt16LE(54), image.readUInt16LE(56)];
  let dynamic: number | undefined;
  for (let i = 0; i < count; i++) {
    const at = programHeaders + i * size;
    const type = image.readUInt32LE(at);
    const [offset, address] = [number64(image, at + 8), number64(image, at + 16)];
    if ((type === PT_LOAD || type === PT_DYNAMIC) && offset !== address) throw layoutError('it is not mapped as it is laid out');
    if (type === PT_DYNAMIC) dynamic = offset;
  }
  if (dynamic === undefined) throw layoutError('it has no dynamic section');
  const tables = new Map<bigint, number>();
  for (let at = dynamic; image.readBigUInt64LE(at) !== 0n; at += 16) tables.set(image.readBigUInt64LE(at), number64(image, at + 8));
  const [symbols, strings] = [tables.get(DT_SYMTAB), tables.get(DT_STRTAB)];
  if (symbols === undefined || strings === undefined) throw layoutError('it has no symbols');

  const found: VdsoFunction[] = [];
  for (let i = 1, end = symbolCount(image, tables); i < end; i++) {
    const at = symbols + i * SYMBOL_BYTES;
    const isDefined = image.readUInt16LE(at + 6) !== 0;
    if ((image.readUInt8(at + 4) & 0xf) !== STT_FUNC || !isDefined) continue;
    const name = strings + image.readUInt32LE(at);
    const nameEnd = image.indexOf(0, name);
    const [entry, length] = [number64(image, at + 8), number64(image, at + 16)];
    if (nameEnd < 0 || length === 0 || entry + length > image.length) throw layoutError('a symbol leads out of it');
    found.push({ name: image.toString('latin1', name, nameEnd), entry, size: length, valueAt: at + 8 });
  }
  return found;
}

/** By the hash tables: an image in memory says it nowhere else. */
function symbolCount(image: Buffer, tables: ReadonlyMap<bigint, number>): number {
  const hash = tables.get(DT_HASH);
  const count = hash !== undefined ? image.readUInt32LE(hash + 4) : gnuHashCount(image, tables.get(DT_GNU_HASH));
  if (count > MAX_SYMBOLS) throw layoutError(`it says that it has ${count} symbols`);
  return count;
}

/** The highest index that any chain has, and one. */
function gnuHashCount(image: Buffer, table: number | undefined): number {
  if (table === undefined) throw layoutError('it has no hash table');
  const [buckets, firstHashed, bloomWords] = [0, 4, 8].map((offset) => image.readUInt32LE(table + offset)) as [number, number, number];
  const bucketsAt = table + 16 + bloomWords * 8;
  let last = 0;
  for (let i = 0; i < buckets; i++) last = Math.max(last, image.readUInt32LE(bucketsAt + i * 4));
  if (last < firstHashed) return firstHashed;
  // The chain ends at the hash whose lowest bit is set.
  while ((image.readUInt32LE(bucketsAt + (buckets + last - firstHashed) * 4) & 1) === 0) last++;
  return last + 1;
}

function number64(image: Buffer, at: number): number {
  return Number(image.readBigUInt64LE(at)); // what is beyond 2^53 is beyond the image, too
}
