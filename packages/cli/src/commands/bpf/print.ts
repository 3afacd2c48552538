/** What the commands print: JSON for programs, lines for people. */
import { writeOut } from '../../terminal/output.js';

/** 64-bit values become strings, since a double would not hold them. */
export function printJson(value: unknown): void {
  writeOut(`${JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? hex(part) : part), 2)}\n`);
}

export function hex(value: number | bigint): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}

/** Names in lines that fit a terminal. */
export function wrapped(names: readonly string[], indent: string, width = 100): string {
  const lines = [''];
  for (const name of names) {
    const last = lines.at(-1)!;
    if (last !== '' && indent.length + last.length + 1 + name.length > width) lines.push(name);
    else lines[lines.length - 1] = last === '' ? name : `${last} ${name}`;
  }
  return lines.map((line) => `${indent}${line}\n`).join('');
}

/** `3, 7 to 9`: [from, to, from, to, ...] with ends included. */
export function showRanges(ranges: readonly number[]): string {
  return Array.from({ length: ranges.length / 2 }, (_, i) => {
    const [from, to] = [number(ranges[2 * i]!), number(ranges[2 * i + 1]!)];
    return from === to ? from : `${from} to ${to}`;
  }).join(', ');
}

function number(value: number): string {
  return value < 0x40000000 ? String(value) : hex(value);
}
