/**
 * Port lists: `8080`, `9000-9005`, `80,443`, `*`.
 *
 * Ports are 16 bits; 0 is one of them and means a port of the kernel's choice. Everything else that a
 * number parser would let through ("1e3", " 80", "0x50") is refused: a rule means what it says or nothing.
 */
import { GrammarError, show } from './grammar-error.js';

/** Which ports: all, or these, ascending and each once. */
export type PortSet =
  | { readonly kind: 'any' }
  | { readonly kind: 'ports'; readonly ports: readonly number[] };

const MAX_PORT = 65535;

/**
 * A list of ports, ranges and comma-separated lists of both, as sorted unique numbers.
 *
 * @example parsePorts([80, '443', '8000-8002']) // [80, 443, 8000, 8001, 8002]
 * @throws {GrammarError} an empty element, not a number, over 65535, a reversed range, a `*`
 */
export function parsePorts(list: string | number | readonly (string | number)[]): number[] {
  const ports = new Set<number>();
  for (const item of Array.isArray(list) ? list : [list]) for (const port of parsePortItem(item)) ports.add(port);
  return [...ports].sort((a, b) => a - b);
}

/** One item of a list of ports, with `*` for all. */
export function parsePortItemOrAny(item: unknown): PortSet {
  if (item === '*') return { kind: 'any' };
  return { kind: 'ports', ports: parsePortItem(item) };
}

/** Several items as one set; `*` and ports together are a contradiction. */
export function joinPortSets(sets: readonly PortSet[]): PortSet {
  const ports = new Set<number>();
  for (const set of sets) if (set.kind === 'ports') for (const port of set.ports) ports.add(port);
  if (!sets.some((set) => set.kind === 'any')) return { kind: 'ports', ports: [...ports].sort((a, b) => a - b) };
  if (ports.size > 0) throw new GrammarError('"*" stands for every port and cannot be mixed with ports.', 'Give one of the two.');
  return { kind: 'any' };
}

/** Items that parsePortItemOrAny() makes the same set of, with ranges. */
export function writePortItems(set: PortSet): (number | string)[] {
  if (set.kind === 'any') return ['*'];
  const ranges: { low: number; high: number }[] = [];
  for (const port of [...set.ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && port <= last.high + 1) last.high = port;
    else ranges.push({ low: port, high: port });
  }
  return ranges.map(({ low, high }) => (low === high ? low : `${low}-${high}`));
}

function parsePortItem(item: unknown): number[] {
  if (typeof item === 'number') return [checkPort(item, show(item))];
  if (typeof item !== 'string') throw new GrammarError(`A port is a number or text, not ${show(item)}.`);
  return item.split(',').flatMap((element) => parseElement(element, item));
}

function parseElement(element: string, whole: string): number[] {
  if (element === '') {
    throw new GrammarError(whole === '' ? 'The port list is empty.' : `The port list ${show(whole)} has an empty element.`);
  }
  if (element === '*') {
    throw new GrammarError(`"*" cannot be used in the port list ${show(whole)}.`, 'Where every port may be meant, it stands alone.');
  }
  const range = /^(\d+)-(\d+)$/.exec(element);
  if (range === null) return [parsePort(element)];
  const [low, high] = [parsePort(range[1]!), parsePort(range[2]!)];
  if (low > high) throw new GrammarError(`The port range ${show(element)} is reversed.`, `Write ${high}-${low}.`);
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/** One port in decimal. */
export function parsePort(text: string): number {
  if (!/^\d+$/.test(text)) throw new GrammarError(`${show(text)} is not a port number.`, 'Ports are 0 to 65535, ranges lo-hi.');
  return checkPort(Number(text), show(text));
}

function checkPort(port: number, shown: string): number {
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new GrammarError(`Port ${shown} is not a whole number from 0 to ${MAX_PORT}.`);
}
