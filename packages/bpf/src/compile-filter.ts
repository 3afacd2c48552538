/**
 * Compiling: description -> decision graph -> instructions.
 *
 * The program loads arch and turns every foreign call away, then loads nr and walks the tree of numbers.
 * Arguments are loaded in the blocks of the calls that they decide, nowhere else: the kernel (5.11) skips
 * the filter for a call that it can see is allowed whatever the arguments are.
 * kernel/seccomp.c, seccomp_is_const_allow().
 */
import { X32_SYSCALL_BIT } from './architectures.js';
import { type CheckedArch, type CheckedDescription, checkDescription, type CheckedRule, type FilterDescription } from './description.js';
import { FilterError } from './filter-error.js';
import { conditionNode } from './graph/condition-nodes.js';
import { emit } from './graph/emit.js';
import { countNodes, Graph, type Node } from './graph/node.js';
import { numberChain, numberTree, rangesOf } from './graph/number-tree.js';
import { specialise } from './graph/specialise.js';
import { type Filter, makeFilter } from './instruction.js';
import { BPF_JEQ_K, BPF_JGE_K, BPF_MAXINSNS } from './opcodes.js';
import { ARCH_OFFSET, NR_OFFSET } from './seccomp-data.js';
import { type SyscallTable } from './tables/syscall-table.js';

export interface CompileOptions {
  /**
   * `tree` (default) is a balanced tree over the numbers; `linear` tests one number after the other. Where a
   * tree over thousands of scattered numbers would be too long and the chain is not, the chain is taken.
   */
  readonly layout?: 'tree' | 'linear';
  /** Syscall tables for the names in the rules. */
  readonly tables?: readonly SyscallTable[];
}

/**
 * @throws {FilterError} for whatever is wrong with the description, with its place;
 *   ERR_SANDLOCK_FILTER_TOO_LONG beyond 4096 instructions
 */
export function compileFilter(description: FilterDescription, options: CompileOptions = {}): Filter {
  const { layout = 'tree', tables = [] } = options;
  if (layout !== 'tree' && layout !== 'linear') {
    throw new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', `The layout is tree or linear, not ${String(layout)}.`);
  }
  const checked = checkDescription(description, tables);
  let instructions = emit(programNode(checked, layout));
  if (instructions.length > BPF_MAXINSNS && layout === 'tree') {
    const chain = emit(programNode(checked, 'linear'));
    if (chain.length < instructions.length) instructions = chain;
  }
  if (instructions.length > BPF_MAXINSNS) {
    throw new FilterError('ERR_SANDLOCK_FILTER_TOO_LONG',
      `The filter has ${instructions.length} instructions; the kernel takes at most ${BPF_MAXINSNS} (BPF_MAXINSNS). `
      + 'Split it into several filters, or merge rules.');
  }
  return makeFilter(instructions);
}

function programNode(description: CheckedDescription, layout: 'tree' | 'linear'): Node {
  const graph = new Graph();
  const otherwise = graph.ret(description.defaultRet);
  const badArch = graph.ret(description.badArchRet);
  let node = badArch;
  const audits = [...new Set(description.architectures.map(({ auditArch }) => auditArch))];
  for (const auditArch of audits.reverse()) {
    const group = description.architectures.filter((one) => one.auditArch === auditArch);
    const numbers = graph.load(NR_OFFSET, numberNode(graph, group, otherwise, badArch, layout));
    node = graph.test(BPF_JEQ_K, auditArch, numbers, node);
  }
  return graph.load(ARCH_OFFSET, node);
}

/** What judges the numbers under one audit number, which x86_64 and x32 share. */
function numberNode(graph: Graph, group: readonly CheckedArch[], otherwise: Node, badArch: Node, layout: 'tree' | 'linear'): Node {
  const x32 = group.find(({ arch }) => arch === 'x32');
  const native = group.find(({ arch }) => arch !== 'x32');
  const verdicts = (arch: CheckedArch): Map<number, Node> =>
    new Map([...arch.rules].map(([nr, rules]) => [nr, ruleBlock(graph, rules, otherwise)]));
  const splits = x32 !== undefined || native?.arch === 'x86_64';

  if (layout === 'linear') {
    const lower = native === undefined ? badArch : numberChain(graph, verdicts(native), otherwise);
    if (!splits) return lower;
    const upper = x32 === undefined ? graph.ret(native!.x32Ret) : numberChain(graph, verdicts(x32), otherwise);
    return graph.test(BPF_JGE_K, X32_SYSCALL_BIT, upper, lower);
  }
  const nativeEnd = splits ? X32_SYSCALL_BIT - 1 : 0xffffffff;
  const ranges = native === undefined ? [{ from: 0, node: badArch }] : rangesOf(verdicts(native), otherwise, 0, nativeEnd);
  if (splits) {
    const upper = x32 === undefined ? [{ from: X32_SYSCALL_BIT, node: graph.ret(native!.x32Ret) }]
      : rangesOf(verdicts(x32), otherwise, X32_SYSCALL_BIT, 0xffffffff);
    // Where both sides of the border are judged alike, it is none.
    if (ranges.at(-1)!.node === upper[0]!.node) upper.shift();
    ranges.push(...upper);
  }
  return numberTree(graph, ranges);
}

/** The rules of one syscall: first match decides, falling off the end gives `otherwise`. */
function ruleBlock(graph: Graph, rules: readonly CheckedRule[], otherwise: Node): Node {
  let block = otherwise;
  for (const { when, ret } of [...rules].reverse()) {
    const fails = block;
    block = graph.ret(ret);
    for (const condition of [...when].reverse()) block = conditionNode(graph, condition, block, fails);
  }
  const size = countNodes(block);
  if (size === 0) return block;
  const plain = specialise(graph, block, false, Infinity)!;
  if (size > 4 * BPF_MAXINSNS) return plain; // hopeless, and quickly so
  const informed = specialise(graph, block, true, 4 * size + 64);
  return informed !== undefined && countNodes(informed) <= countNodes(plain) ? informed : plain;
}
