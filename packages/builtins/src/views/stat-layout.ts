/**
 * The structures that stat(2) and statx(2) write, for a file with a view.
 *
 * What a view does not say is as of a file that root made when this process began.
 * arch/x86/include/uapi/asm/stat.h, include/uapi/asm-generic/stat.h, include/uapi/linux/stat.h
 */
import type { ViewStat } from './view.js';

const X86_64_BYTES = 144;
const GENERIC_BYTES = 128;
const STATX_BYTES = 256;
const BLOCK_BYTES = 4096;
/** STATX_BASIC_STATS */
const STATX_BASIC = 0x7ff;

const began = BigInt(Math.floor(Date.now() / 1000 - process.uptime()));
/** No device has it: whoever compares device and inode shall not take it for another file. */
const INODE = 1n;

/** How much of a struct stat the kernel writes. */
export function encodedStatBytes(arch: string = process.arch): number {
  return arch === 'x64' ? X86_64_BYTES : GENERIC_BYTES;
}

export function encodeStat(stat: ViewStat, arch: string = process.arch): Buffer {
  const bytes = Buffer.alloc(encodedStatBytes(arch));
  const rdev = device(stat);
  bytes.writeBigUInt64LE(INODE, 8);
  if (arch === 'x64') {
    bytes.writeBigUInt64LE(1n, 16);
    bytes.writeUInt32LE(stat.mode, 24);
    bytes.writeBigUInt64LE(rdev, 40);
  } else {
    bytes.writeUInt32LE(stat.mode, 16);
    bytes.writeUInt32LE(1, 20);
    bytes.writeBigUInt64LE(rdev, 32);
  }
  bytes.writeBigInt64LE(BigInt(stat.size), 48);
  if (arch === 'x64') bytes.writeBigUInt64LE(BigInt(BLOCK_BYTES), 56);
  else bytes.writeUInt32LE(BLOCK_BYTES, 56);
  bytes.writeBigInt64LE(blocks(stat), 64);
  for (const at of [72, 88, 104]) bytes.writeBigInt64LE(stat.began ?? began, at);
  return bytes;
}

export function encodeStatx(stat: ViewStat): Buffer {
  const bytes = Buffer.alloc(STATX_BYTES);
  bytes.writeUInt32LE(STATX_BASIC, 0);
  bytes.writeUInt32LE(BLOCK_BYTES, 4);
  bytes.writeUInt32LE(1, 16);
  bytes.writeUInt16LE(stat.mode, 28);
  bytes.writeBigUInt64LE(INODE, 32);
  bytes.writeBigUInt64LE(BigInt(stat.size), 40);
  bytes.writeBigUInt64LE(BigInt(blocks(stat)), 48);
  for (const at of [64, 96, 112]) bytes.writeBigInt64LE(stat.began ?? began, at); // atime, ctime, mtime
  bytes.writeUInt32LE(stat.rdev?.major ?? 0, 128);
  bytes.writeUInt32LE(stat.rdev?.minor ?? 0, 132);
  return bytes;
}

function blocks({ size }: ViewStat): bigint {
  return BigInt(Math.ceil(size / 512));
}

/** new_encode_dev(). include/linux/kdev_t.h */
function device({ rdev }: ViewStat): bigint {
  if (rdev === undefined) return 0n;
  return BigInt((rdev.minor & 0xff) | (rdev.major << 8)) | (BigInt(rdev.minor & ~0xff) << 12n);
}
