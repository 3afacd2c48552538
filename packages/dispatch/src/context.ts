/**
 * The context of one handler's turn.
 *
 * It dies with the turn. A handler that keeps it and looks at the target later would look at whatever
 * lives under that pid by then; so afterwards every helper fails without touching anything.
 */
import type { Call } from './call.js';
import { HandlerError } from './errors.js';
import type { HandlerContext, Outcome } from './handler.js';
import type { Listener } from './listener.js';
import { pathArguments } from './path-arguments.js';
import { dupFd, readCString, readMemory, writeMemory } from './target-memory.js';
import { failure, type DupFd, type MemoryBytes, type MemoryWritten, type TargetString } from './target-result.js';

/** PATH_MAX, the NUL included. include/uapi/linux/limits.h. */
const PATH_MAX = 4096;

export class CallContext implements HandlerContext {
  readonly #call: Call;
  readonly #listener: Listener;
  #live = true;

  constructor(call: Call, listener: Listener) {
    this.#call = call;
    this.#listener = listener;
  }

  /** The handler's turn is over. */
  end(): void {
    this.#live = false;
  }

  get id(): bigint { return this.#call.id; }
  get pid(): number { return this.#call.pid; }
  get flags(): number { return this.#call.flags; }
  get nr(): number { return this.#call.nr; }
  get name(): string { return this.#call.name; }
  get arch(): number { return this.#call.arch; }
  get instructionPointer(): bigint { return this.#call.instructionPointer; }
  get args(): readonly bigint[] { return this.#call.args; }

  get signal(): AbortSignal {
    return this.#live ? this.#call.signal : AbortSignal.abort();
  }

  isValid(): boolean {
    return this.#live && !this.#call.over && this.#listener.idValid(this.#call.id) === 0;
  }

  readMemory(address: bigint, length: number | bigint): MemoryBytes {
    return this.#live ? readMemory(this.#listener, this.#call, address, length) : failure('ended');
  }

  readCString(address: bigint, maxLength: number): TargetString {
    return this.#live ? readCString(this.#listener, this.#call, address, maxLength) : failure('ended');
  }

  writeMemory(address: bigint, data: Uint8Array): MemoryWritten {
    return this.#live ? writeMemory(this.#listener, this.#call, address, data) : failure('ended');
  }

  dupFd(fd: number | bigint): DupFd {
    return this.#live ? dupFd(this.#listener, this.#call, fd) : failure('ended');
  }

  readPath(argIndex?: number): TargetString {
    const index = argIndex ?? this.#inferredPath();
    if (!Number.isInteger(index) || index < 0 || index > 5) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_PATH_ARGUMENT', `An argument index is 0 to 5, not ${String(index)}.`);
    }
    return this.readCString(this.#call.args[index]!, PATH_MAX);
  }

  onOutcome(callback: (outcome: Outcome) => void): void {
    if (this.#live) this.#call.onOutcome(callback);
  }

  #inferredPath(): number {
    const paths = pathArguments(this.name);
    if (paths.length === 1) return paths[0]!.index;
    throw new HandlerError('ERR_SANDLOCK_HANDLER_PATH_ARGUMENT',
      paths.length === 0
        ? `${this.name} is not known to take a path; give readPath() the index of the argument.`
        : `${this.name} takes two paths; give readPath() the index: ${paths.map(({ index }) => index).join(' or ')}.`,
      { syscall: this.name });
  }
}
