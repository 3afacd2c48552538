/**
 * Fresh images: memory of a program that is changed after exec, before the program's own code can look at it.
 *
 * exec itself cannot be waited for, but whatever sets up a C library or another runtime makes one of these calls
 * first, and the thread stands still while we answer. brk(0) comes from the loader's or the static start code's first
 * lines; ARCH_SET_FS gives a thread its storage on x86-64, before the stack protector's canary is read into it;
 * set_tid_address does the same for the C libraries of the others; Go asks for its processors there. All of them are
 * rare later on. A hand-written program that makes none of these calls runs unchanged.
 *
 * A patch is applied at every such call, so it finds out by itself whether the image has it already: by what is in
 * the memory, which a fork copies and an exec does not. Where one cannot be applied, the process is killed: it would
 * see what it was not to see.
 * brk(2), arch_prctl(2), set_tid_address(2), sched_getaffinity(2)  ->  continue, or SIGKILL
 */
import { arg, arg32, nativeArch, type Arch, type ArgCondition } from '@sandlock/bpf';
import { action, type Family, type FamilyHandler, type Handler, type HandlerContext } from '@sandlock/dispatch';
import { signals } from '@sandlock/sys';

/** arch/x86/include/uapi/asm/prctl.h */
const ARCH_SET_FS = 0x1002;

export interface ImagePatch {
  /**
   * Changes the image that the calling thread runs, unless that was done before. The thread waits.
   *
   * @returns false when it could not be done
   */
  apply(context: HandlerContext): boolean;
}

/** What a fresh image calls early, and seldom later. */
export const EARLY_CALLS: Readonly<Partial<Record<Arch, Readonly<Record<string, readonly ArgCondition[]>>>>> = {
  x86_64: { brk: [arg(0).eq(0)], arch_prctl: [arg32(0).eq(ARCH_SET_FS)], set_tid_address: [] },
  aarch64: { brk: [arg(0).eq(0)], set_tid_address: [], sched_getaffinity: [arg32(0).eq(0)] },
  riscv64: { brk: [arg(0).eq(0)], set_tid_address: [], sched_getaffinity: [arg32(0).eq(0)] },
};

/** @param patches applied in this order */
export function freshImages(patches: readonly ImagePatch[], arch: Arch = nativeArch(process.arch)): Family {
  const handler: Handler = (context) => {
    for (const patch of patches) {
      // A call that is over by now was that of a thread that is being killed or has a signal to take; it comes again.
      if (!patch.apply(context) && context.isValid()) return action.kill({ signal: signals.SIGKILL, target: 'task' });
    }
    return action.continue();
  };
  const handlers = Object.entries(EARLY_CALLS[arch] ?? {}).map(([name, when]): [string, FamilyHandler] => [name, { handler, when }]);
  return { name: 'freshImages', handlers: Object.fromEntries(handlers) };
}
