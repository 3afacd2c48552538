/**
 * The structures that stat(2) and statx(2) write, for a file with a view.
 *
 * What a view does not say is as of a file that root made when this process began.
 * arch/x86/include/uapi/asm/stat.h, include/uapi/asm-generic/stat.h, include/uapi/linux/stat.h
 */
import type { ShownIdentity } from './shown-identity.js';
import type { ViewStat } from './view.js';

const X86_64_BYTES = 144;
const GENERIC_BYTES = 128;
const STATX_BYTES = 256;
const BLOCK_BYTES = 4096;
/** STATX_BASIC_STATS */
const STATX_BASIC = 0x7ff;

const began = BigInt(Math.floor(Date.now() / 1000 - process.uptime()));

/** A place in a structure, in bytes: where it starts and where it ends. */
type Place = readonly [number, number];
const SIZE_AND_BLOCKS: readonly Place[] = [[48, 56], [64, 72]];
const STATX_CONTENT: readonly Place[] = [[28, 30], [40, 56]];

/** How much of a struct stat the kernel writes. */
export function encodedStatBytes(arch: string = process.arch): number {
  return arch === 'x64' ? X86_64_BYTES : GENERIC_BYTES;
}

export function encodeStat(stat: ViewStat, { dev, ino, nlink }: ShownIdentity, arch: string = process.arch): Buffer {
  const bytes = Buffer.alloc(encodedStatBytes(arch));
  const rdev = device(stat);
  bytes.writeBigUInt64LE(dev, 0);
  bytes.writeBigUInt64LE(ino, 8);
  if (arch === 'x64') {
    bytes.writeBigUInt64LE(nlink, 16);
    bytes.writeUInt32LE(stat.mode, 24);
    bytes.writeBigUInt64LE(rdev, 40);
  } else {
    bytes.writeUInt32LE(stat.mode, 16);
    bytes.writeUInt32LE(Number(nlink), 20);
    bytes.writeBigUInt64LE(rdev, 32);
  }
  bytes.writeBigInt64LE(BigInt(stat.size), 48);
  if (arch === 'x64') bytes.writeBigUInt64LE(BigInt(BLOCK_BYTES), 56);
  else bytes.writeUInt32LE(BLOCK_BYTES, 56);
  bytes.writeBigInt64LE(blocks(stat), 64);
  for (const at of [72, 88, 104]) bytes.writeBigInt64LE(stat.began ?? began, at);
  return bytes;
}

export function encodeStatx(stat: ViewStat, { dev, ino, nlink }: ShownIdentity): Buffer {
  const bytes = Buffer.alloc(STATX_BYTES);
  bytes.writeUInt32LE(STATX_BASIC, 0);
  bytes.writeUInt32LE(BLOCK_BYTES, 4);
  bytes.writeUInt32LE(Number(nlink), 16);
  bytes.writeUInt16LE(stat.mode, 28);
  bytes.writeBigUInt64LE(ino, 32);
  bytes.writeBigUInt64LE(BigInt(stat.size), 40);
  bytes.writeBigUInt64LE(BigInt(blocks(stat)), 48);
  for (const at of [64, 96, 112]) bytes.writeBigInt64LE(stat.began ?? began, at); // atime, ctime, mtime
  bytes.writeUInt32LE(stat.rdev?.major ?? 0, 128);
  bytes.writeUInt32LE(stat.rdev?.minor ?? 0, 132);
  bytes.writeUInt32LE(Number((dev >> 8n) & 0xfffn), 136);
  bytes.writeUInt32LE(Number((dev & 0xffn) | ((dev >> 12n) & 0xfff00n)), 140);
  return bytes;
}

/** Puts mode, size and blocks of one struct stat into another. */
export function takeContent(into: Buffer, from: Buffer, arch: string = process.arch): void {
  take(into, from, [arch === 'x64' ? [24, 28] : [16, 20], ...SIZE_AND_BLOCKS]);
}

/** The same for struct statx. */
export function takeStatxContent(into: Buffer, from: Buffer): void {
  take(into, from, STATX_CONTENT);
}

function take(into: Buffer, from: Buffer, places: readonly Place[]): void {
  for (const [start, end] of places) from.copy(into, start, start, end);
}

function blocks({ size }: ViewStat): bigint {
  return BigInt(Math.ceil(size / 512));
}

/** new_encode_dev(). include/linux/kdev_t.h */
function device({ rdev }: ViewStat): bigint {
  if (rdev === undefined) return 0n;
  return BigInt((rdev.minor & 0xff) | (rdev.major << 8)) | (BigInt(rdev.minor & ~0xff) << 12n);
}
