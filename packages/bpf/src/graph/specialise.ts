/**
 * Leaving out what is already known.
 *
 * Rules are put together one by one, each reading its own words. On the way through them a path learns: the
 * accumulator holds this word, that word equals 8, another is at least 16. This pass follows each path and
 * drops loads of what is loaded and tests whose result is known. Without the second half it never makes a
 * program longer; with it, nodes may be copied per knowledge, so the caller compares and keeps the shorter.
 */
import { BPF_JGE_K, BPF_JGT_K, BPF_JSET_K } from '../opcodes.js';
import { type Graph, type Node } from './node.js';

/** A word under a mask lies between two values and is none of some others. */
interface Fact {
  readonly offset: number;
  readonly mask: number;
  readonly min: number;
  readonly max: number;
  readonly not: readonly number[];
}

interface State {
  /** What the accumulator holds: a word, under a mask. */
  readonly acc: { readonly offset: number; readonly mask: number } | undefined;
  readonly facts: readonly Fact[];
}

/** Knowledge past these is forgotten, oldest first: a thousand masks on one word would cost a million steps. */
const MAX_FACTS = 31;
const MAX_EXCLUDED = 15;

interface Task { readonly node: Node; readonly state: State; readonly key: string }

/**
 * @param useFacts also drop tests whose result is known
 * @param budget give up, with undefined, beyond so many copies
 */
export function specialise(graph: Graph, root: Node, useFacts: boolean, budget: number): Node | undefined {
  const reads = wordsRead();
  const done = new Map<string, Node>();
  const task = (node: Node, state: State): Task => {
    const kept = relevant(state, reads(node));
    return { node, state: kept, key: `${node.id}|${stateKey(kept)}` };
  };

  const first = task(root, { acc: undefined, facts: [] });
  const todo: { task: Task; step?: Step; needs?: readonly Task[] }[] = [{ task: first }];
  while (todo.length > 0) {
    if (done.size > budget) return undefined;
    const current = todo.at(-1)!;
    current.step ??= expand(current.task.node, current.task.state, useFacts);
    current.needs ??= current.step.needs.map(({ node, state }) => task(node, state));
    const missing = current.needs.find(({ key }) => !done.has(key));
    if (missing !== undefined) {
      todo.push({ task: missing });
      continue;
    }
    todo.pop();
    done.set(current.task.key, current.step.build(graph, current.needs.map(({ key }) => done.get(key)!)));
  }
  return done.get(first.key);
}

interface Step {
  readonly needs: readonly { node: Node; state: State }[];
  build(graph: Graph, results: readonly Node[]): Node;
}

const same = (_: Graph, results: readonly Node[]): Node => results[0]!;

function expand(node: Node, state: State, useFacts: boolean): Step {
  if (node.kind === 'ret') return { needs: [], build: () => node };
  if (node.kind === 'load') {
    const { offset, next } = node;
    if (state.acc?.offset === offset) {
      if (state.acc.mask === 0xffffffff) return { needs: [{ node: next, state }], build: same };
      // The word under the very mask that comes next is at hand as well.
      if (next.kind === 'and' && next.mask === state.acc.mask) return { needs: [{ node: next.next, state }], build: same };
    }
    const foregone = useFacts ? outcome(next, { ...state, acc: { offset, mask: 0xffffffff } }) : undefined;
    if (foregone !== undefined) return { needs: [{ node: foregone, state }], build: same };
    return {
      needs: [{ node: next, state: { ...state, acc: { offset, mask: 0xffffffff } } }],
      build: (graph, [result]) => graph.load(offset, result!),
    };
  }
  const acc = state.acc!;
  if (node.kind === 'and') {
    const { mask, next } = node;
    return {
      needs: [{ node: next, state: { ...state, acc: { ...acc, mask: (acc.mask & mask) >>> 0 } } }],
      build: (graph, [result]) => graph.and(mask, result!),
    };
  }

  const { op, k, yes, no } = node;
  const split = useFacts ? learn(state, acc, node) : { yes: state, no: state };
  if (split.yes === undefined) return { needs: [{ node: no, state: split.no! }], build: same };
  if (split.no === undefined) return { needs: [{ node: yes, state: split.yes }], build: same };
  return {
    needs: [{ node: yes, state: split.yes }, { node: no, state: split.no }],
    build: (graph, [ifYes, ifNo]) => graph.test(op, k, ifYes!, ifNo!),
  };
}

