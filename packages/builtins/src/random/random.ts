/**
 * The random family: every source of entropy that the kernel offers, made from one seed.
 *
 * Each process draws from streams of its own, by its place in the tree of processes, so that what others do at the same
 * time changes nothing. Registers come without the kernel's help all the same: RDRAND, RDSEED and the time stamp counter
 * of the processor cannot be trapped.
 * getrandom(2)                            ->  0 or more, EINVAL, EFAULT, EPERM
 * fork(2), vfork(2), clone(2), exit(2)    ->  continue, looked at for who is whose child
 * getsockopt(2), setsockopt(2)            ->  ENOPROTOOPT for a handle of the socket's other end
 */
import { arg32 } from '@sandlock/bpf';
import { action, type Family, type Handler } from '@sandlock/dispatch';
import { CLONE_THREAD, SO_PASSPIDFD, SO_PEERPIDFD, SOL_SOCKET } from '@sandlock/sys';

import type { ImagePatch } from '../image/fresh-image.js';
import type { View } from '../views/view.js';
import { auxRandom } from './aux-random.js';
import { getrandom } from './getrandom.js';
import { Lineage } from './lineage.js';
import { ProcessRandom } from './process-random.js';
import { RandomDevices } from './random-devices.js';
import { randomIds, uuid } from './random-ids.js';
import { RandomTree } from './random-tree.js';

export interface RandomFamily extends Family {
  /** The devices and the kernel's identifiers. */
  readonly views: readonly View[];
  /** AT_RANDOM. */
  readonly imagePatch: ImagePatch;
}

/**
 * @param seed 0 to 2^64 - 1
 * @throws {RangeError} it is not
 */
export function random({ seed }: { readonly seed: bigint }): RandomFamily {
  const tree = RandomTree.fromSeed(seed);
  const lineage = new Lineage(() => new ProcessRandom(tree), (parent, place) => parent.child(place));
  const devices = new RandomDevices((tid) => lineage.of(tid)?.openDevice());
  const bootId = uuid(tree.branch('boot').stream());

  const forks: Handler = ({ pid }) => (lineage.forks(pid) ? action.continue() : action.errno('EAGAIN'));
  const exits: Handler = ({ pid }) => {
    lineage.exits(pid);
    return action.continue();
  };
  // A device is a socket, and a socket would give a pidfd of the supervisor away. unix(7)
  const noHandle: Handler = () => action.errno('ENOPROTOOPT');

  return {
    name: 'random',
    handlers: {
      getrandom: getrandom(lineage),
      fork: forks,
      vfork: forks,
      clone: { handler: forks, when: arg32(0).maskedEq(CLONE_THREAD, 0) },
      // It is going to end in any case.
      exit_group: { handler: exits, onException: 'continue' },
      getsockopt: { handler: noHandle, when: [arg32(1).eq(SOL_SOCKET), arg32(2).eq(SO_PEERPIDFD)] },
      setsockopt: { handler: noHandle, when: [arg32(1).eq(SOL_SOCKET), arg32(2).eq(SO_PASSPIDFD)] },
    },
    views: [...devices.views, ...randomIds(bootId, (tid) => lineage.of(tid)?.uuids)],
    imagePatch: auxRandom(lineage),
    dispose: () => devices.close(),
  };
}
