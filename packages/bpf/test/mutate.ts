/** Programs near valid ones: each with a few fields changed, most of which the kernel has something to say to. */
import { type Instruction } from '../src/index.js';
import { type Random } from './random.js';

/** Opcodes of seccomp, of other classic BPF, and of nothing. */
const CODES = [0x20, 0x80, 0x81, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16,
  0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0xa4, 0xac, 0x07, 0x87,
  0x94, 0x9c, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x0e, 0x8c, 0x55, 0x0d, 0x17, 0xff, 0x120, 0x1006];

export function mutate(random: Random, program: readonly Instruction[]): Instruction[] {
  const mutated = program.map((instruction) => ({ ...instruction }));
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(mutated.length);
    const one = mutated[at]!;
    const behind = mutated.length - at - 1;
    switch (random.below(8)) {
      case 0: one.code = random.pick(CODES); break;
      case 1: one.jt = Math.max(0, Math.min(255, behind + random.below(4) - 2)); break;
      case 2: one.jf = Math.max(0, Math.min(255, behind + random.below(4) - 2)); break;
      case 3: one.k = random.pick([0, 1, 3, 4, 15, 16, 31, 32, 60, 61, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff]); break;
      case 4: one.k = Math.max(0, behind + random.below(4) - 2); break;
      case 5: mutated.splice(at, mutated.length > 1 ? 1 : 0); break;
      case 6: mutated.splice(at, 0, { code: random.pick(CODES), jt: 0, jf: 0, k: random.below(70) }); break;
      default: mutated.splice(Math.max(1, at)); break;
    }
  }
  return mutated;
}

/** A program of all operations that seccomp knows, with jumps and memory, mostly valid. */
export function randomProgram(random: Random, length: number): Instruction[] {
  const stored = new Set<number>();
  const program = Array.from({ length }, (_, i): Instruction => {
    const behind = length - i;
    const code = random.pick(CODES.slice(0, 41));
    const plain = { code, jt: 0, jf: 0 };
    if (code === 0x05) return { ...plain, k: random.below(Math.min(behind, 4)) };
    if ((code & 7) === 5) return { ...plain, jt: random.below(Math.min(behind, 4)), jf: random.below(Math.min(behind, 4)), k: random.pick([0, 1, 5, 0xffffffff]) };
    if (code === 0x20) return { ...plain, k: 4 * random.below(16) };
    if (code === 0x02 || code === 0x03) {
      const word = random.below(3);
      stored.add(word);
      return { ...plain, k: word };
    }
    if (code === 0x60 || code === 0x61) return { ...plain, k: stored.size > 0 ? random.pick([...stored]) : 16 };
    if (code === 0x64 || code === 0x74) return { ...plain, k: random.below(32) };
    return { ...plain, k: code === 0x34 ? 1 + random.below(9) : random.pick([0, 1, 7, 0x80000000, 0xffffffff, random.word()]) };
  });
  return [...program, { code: random.chance(2) ? 0x16 : 0x06, jt: 0, jf: 0, k: 0x7fff0000 }];
}
