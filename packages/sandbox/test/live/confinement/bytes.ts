/** Structures of the kernel as bytes, little-endian like every architecture that Sandlock runs on. */
import { Memory } from './calls.js';

export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

/** struct sockaddr_in of a port on 127.0.0.1. */
export function loopback(port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(2);
  bytes.writeUInt16BE(port, 2);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}

/** struct sockaddr_un: a path, or a name in the abstract name space. Its length is the address's. */
export function unixAddress(name: string, { abstract = false } = {}): Buffer {
  return Buffer.concat([u16(1), Buffer.from(abstract ? `\0${name}` : `${name}\0`)]);
}

/** struct msghdr for one buffer. */
export function message(data: Uint8Array, address?: Uint8Array): Memory {
  return new Memory(
    ...(address === undefined ? [u64(0), u64(0)] : [[address], u64(address.length)]),
    [iovec(data)], u64(1), u64(0), u64(0), u64(0),
  );
}

export function iovec(data: Uint8Array): Memory {
  return new Memory([data], u64(data.length));
}

/** struct sock_fprog of a program that allows everything. */
export function allowProgram(): Memory {
  return new Memory(u64(1), [Buffer.concat([u16(6), u16(0), u32(0x7fff0000)])]);
}
