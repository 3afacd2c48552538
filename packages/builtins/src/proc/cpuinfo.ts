/**
 * /proc/cpuinfo of a machine with as many processors as the sandbox is said to have.
 *
 * What programs look for to choose code, such as flags and features, is what any of them could ask the processor
 * itself, so it is the machine's own. The numbers that count processors are ours, and clock and model are neutral. A
 * field that is not named here, such as ARM's serial number, is left out.
 * arch/x86/kernel/cpu/proc.c, arch/arm64/kernel/cpuinfo.c, arch/riscv/kernel/cpu.c
 */

/** As the machine has them. Spelling of all architectures. */
const KEPT = new Set([
  // x86
  'vendor_id', 'cpu family', 'model', 'stepping', 'cache size', 'fpu', 'fpu_exception', 'cpuid level', 'wp', 'flags', 'vmx flags',
  'bugs', 'TLB size', 'clflush size', 'cache_alignment', 'address sizes', 'power management',
  // arm64
  'Features', 'CPU implementer', 'CPU architecture', 'CPU variant', 'CPU part', 'CPU revision',
  // riscv64
  'isa', 'hart isa', 'mmu', 'uarch', 'mvendorid', 'marchid', 'mimpid',
]);

const MODEL_NAME = 'Virtual CPU';
const MHZ = '2400.000';
const BOGOMIPS = '4800.00';

/** @param cpus their numbers. @param machine the machine's own file */
export function cpuInfo(cpus: readonly number[], machine: string): string {
  const fields = firstBlock(machine);
  return cpus.map((cpu) => {
    const lines = fields.map(([label, value]) => `${label}${ownValue(label, cpu, cpus.length) ?? value}`);
    return `${lines.join('\n')}\n\n`;
  }).join('');
}

/** Labels with the blanks and the colon behind them, and values. */
function firstBlock(machine: string): [label: string, value: string][] {
  const fields: [string, string][] = [];
  for (const line of (machine.split('\n\n').find((block) => /^processor\s*:/.test(block)) ?? 'processor\t: ').split('\n')) {
    const [, name, gap, value] = /^([^\t:]+?)(\s*: ?)(.*)$/.exec(line) ?? [];
    if (name !== undefined && (KEPT.has(name) || ownValue(name, 0, 1) !== undefined)) fields.push([`${name}${gap}`, value!]);
  }
  // Of these every architecture has one.
  for (const label of ['model name\t: ', 'cpu MHz\t\t: ']) if (!fields.some(([other]) => other === label)) fields.push([label, '']);
  return fields;
}

function ownValue(label: string, cpu: number, count: number): string | undefined {
  switch (label.replace(/\s*: ?$/, '')) {
    case 'processor': case 'hart': case 'core id': case 'apicid': case 'initial apicid': return String(cpu);
    case 'physical id': return '0';
    case 'siblings': case 'cpu cores': return String(count);
    case 'model name': return MODEL_NAME;
    case 'cpu MHz': return MHZ;
    case 'bogomips': case 'BogoMIPS': return BOGOMIPS;
    default: return undefined;
  }
}
