/**
 * From the graph to instructions.
 *
 * Jumps only go forward, so the program is written from its end: when an instruction is placed, everything
 * it leads to has its address, and every distance is known exactly. A conditional jump reaches 255
 * instructions (jt and jf are 8 bits wide); what lies further gets a copy of the return, or an unconditional
 * jump (32 bits) right behind the test. A load falls through to what follows it.
 * include/uapi/linux/filter.h, struct sock_filter.
 */
import { type Instruction } from '../instruction.js';
import { BPF_AND_K, BPF_JA, BPF_LD_W_ABS, BPF_RET_K } from '../opcodes.js';
import { type Node } from './node.js';

const MAX_JUMP = 255;

export function emit(root: Node): Instruction[] {
  const out: Instruction[] = []; // last instruction first
  const placed = new Map<Node, number>();
  /** The nearest place that leads to a node: itself, or a jump to it. */
  const nearest = new Map<Node, number>();

  const put = (node: Node, instruction: Instruction): void => {
    nearest.set(node, out.length);
    out.push(instruction);
  };
  /** Instructions to skip from the next one placed, to reach what stands at `index`. */
  const distance = (index: number): number => out.length - index - 1;

  /** Sees to it that the node can be reached within `limit` instructions. Says whether it had to place one. */
  const bring = (node: Node, limit: number): boolean => {
    const at = nearest.get(node);
    if (at !== undefined && distance(at) <= limit) return false;
    if (node.kind === 'ret') put(node, ret(node.k));
    else put(node, { code: BPF_JA, jt: 0, jf: 0, k: distance(placed.get(node)!) });
    return true;
  };

  const place = (node: Node): void => {
    if (node.kind === 'ret') {
      put(node, ret(node.k));
    } else if (node.kind === 'test') {
      // Placing something for one side moves the other away by one.
      while (bring(node.no, MAX_JUMP) || bring(node.yes, MAX_JUMP));
      put(node, {
        code: node.op, k: node.k, jt: distance(nearest.get(node.yes)!), jf: distance(nearest.get(node.no)!),
      });
    } else {
      bring(node.next, 0);
      put(node, node.kind === 'load'
        ? { code: BPF_LD_W_ABS, jt: 0, jf: 0, k: node.offset }
        : { code: BPF_AND_K, jt: 0, jf: 0, k: node.mask });
    }
    placed.set(node, out.length - 1);
  };

  // By a stack of our own: a chain of rules is as deep as it is long.
  const todo: Node[] = [root];
  while (todo.length > 0) {
    const node = todo.at(-1)!;
    const missing = placed.has(node) ? [] : followers(node).filter((next) => next.kind !== 'ret' && !placed.has(next));
    if (missing.length > 0) {
      todo.push(missing[0]!);
      continue;
    }
    todo.pop();
    if (!placed.has(node)) place(node);
  }
  return out.reverse();
}

/** The larger side first: placed earlier it stands further away, and the way past the smaller one is short. */
function followers(node: Node): Node[] {
  if (node.kind === 'ret') return [];
  if (node.kind !== 'test') return [node.next];
  return node.yes.size > node.no.size ? [node.yes, node.no] : [node.no, node.yes];
}

function ret(k: number): Instruction {
  return { code: BPF_RET_K, jt: 0, jf: 0, k };
}
