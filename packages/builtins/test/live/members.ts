/**
 * The members of a sandbox, as its process tree finds them.
 */
import { ProcessTree, type Members } from '../../src/index.js';

export function membersOf(guardPid: () => number): Members {
  const tree = new ProcessTree(guardPid);
  return { isMember: (pid) => tree.has(pid), pids: () => tree.living().sort((a, b) => a - b) };
}
