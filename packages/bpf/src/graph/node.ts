/**
 * The decision graph: a filter before it has addresses.
 *
 * Nodes are shared: asking for the same one twice gives the same object. So two syscalls judged alike end in
 * one block, and a test whose two sides are the same object is no test and disappears. That is what keeps
 * argument loads away from verdicts that do not depend on arguments.
 */
import { type BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, BPF_JSET_K } from '../opcodes.js';

export type TestOp = typeof BPF_JEQ_K | typeof BPF_JGT_K | typeof BPF_JGE_K | typeof BPF_JSET_K;

export type Node =
  | { readonly kind: 'ret'; readonly id: number; readonly size: number; readonly k: number }
  | { readonly kind: 'load'; readonly id: number; readonly size: number; readonly offset: number; readonly next: Node }
  | { readonly kind: 'and'; readonly id: number; readonly size: number; readonly mask: number; readonly next: Node }
  | {
    readonly kind: 'test'; readonly id: number; readonly size: number;
    readonly op: TestOp; readonly k: number; readonly yes: Node; readonly no: Node;
  };

export class Graph {
  readonly #nodes = new Map<string, Node>();

  ret(k: number): Node {
    return this.#node(`r${k}`, (id) => ({ kind: 'ret', id, size: 1, k }));
  }

  /** Reads a word of seccomp_data into the accumulator, unless nothing looks at it. */
  load(offset: number, next: Node): Node {
    if (next.kind === 'ret' || next.kind === 'load') return next;
    return this.#node(`l${offset},${next.id}`, (id) => ({ kind: 'load', id, size: 1 + next.size, offset, next }));
  }

  and(mask: number, next: Node): Node {
    if (next.kind === 'ret' || next.kind === 'load' || mask === 0xffffffff) return next;
    return this.#node(`a${mask},${next.id}`, (id) => ({ kind: 'and', id, size: 1 + next.size, mask, next }));
  }

  test(op: TestOp, k: number, yes: Node, no: Node): Node {
    if (yes === no) return yes;
    if (op === BPF_JGE_K && k === 0) return yes;
    if (op === BPF_JGT_K && k === 0xffffffff) return no;
    if (op === BPF_JSET_K && k === 0) return no;
    return this.#node(`t${op},${k},${yes.id},${no.id}`,
      (id) => ({ kind: 'test', id, size: 1 + yes.size + no.size, op, k, yes, no }));
  }

  #node(key: string, make: (id: number) => Node): Node {
    let node = this.#nodes.get(key);
    if (node === undefined) this.#nodes.set(key, node = make(this.#nodes.size));
    return node;
  }
}

/** Nodes below this one that become instructions of their own, each once; returns are shared later. */
export function countNodes(root: Node): number {
  const seen = new Set<Node>();
  const todo = [root];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (node.kind === 'ret' || seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'test') todo.push(node.yes, node.no);
    else todo.push(node.next);
  }
  return seen.size;
}
