// Make
export { compileFilter } from './with-all-tables.js';
export { type CompileOptions } from './compile-filter.js';
export { type ArchRules, type FilterDescription, type Rule } from './description.js';
export {
  type Action, allow, decodeAction, encodeAction, errno, killProcess, killThread, log, showAction, trace, trap, userNotif,
  SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_TRAP, SECCOMP_RET_USER_NOTIF,
} from './action.js';
export { arg, arg32, type ArgComparisons, type ArgCondition, type ArgIndex, type ArgOp } from './arg-condition.js';
export { conditionHolds } from './condition-holds.js';

// Profiles
export { readProfile, writeProfile } from './with-all-tables.js';
export { type ReadProfile, type ReadProfileOptions } from './profile/read-profile.js';
export { type OciArg, type OciSeccomp, type OciSyscall, profileToJson } from './profile/write-profile.js';
export { DOCKER_DEFAULT_CAPABILITIES } from './profile/profile-names.js';

// Read and export
export { disassemble, formatProgram } from './with-all-tables.js';
export { type DisassembledInstruction } from './read/disassemble.js';
export { encodeInstructions, type Filter, type Instruction, parseProgram, type Program } from './instruction.js';
export { programBytes, programToC, SOCK_FPROG_SIZE, sockFprog } from './write/export-program.js';
export { BPF_MAXINSNS } from './opcodes.js';
export { type ProgramProblem, validateProgram } from './program/validate.js';

// Simulate and prove
export { simulate, type Simulation, simulator } from './simulate.js';
export { type SeccompData, seccompDataWords } from './seccomp-data.js';
export { constantAllows, diff, explain, pathLengths } from './with-all-tables.js';
export { isConstantAllow } from './analysis/constant-allow.js';
export { type ArchExplanation, type Explanation, type Outcome, type SyscallExplanation, type Verdict } from './analysis/explain.js';
export { type Disagreement } from './analysis/diff.js';
export { showConditions, type WordCondition } from './analysis/show-words.js';
export { type PathLengths } from './analysis/path-lengths.js';

// Tables
export { AUDIT_ARCH, archOf, nativeArch, X32_SYSCALL_BIT } from './architectures.js';
export { type Arch, type SyscallTable } from './tables/syscall-table.js';
export { syscallName, syscallNames, syscallNumber, syscallTables } from './tables/all.js';
export { errnoName, type ErrnoName, errnoNumber } from './errno.js';
export { FilterError, type FilterErrorCode } from './filter-error.js';
