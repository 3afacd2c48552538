/**
 * Conditions as graph nodes.
 *
 * The machine compares unsigned 32-bit words, so 64-bit and signed comparisons are put together from those.
 * An ordering becomes ranges of unsigned numbers first: below zero in two's complement is the upper half.
 */
import { type ArgCondition } from '../arg-condition.js';
import { BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, BPF_JSET_K } from '../opcodes.js';
import { argHighOffset, argLowOffset } from '../seccomp-data.js';
import { type Graph, type Node } from './node.js';

/** A node that goes on to `yes` where the condition holds and to `no` where it does not. */
export function conditionNode(graph: Graph, condition: ArgCondition, yes: Node, no: Node): Node {
  const { index, op, width, signed } = condition;
  const value = BigInt.asUintN(width, condition.value);
  const words = wordsOf(index, width);
  if (op === 'eq') return equal(graph, words, value, yes, no);
  if (op === 'ne') return equal(graph, words, value, no, yes);
  if (op === 'maskedEq') return maskedEqual(graph, words, condition.mask!, value, yes, no);

  const top = 1n << BigInt(width);
  // lt v is not ge v, and le v is not gt v, that is: not ge v + 1.
  const [bound, above, below] = op === 'ge' ? [condition.value, yes, no]
    : op === 'gt' ? [condition.value + 1n, yes, no]
      : op === 'lt' ? [condition.value, no, yes]
        : [condition.value + 1n, no, yes];
  if (signed !== true) {
    if (bound >= top) return below; // nothing is above the largest value
    return atLeast(graph, words, bound, above, below);
  }
  const half = top / 2n;
  if (bound >= half) return below;
  // Unsigned, the numbers run 0 ... half-1, -half ... -1.
  return bound >= 0n
    ? atLeast(graph, words, half, below, atLeast(graph, words, bound, above, below))
    : atLeast(graph, words, half, atLeast(graph, words, bound + top, above, below), above);
}

interface Words { readonly low: number; readonly high: number | undefined }

function wordsOf(index: number, width: 32 | 64): Words {
  return { low: argLowOffset(index), high: width === 64 ? argHighOffset(index) : undefined };
}

const low32 = (value: bigint): number => Number(value & 0xffffffffn);
const high32 = (value: bigint): number => Number(value >> 32n);

function equal(graph: Graph, { low, high }: Words, value: bigint, yes: Node, no: Node): Node {
  const lower = graph.load(low, graph.test(BPF_JEQ_K, low32(value), yes, no));
  if (high === undefined) return lower;
  return graph.load(high, graph.test(BPF_JEQ_K, high32(value), lower, no));
}

function atLeast(graph: Graph, { low, high }: Words, value: bigint, yes: Node, no: Node): Node {
  const lower = graph.load(low, graph.test(BPF_JGE_K, low32(value), yes, no));
  if (high === undefined) return lower;
  const upper = high32(value);
  if (lower === yes) return graph.load(high, graph.test(BPF_JGE_K, upper, yes, no)); // every low word is enough
  return graph.load(high, graph.test(BPF_JGT_K, upper, yes, graph.test(BPF_JEQ_K, upper, lower, no)));
}

function maskedEqual(graph: Graph, { low, high }: Words, mask: bigint, value: bigint, yes: Node, no: Node): Node {
  const lower = maskedWord(graph, low, low32(mask), low32(value), yes, no);
  return high === undefined ? lower : maskedWord(graph, high, high32(mask), high32(value), lower, no);
}

function maskedWord(graph: Graph, offset: number, mask: number, value: number, yes: Node, no: Node): Node {
  if (mask === 0) return yes; // no bit of this word counts, and the value has none outside the mask
  if (value === 0) return graph.load(offset, graph.test(BPF_JSET_K, mask, no, yes));
  const oneBit = (mask & (mask - 1)) === 0;
  if (oneBit) return graph.load(offset, graph.test(BPF_JSET_K, mask, yes, no));
  return graph.load(offset, graph.and(mask, graph.test(BPF_JEQ_K, value, yes, no)));
}
