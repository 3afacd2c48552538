/**
 * From the syscall number to what judges it: a balanced tree over ranges, or a chain.
 *
 * Neighbouring numbers with the same verdict are one range, so an allow-list of 360 calls is some 60 ranges
 * and six comparisons deep. The accumulator holds nr all the way; only what a range leads to may load
 * something else. A chain asks for one number after the other, in the order of the rules.
 */
import { BPF_JEQ_K, BPF_JGE_K } from '../opcodes.js';
import { type Graph, type Node } from './node.js';

export interface NumberRange {
  /** First number; the range ends before the next one begins. */
  readonly from: number;
  readonly node: Node;
}

/** Ranges that cover `from` to `to`, both included, from single numbers and what judges all others. */
export function rangesOf(verdicts: ReadonlyMap<number, Node>, others: Node, from: number, to: number): NumberRange[] {
  const ranges: NumberRange[] = [];
  const add = (start: number, node: Node): void => {
    if (ranges.at(-1)?.node !== node) ranges.push({ from: start, node });
  };
  let next = from;
  for (const [nr, node] of [...verdicts].sort((a, b) => a[0] - b[0])) {
    if (nr < from || nr > to) continue;
    if (nr > next) add(next, others);
    add(nr, node);
    next = nr + 1;
  }
  if (next <= to) add(next, others);
  return ranges;
}

/** The tree over ranges that cover every number there is. */
export function numberTree(graph: Graph, ranges: readonly NumberRange[]): Node {
  const tree = (first: number, end: number): Node => {
    const node = ranges[first]!.node;
    const count = end - first;
    if (count === 1) return node;
    if (count === 3) {
      // One number amid others that are judged alike: one test rather than two.
      const [middle, last] = [ranges[first + 1]!, ranges[first + 2]!];
      if (last.node === node && last.from - middle.from === 1) return graph.test(BPF_JEQ_K, middle.from, middle.node, node);
    }
    const half = first + (count >> 1);
    return graph.test(BPF_JGE_K, ranges[half]!.from, tree(half, end), tree(first, half));
  };
  return tree(0, ranges.length);
}

/** One test a number, in the order given. */
export function numberChain(graph: Graph, verdicts: ReadonlyMap<number, Node>, others: Node): Node {
  let node = others;
  for (const [nr, verdict] of [...verdicts].reverse()) node = graph.test(BPF_JEQ_K, nr, verdict, node);
  return node;
}