/** Where the tests behind a load end, if the result of each is known, so that nothing needs to be loaded. */
function outcome(from: Node, loaded: State): Node | undefined {
  let [node, acc] = [from, loaded.acc!];
  while (node.kind === 'and' || node.kind === 'test') {
    if (node.kind === 'and') {
      acc = { ...acc, mask: (acc.mask & node.mask) >>> 0 };
      node = node.next;
    } else {
      const { yes, no } = learn(loaded, acc, node);
      if (yes !== undefined && no !== undefined) return undefined;
      node = yes === undefined ? node.no : node.yes;
    }
  }
  return node;
}

/** What each side of a test knows; undefined for a side that cannot be. */
function learn(
  state: State, acc: { offset: number; mask: number }, { op, k }: Node & { kind: 'test' },
): { yes: State | undefined; no: State | undefined } {
  const { offset } = acc;
  const mask = op === BPF_JSET_K ? (acc.mask & k) >>> 0 : acc.mask;
  const known = bounds(state, offset, mask);
  const within = (min: number, max: number, not = known.not): State | undefined => {
    let lower = Math.max(min, known.min);
    let upper = Math.min(max, known.max);
    while (lower <= upper && not.includes(lower)) lower++;
    while (lower <= upper && not.includes(upper)) upper--;
    if (lower > upper) return undefined;
    const others = state.facts.filter((fact) => fact.offset !== offset || fact.mask !== mask).slice(-MAX_FACTS);
    const inside = not.filter((value) => value > lower && value < upper).slice(-MAX_EXCLUDED);
    return { acc: state.acc, facts: [...others, { offset, mask, min: lower, max: upper, not: inside }] };
  };
  if (op === BPF_JGE_K) return { yes: within(k, 0xffffffff), no: within(0, k - 1) };
  if (op === BPF_JGT_K) return { yes: within(k + 1, 0xffffffff), no: within(0, k) };
  if (op === BPF_JSET_K) return { yes: within(1, 0xffffffff), no: within(0, 0) };
  return { yes: within(k, k), no: within(0, 0xffffffff, [...known.not, k]) };
}

/** What is known of a word under a mask. */
function bounds(state: State, offset: number, mask: number): { min: number; max: number; not: readonly number[] } {
  let [min, max] = [0, mask];
  let not: readonly number[] = [];
  for (const fact of state.facts) {
    if (fact.offset !== offset) continue;
    if (fact.mask === mask) {
      min = Math.max(min, fact.min);
      max = Math.min(max, fact.max);
      not = fact.not;
    } else if (fact.min === fact.max && (fact.mask & mask) >>> 0 === mask) {
      // All the bits in question are known.
      min = max = (fact.min & mask) >>> 0;
    }
  }
  return { min, max, not };
}

/** Knowledge of words that nobody reads any more would only keep equal nodes apart. */
function relevant(state: State, words: number): State {
  const read = (offset: number): boolean => (words & (1 << (offset >> 2))) !== 0;
  const used = (words & USES_ACC) !== 0;
  return {
    acc: state.acc !== undefined && (used || read(state.acc.offset)) ? state.acc : undefined,
    facts: state.facts.filter(({ offset }) => read(offset) || (used && state.acc?.offset === offset)),
  };
}

function stateKey({ acc, facts }: State): string {
  const known = facts.map(({ offset, mask, min, max, not }) => `${offset},${mask},${min},${max},${not.join(',')}`).sort();
  return `${acc === undefined ? '' : `${acc.offset},${acc.mask}`}|${known.join(';')}`;
}

const USES_ACC = 1 << 16;

/** Per node: a bit for each of the 16 words that is loaded from there on, and one for the accumulator. */
function wordsRead(): (node: Node) => number {
  const known = new Map<Node, number>();
  return (root) => {
    const todo = [root];
    while (todo.length > 0) {
      const node = todo.at(-1)!;
      const next = node.kind === 'ret' ? [] : node.kind === 'test' ? [node.yes, node.no] : [node.next];
      const missing = known.has(node) ? undefined : next.find((child) => !known.has(child));
      if (missing !== undefined) {
        todo.push(missing);
        continue;
      }
      todo.pop();
      let bits = 0;
      for (const child of next) bits |= known.get(child)!;
      if (node.kind === 'load') bits = (bits & ~USES_ACC) | (1 << (node.offset >> 2));
      if (node.kind === 'and' || node.kind === 'test') bits |= USES_ACC;
      known.set(node, bits);
    }
    return known.get(root)!;
  };
}
