/**
 * Filters from profiles: the `linux.seccomp` object of the OCI runtime specification, and Docker's form of
 * it with archMap, includes and excludes.
 *
 * What a profile means is what container runtimes make of it through libseccomp, so this reader follows
 * them: a rule with the default action is skipped, names that an architecture lacks are skipped, a rule for
 * every call of a name outweighs those with conditions, and a rule that names one argument twice holds if
 * any one of its conditions does. Where registers count as 32 bits wide (i386, arm, and x32 to libseccomp),
 * the low halves are compared. None of this stands in the file, which is why it surprises.
 */
import { type Action, encodeAction, killThread } from '../action.js';
import { type ArgCondition, type ArgIndex } from '../arg-condition.js';
import { type FilterDescription, type Rule } from '../description.js';
import { FilterError } from '../filter-error.js';
import { ERRNO_NUMBERS } from '../tables/errno-numbers.js';
import { numberIn } from '../tables/lookup.js';
import { type Arch, type SyscallTable } from '../tables/syscall-table.js';
import { Place } from './checked-json.js';
import { parseJson } from './json.js';
import { GO_ARCHES, NARROW_ARCHES, PROFILE_ACTIONS, PROFILE_ARCHES, PROFILE_OPS } from './profile-names.js';

export interface ReadProfileOptions {
  /** The architecture of the machine. The filter always has it; the profile may add others. */
  readonly arch: Arch;
  /** The capability bounding set of the container, with or without CAP_. Default: none. */
  readonly capabilities?: readonly string[];
  /** Kernel version for minKernel, as in `6.1`. Default: that of the syscall table. */
  readonly kernel?: string;
  /** For calls of architectures not in the filter. Default KILL_THREAD, which is libseccomp's. */
  readonly badArchAction?: Action;
  readonly tables: readonly SyscallTable[];
}

export interface ReadProfile {
  readonly description: FilterDescription;
  /** What had no effect: names that an architecture lacks, architectures without a table here. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** SECCOMP_FILTER_FLAG_* to install the filter with. */
  readonly flags: readonly string[];
}

/**
 * @param source JSON text, which keeps 64-bit values exact, or what was parsed from it: a profile, or a whole
 *   runtime configuration with `linux.seccomp`
 * @throws {FilterError} ERR_SANDLOCK_FILTER_PROFILE with the JSON path
 */
export function readProfile(source: unknown, options: ReadProfileOptions): ReadProfile {
  const root = new Place(typeof source === 'string' ? parseJson(source) : source, '');
  const profile = root.at('linux').absent ? root : root.at('linux').at('seccomp');
  const skipped: { path: string; reason: string }[] = [];

  const defaultAction = actionOf(profile.at('defaultAction'), profile.at('defaultErrnoRet'), profile.at('defaultErrno'));
  if (!options.tables.some(({ arch }) => arch === options.arch)) {
    throw new FilterError('ERR_SANDLOCK_FILTER_ARCH', `No syscall table for ${options.arch} was passed; pass it in options.tables.`);
  }
  const arches = archesOf(profile, options, skipped);
  const entries = profile.at('syscalls').list().filter((entry) => applies(entry, options)).map(entryOf);
  return {
    description: {
      defaultAction,
      badArchAction: options.badArchAction ?? killThread(),
      architectures: arches.map((arch) => ({ arch, rules: rulesFor(arch, entries, defaultAction, options.tables, skipped) })),
    },
    skipped,
    flags: profile.at('flags').list().map((flag) => flag.string()),
  };
}

interface Entry {
  readonly names: readonly Place[];
  readonly action: Action;
  /** Any one of these lists must hold. */
  readonly cases: readonly (readonly ArgCondition[])[];
}

function entryOf(entry: Place): Entry {
  const names = entry.at('names').list();
  if (!entry.at('name').absent) {
    if (names.length > 0) throw entry.at('name').fail('A rule has name or names, not both.');
    names.push(entry.at('name'));
  }
  if (names.length === 0) throw entry.at('names').fail('A rule needs at least one name.');
  for (const name of names) name.string();
  const conditions = entry.at('args').list().map(conditionOf);
  const repeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return {
    names,
    action: actionOf(entry.at('action'), entry.at('errnoRet'), entry.at('errno')),
    cases: repeated ? conditions.map((condition) => [condition]) : [conditions],
  };
}

function conditionOf(argument: Place): ArgCondition {
  const index = Number(argument.at('index').integer(5)) as ArgIndex;
  const op = argument.at('op').oneOf(PROFILE_OPS);
  const max = (1n << 64n) - 1n;
  const value = argument.at('value').integer(max);
  if (op !== 'maskedEq') return { index, op, value, width: 64 };
  // The first value is the mask. Bits of the second outside it are dropped, as libseccomp does.
  const wanted = argument.at('valueTwo').absent ? 0n : argument.at('valueTwo').integer(max);
  return { index, op, mask: value, value: wanted & value, width: 64 };
}

/** EPERM is what runtimes take for an errno, or for the data of a trace stop, that is not given. */
function actionOf(action: Place, errnoRet: Place, errnoName: Place): Action {
  const type = action.oneOf(PROFILE_ACTIONS);
  const number = (max: number): number => !errnoRet.absent ? Number(errnoRet.integer(max))
    : !errnoName.absent && errnoName.value !== '' ? errnoName.oneOf(ERRNO_NUMBERS) : ERRNO_NUMBERS.EPERM;
  switch (type) {
    case 'errno': return { type, errno: number(4095) };
    case 'trace': return { type, data: number(0xffff) };
    case 'trap': return { type, data: 0 };
    default: return { type };
  }
}

