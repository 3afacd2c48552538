export { DispatchTable, MAX_REGISTRATIONS, type DispatchTableOptions, type NotifiedSyscall } from './table.js';
export { type Family, type FamilyEntry, type FamilyHandler } from './family.js';
export { type KnownEntries, type PathsOfConcern, type ScreenableCall, type Screening } from './paths-of-concern.js';
export {
  EXCEPTION_POLICIES, on, type ExceptionPolicy, type Handler, type HandlerBinding, type HandlerContext,
  type HandlerFunction, type HandlerObject, type HandlerOptions, type HandlerResult, type Outcome, type When,
} from './handler.js';
export { action, isAction, type DeferOptions, type DeferredWork, type KillTarget, type NotifAction, type Refusal } from './action.js';
export { type FdHandle, type FdSource } from './owned-fd.js';
export { isOnlyElsewhere, Syscall, type SyscallLike } from './syscall.js';
export { type Notification } from './notification.js';
export { asInt32, asUint32 } from './registers.js';

export {
  TargetFailure, type DupFd, type FailureReason, type MemoryBytes, type MemoryWritten, type TargetString,
} from './target-result.js';
export { MAX_READ_BYTES } from './target-memory.js';
export { losslessBytes, losslessText } from './lossless-text.js';
export { decodeOpen, type OpenArguments } from './open-arguments.js';
export { resolvePath, type ResolvedPath } from './resolve-path.js';
export { pathArguments, pathSyscalls, type PathArgument } from './path-arguments.js';

export { Supervisor, type SupervisorOptions } from './supervisor.js';
export { type SupervisorLimits } from './limits.js';
export { type SupervisorReport } from './reports.js';
export { type Diagnostics, type SupervisorState, type SupervisorStats, type WaitingCall } from './stats.js';
export { type OwnsGroup } from './kill-target.js';
export { type Listener } from './listener.js';
export { kernelListener, type KernelListener } from './kernel-listener.js';

export {
  ActionError, HandlerError, SupervisorError, type ActionErrorCode, type HandlerErrorCode, type SupervisorErrorCode,
} from './errors.js';
