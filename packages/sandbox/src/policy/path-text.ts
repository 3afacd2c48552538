/**
 * Paths as text, a character a byte (latin1): every path has one, UTF-8 or not, and two are equal where their bytes are.
 */
export function pathText(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1');
}

export function pathBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
