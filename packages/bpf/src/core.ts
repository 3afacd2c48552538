// The package without its tables: pass those you need, from @sandlock/bpf/tables/<arch>, in options.tables.
export { compileFilter, type CompileOptions } from './compile-filter.js';
export { type ArchRules, type FilterDescription, type Rule } from './description.js';
export {
  type Action, allow, decodeAction, encodeAction, errno, killProcess, killThread, log, showAction, trace, trap, userNotif,
} from './action.js';
export { arg, arg32, type ArgComparisons, type ArgCondition, type ArgIndex, type ArgOp } from './arg-condition.js';
export { conditionHolds } from './condition-holds.js';
export { readProfile, type ReadProfile, type ReadProfileOptions } from './profile/read-profile.js';
export { type OciArg, type OciSeccomp, type OciSyscall, profileToJson, writeProfile } from './profile/write-profile.js';
export { DOCKER_DEFAULT_CAPABILITIES } from './profile/profile-names.js';
export { disassemble, type DisassembledInstruction, formatProgram } from './read/disassemble.js';
export { encodeInstructions, type Filter, type Instruction, parseProgram, type Program } from './instruction.js';
export { programBytes, programToC, SOCK_FPROG_SIZE, sockFprog } from './write/export-program.js';
export { BPF_MAXINSNS } from './opcodes.js';
export { type ProgramProblem, validateProgram } from './program/validate.js';
export { simulate, type Simulation, simulator } from './simulate.js';
export { type SeccompData, seccompDataWords } from './seccomp-data.js';
export { constantAllows, isConstantAllow } from './analysis/constant-allow.js';
export { type ArchExplanation, explain, type Explanation, type Outcome, type SyscallExplanation, type Verdict } from './analysis/explain.js';
export { diff, type Disagreement } from './analysis/diff.js';
export { showConditions, type WordCondition } from './analysis/show-words.js';
export { pathLengths, type PathLengths } from './analysis/path-lengths.js';
export { AUDIT_ARCH, archOf, nativeArch, X32_SYSCALL_BIT } from './architectures.js';
export { nameIn, numberIn } from './tables/lookup.js';
export { type Arch, type SyscallTable } from './tables/syscall-table.js';
export { errnoName, type ErrnoName, errnoNumber } from './errno.js';
export { FilterError, type FilterErrorCode } from './filter-error.js';
