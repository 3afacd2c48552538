export { Sandbox, type Command, type SandboxStores } from './sandbox.js';
export type { FilterStore } from './filter/filter-cache.js';
export { keyText } from './filter/key-text.js';
export { SandboxProcess, type SandboxProcessEvents } from './run/sandbox-process.js';
export type { CapturedResult, ExitReason, RunCapabilities, RunResult } from './run/result.js';
export type { PopenOptions, RunOptions, Size, StartOptions, StdioMode } from './run/run-options.js';
export type { SandboxOptions } from './options/option-table.js';
export {
  ConfigError, ConfinementError, ExitError, ProcessError, ProfileError, UnsupportedPlatformError,
  type ConfigIssue, type ConfinementErrorCode, type ProcessErrorCode, type ProfileErrorCode,
} from './errors.js';
export { listProfiles, loadProfile } from './profile/profiles.js';
export { parseProfile, type Profile } from './profile/parse-profile.js';
export type { ProfileProgram } from './profile/profile-fields.js';
export { mergeOptions } from './options/merge-options.js';
export { parsePorts } from './options/grammar/port-list.js';
export type { Protection, ProtectionMode, ProtectionStatus } from './landlock/protections.js';
export type { ProtectionReport } from './landlock/protection-status.js';
export { action, on, type Handler, type HandlerBinding, type HandlerContext, type NotifAction, type SupervisorReport, type SupervisorStats } from '@sandlock/dispatch';
export { SandlockError, SyscallError } from '@sandlock/sys';
export { check, type CheckReport, type CheckStep } from './check/check.js';
export { confine, type Confined } from './confine.js';
export { landlockAbi, minLandlockAbi, syscallNumber } from './platform.js';