function archesOf(profile: Place, { arch: native, tables }: ReadProfileOptions, skipped: { path: string; reason: string }[]): Arch[] {
  const listed = profile.at('architectures').list();
  const map = profile.at('archMap').list();
  if (listed.length > 0 && map.length > 0) throw profile.at('archMap').fail('A profile has architectures or archMap, not both.');
  // Each entry is checked, also those that this machine does not need.
  const chosen = map.map((entry) => ({ main: archOf(entry.at('architecture')), subs: entry.at('subArchitectures').list() }))
    .map(({ main, subs }) => ({ main, subs: subs.map((place) => ({ place, arch: archOf(place) })) }))
    .find(({ main }) => main === native)?.subs ?? listed.map((place) => ({ place, arch: archOf(place, native) }));
  const arches = new Set<Arch>([native]);
  for (const { place, arch } of chosen) {
    // Without a table its rules would be lost one by one, and what a rule denies would be allowed.
    if (arch !== undefined && tables.some((table) => table.arch === arch)) arches.add(arch);
    else skipped.push({ path: place.path, reason: `${place.string()} has no syscall table here; its calls are refused` });
  }
  return [...arches];
}

function archOf(place: Place, native?: Arch): Arch | undefined {
  const name = place.string();
  if (name === 'SCMP_ARCH_NATIVE' && native !== undefined) return native;
  if (!/^SCMP_ARCH_[A-Z0-9_]+$/.test(name)) throw place.wrong('an architecture, as in SCMP_ARCH_X86_64');
  return Object.hasOwn(PROFILE_ARCHES, name) ? PROFILE_ARCHES[name] : undefined;
}

/** Docker's includes and excludes: all of the first must be met, and none of the second. */
function applies(entry: Place, options: ReadProfileOptions): boolean {
  const held = new Set((options.capabilities ?? []).map((name) => name.startsWith('CAP_') ? name : `CAP_${name}`));
  const read = (place: Place) => place.absent ? undefined : {
    arches: place.at('arches').list().map((arch) => arch.string()),
    caps: place.at('caps').list().map((cap) => cap.string()),
    newEnough: place.at('minKernel').absent ? undefined : kernelAtLeast(place.at('minKernel'), options),
  };
  const isNative = (name: string): boolean => GO_ARCHES[options.arch].includes(name);
  const excludes = read(entry.at('excludes'));
  const includes = read(entry.at('includes'));
  if (excludes !== undefined) {
    if (excludes.arches.some(isNative) || excludes.caps.some((cap) => held.has(cap)) || excludes.newEnough === true) return false;
  }
  if (includes !== undefined) {
    if (includes.arches.length > 0 && !includes.arches.some(isNative)) return false;
    if (includes.caps.some((cap) => !held.has(cap)) || includes.newEnough === false) return false;
  }
  return true;
}

function kernelAtLeast(place: Place, options: ReadProfileOptions): boolean {
  const wanted = /^(\d+)\.(\d+)$/.exec(place.string());
  if (wanted === null) throw place.wrong('a kernel version, as in 4.8');
  const kernel = options.kernel ?? options.tables.find(({ arch }) => arch === options.arch)?.kernel ?? '';
  const running = /^(\d+)\.(\d+)/.exec(kernel);
  if (running === null) throw place.fail(`The kernel version to compare with is ${JSON.stringify(kernel)}; pass options.kernel, as in 6.1.`);
  const [major, minor] = [Number(running[1]) - Number(wanted[1]), Number(running[2]) - Number(wanted[2])];
  return major > 0 || (major === 0 && minor >= 0);
}

function rulesFor(
  arch: Arch, entries: readonly Entry[], defaultAction: Action, tables: readonly SyscallTable[], skipped: { path: string; reason: string }[],
): Rule[] {
  const table = tables.find((one) => one.arch === arch)!;
  const byNumber = new Map<number, Rule[]>();
  for (const { names, action, cases } of entries) {
    for (const name of names) {
      const nr = numberIn(table, name.string());
      if (nr === undefined) {
        skipped.push({ path: name.path, reason: `${arch} has no system call ${JSON.stringify(name.string())}` });
      } else if (encodeAction(action) !== encodeAction(defaultAction)) {
        for (const when of cases) {
          addRule(byNumber, nr, { syscall: name.string(), when: NARROW_ARCHES.has(arch) ? when.map(lowHalf) : when, action });
        }
      }
    }
  }
  return [...byNumber.values()].flat();
}

/** libseccomp cuts the value as well; a value that needs more than 32 bits then means another one. */
function lowHalf({ index, op, value, mask }: ArgCondition): ArgCondition {
  const low = BigInt.asUintN(32, value);
  return { index, op, value: low, ...(mask === undefined ? {} : { mask: BigInt.asUintN(32, mask) }), width: 32 };
}

/** The first rule without conditions decides all calls of its name, whatever stands around it. */
function addRule(byNumber: Map<number, Rule[]>, nr: number, rule: Rule): void {
  const before = byNumber.get(nr) ?? [];
  if (before.some(({ when }) => when!.length === 0)) return;
  byNumber.set(nr, rule.when!.length === 0 ? [rule] : [...before, rule]);
}
