/**
 * The vDSO of a fresh image, patched.
 *
 * The kernel maps one image into every process at exec. A write through /proc/<pid>/mem gives this process a page of its
 * own, which its forks inherit. Whether that was done before is told by the bytes themselves: processes that run without
 * address randomization have their vDSO at one address, and a vfork shares its parent's.
 * proc_pid_mem(5); mm/gup.c, FOLL_FORCE
 */
import { nativeArch, type Arch } from '@sandlock/bpf';
import type { HandlerContext } from '@sandlock/dispatch';

import { HeldMemory } from '../held-memory.js';
import type { ImagePatch } from '../image/fresh-image.js';
import { AT_SYSINFO_EHDR, auxiliaryValue } from './auxiliary-vector.js';
import { VdsoError } from './errors.js';
import { ownVdsoImage } from './own-image.js';
import { vdsoPatches, type Patch, type VdsoChanges } from './vdso-patches.js';

/**
 * @throws {VdsoError} ERR_SANDLOCK_VDSO_LAYOUT. When a process cannot be patched, `apply` throws
 *   ERR_SANDLOCK_VDSO_PATCH, for which its sandbox is killed: it would see the machine's own time.
 */
export function vdsoPatch(changes: VdsoChanges, arch: Arch = nativeArch(process.arch)): ImagePatch {
  const patches = vdsoPatches(ownVdsoImage(), arch, changes);
  return { apply: (context) => applyAll(patches, context) };
}

function applyAll(patches: readonly Patch[], context: HandlerContext): boolean {
  try {
    const base = auxiliaryValue(context.pid, AT_SYSINFO_EHDR);
    if (base === undefined) throw failed('it has none');
    const memory = HeldMemory.of(context);
    if (memory === undefined) return false; // it has ended, or has a signal to take and comes again
    try {
      const missing = patches.filter((patch) => isMissing(memory, base, patch));
      for (const { at, after } of missing) if (!memory.write(base + BigInt(at), after)) throw failed('it cannot be written whole');
      return true;
    } finally {
      memory.close();
    }
  } catch (error) {
    if (!context.isValid()) return false;
    throw error instanceof VdsoError ? error : failed('its memory is out of reach', error);
  }
}

function isMissing(memory: HeldMemory, base: bigint, { at, before, after }: Patch): boolean {
  const now = memory.read(base + BigInt(at), before.length);
  if (now === undefined) throw failed('its memory is out of reach');
  if (now.equals(after)) return false;
  if (!now.equals(before)) throw failed('it is not the one of this machine');
  return true;
}

function failed(why: string, cause?: unknown): VdsoError {
  return new VdsoError('ERR_SANDLOCK_VDSO_PATCH', `The vDSO of a process could not be patched: ${why}.`, { cause });
}
