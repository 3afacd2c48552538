/** The functions that name system calls, with every architecture's table at hand. */
import { diff as diffWith, type Disagreement } from './analysis/diff.js';
import { constantAllows as constantAllowsOf } from './analysis/constant-allow.js';
import { type Explanation, explain as explainWith } from './analysis/explain.js';
import { type PathLengths, pathLengths as pathLengthsOf } from './analysis/path-lengths.js';
import { type CompileOptions, compileFilter as compileWith } from './compile-filter.js';
import { type FilterDescription } from './description.js';
import { type Filter, type Program } from './instruction.js';
import { readProfile as readWith, type ReadProfile, type ReadProfileOptions } from './profile/read-profile.js';
import { type OciSeccomp, writeProfile as writeWith } from './profile/write-profile.js';
import { disassemble as disassembleWith, type DisassembledInstruction, formatProgram as formatWith } from './read/disassemble.js';
import { allTables, syscallTables } from './tables/all.js';
import { type Arch } from './tables/syscall-table.js';

/**
 * Compiles a description into a filter that the kernel takes.
 *
 * @throws {FilterError} for whatever is wrong with the description, with its place;
 *   ERR_SANDLOCK_FILTER_TOO_LONG beyond 4096 instructions
 */
export function compileFilter(description: FilterDescription, options: CompileOptions = {}): Filter {
  return compileWith(description, { ...options, tables: options.tables ?? allTables });
}

/**
 * Reads an OCI or Docker profile. See {@link ReadProfileOptions}.
 *
 * @param source JSON text, which keeps 64-bit values exact, or what was parsed from it
 * @throws {FilterError} ERR_SANDLOCK_FILTER_PROFILE with the JSON path
 */
export function readProfile(source: unknown, options: Omit<ReadProfileOptions, 'tables'>): ReadProfile {
  return readWith(source, { ...options, tables: allTables });
}

/**
 * A description as an OCI profile.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_PROFILE for what that form cannot say
 */
export function writeProfile(description: FilterDescription): OciSeccomp {
  return writeWith(description, { tables: allTables });
}

/** The instructions of a program of any origin, with names. */
export function disassemble(program: Program): DisassembledInstruction[] {
  return disassembleWith(program, { tables: allTables });
}

/** A program as text: address, label, instruction. */
export function formatProgram(program: Program): string {
  return formatWith(program, { tables: allTables });
}

/**
 * What a program says, call by call.
 *
 * @param arches which to explain; all by default
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_ANALYSIS
 */
export function explain(program: Program, arches?: readonly Arch[]): Explanation {
  return explainWith(program, { tables: arches?.map((arch) => syscallTables[arch]) ?? allTables });
}

/**
 * Where two programs disagree, each disagreement with a witness; none at all proves them equal.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID, ERR_SANDLOCK_FILTER_ANALYSIS
 */
export function diff(a: Program, b: Program): Disagreement[] {
  return diffWith(a, b, { tables: allTables });
}

/** The calls for which the kernel's constant-allow cache skips the program. Linux 5.11. */
export function constantAllows(program: Program, arch: Arch): string[] {
  return constantAllowsOf(program, syscallTables[arch]);
}

/** Instructions that calls of an architecture cost: mean, worst, and by name. */
export function pathLengths(program: Program, arch: Arch, options: { readonly allowedOnly?: boolean } = {}): PathLengths {
  return pathLengthsOf(program, syscallTables[arch], options);
}
