/**
 * The dispatch table: which handlers are asked about which call, in which order.
 *
 * A call is notified exactly when something is registered here: the filter's notification rules are read
 * off {@link DispatchTable.registrations} and written nowhere else. Families come first, in their
 * order, then the user's handlers in theirs, and the first that answers with anything but `continue` wins.
 * So a user's handler can add a refusal but never take one away.
 */
import type { Arch, ArgCondition } from '@sandlock/bpf';

import { checkedConditions } from './condition.js';
import { disposeAll, type Disposable } from './dispose.js';
import { HandlerError, handlerTypeError } from './errors.js';
import { familyHandlers, type Family } from './family.js';
import { checkHandler, checkPolicy, type ExceptionPolicy, type Handler, type HandlerBinding, type HandlerFunction, type HandlerOptions } from './handler.js';
import type { PathsOfConcern } from './paths-of-concern.js';
import { isOnlyElsewhere, runningArch, Syscall, type SyscallLike } from './syscall.js';

/** More is a mistake, not a use. */
export const MAX_REGISTRATIONS = 4096;

export interface DispatchTableOptions {
  readonly arch?: Arch;
  /** The numbers that the filter denies: a handler for one of them would turn the denial into its own answer. */
  readonly blocklist?: ReadonlySet<number>;
}

/** What the filter has to notify for one call. */
export interface NotifiedSyscall {
  readonly nr: number;
  readonly name: string;
  /** Undefined: always. Otherwise when all conditions of any one list hold. */
  readonly when: readonly (readonly ArgCondition[])[] | undefined;
}

/** One handler in a chain, everything about it decided. */
export interface Link {
  readonly nr: number;
  readonly name: string;
  readonly owner: string;
  readonly handle: HandlerFunction;
  readonly when: readonly ArgCondition[] | undefined;
  readonly policy: ExceptionPolicy;
  readonly deferred: boolean;
  readonly terminal: boolean;
  readonly concerns: PathsOfConcern | undefined;
}

export class DispatchTable {
  readonly arch: Arch;
  readonly #blocklist: ReadonlySet<number>;
  readonly #families: Link[] = [];
  readonly #users: Link[] = [];
  readonly #disposables = new Set<Disposable>();
  #sealed = false;
  #chains: ReadonlyMap<number, readonly Link[]> | undefined;
  #disposal: Promise<void> | undefined;

  constructor(options: DispatchTableOptions = {}) {
    this.arch = options.arch ?? runningArch();
    this.#blocklist = options.blocklist ?? new Set();
  }

  /**
   * Registers one handler of the user.
   *
   * @throws {TypeError} the handler is none, or the call is given as something else than name, number or Syscall
   * @throws {HandlerError} ERR_SANDLOCK_HANDLER_NEGATIVE, _UNKNOWN_NUMBER, _UNKNOWN_NAME, _BLOCKLISTED, _TOO_MANY,
   *   _CONDITION, _SEALED
   */
  on(syscall: SyscallLike, handler: Handler, options: HandlerOptions & { readonly owner?: string } = {}): this {
    const { owner, ...rest } = options;
    return this.addAll([{ syscall, handler, ...rest }], owner);
  }

  /** Registers all of them or, on any error, none. Their `dispose` is called in either case, by {@link dispose}. */
  addAll(bindings: Iterable<HandlerBinding>, owner = 'user'): this {
    const given: HandlerBinding[] = [];
    for (const binding of bindings) {
      given.push(binding);
      if (this.#users.length + given.length > MAX_REGISTRATIONS) break;
    }
    for (const binding of given) this.#adopt(binding?.handler);
    this.#checkOpen();
    if (this.#users.length + given.length > MAX_REGISTRATIONS) {
      throw new HandlerError('ERR_SANDLOCK_HANDLER_TOO_MANY',
        `More than ${MAX_REGISTRATIONS} handlers; one handler may serve several system calls.`);
    }
    const links = given.flatMap((binding) => {
      if (typeof binding !== 'object' || binding === null) throw handlerTypeError('A handler binding comes from on().');
      const { handler, optional, onException } = binding;
      checkHandler(handler);
      checkPolicy(onException);
      if (optional === true && this.#isLeftOut(binding.syscall)) return [];
      const syscall = Syscall.from(binding.syscall, this.arch);
      this.#checkBlocklist(syscall);
      return [link(syscall, owner, handler, binding)];
    });
    this.#users.push(...links);
    return this;
  }

  /** Takes handlers over without registering them: for {@link dispose} to dispose of, where they turn out to be of no use. */
  take(bindings: readonly HandlerBinding[]): void {
    // A caller in JavaScript may have put anything into the list.
    for (const binding of bindings as readonly (HandlerBinding | undefined)[]) this.#adopt(binding?.handler);
  }

  /**
   * Registers a family, whole or not at all. What this architecture lacks is left out, and so is what the
   * filter denies anyway: the denial is the stricter answer.
   */
  family(family: Family): this {
    this.#adopt(family);
    const links: Link[] = [];
    const entries = Object.entries(family.handlers).map(([name, entry]) => [name, familyHandlers(entry)] as const);
    for (const [, handlers] of entries) for (const { handler } of handlers) this.#adopt(handler);
    this.#checkOpen();
    for (const [name, handlers] of entries) {
      const leftOut = this.#isLeftOut(name);
      for (const each of handlers) {
        checkHandler(each.handler);
        checkPolicy(each.onException);
        if (!leftOut) links.push(link(Syscall.fromName(name, this.arch), family.name, each.handler, each));
      }
    }
    this.#families.push(...links);
    return this;
  }

  /**
   * What the filter must notify, by number in ascending order. Reading it ends registration: a handler added
   * to a table whose filter is made already would never be asked.
   */
  registrations(): readonly NotifiedSyscall[] {
    return [...this.chains().values()].map((links) => {
      const { nr, name } = links[0]!;
      const lists = links.map((each) => each.when);
      return { nr, name, when: lists.every((list) => list !== undefined) ? lists : undefined };
    }).sort((a, b) => a.nr - b.nr);
  }

  /** Every chain in the order in which it is walked. Ends registration too. */
  chains(): ReadonlyMap<number, readonly Link[]> {
    this.#sealed = true;
    return (this.#chains ??= this.#chained());
  }

  /**
   * Calls `dispose` of every handler object and family that was given to this table, once each, in order, also of
   * those whose registration failed. Later calls give the same promise.
   *
   * @throws {HandlerError} ERR_SANDLOCK_HANDLER_DISPOSE with `errors`, after all were called
   */
  dispose(): Promise<void> {
    this.#sealed = true;
    return (this.#disposal ??= disposeAll(this.#disposables));
  }

  #chained(): ReadonlyMap<number, readonly Link[]> {
    const chains = new Map<number, Link[]>();
    for (const each of [...this.#families, ...this.#users]) {
      const chain = chains.get(each.nr);
      if (chain === undefined) chains.set(each.nr, [each]);
      else chain.push(each);
    }
    return chains;
  }

  #adopt(candidate: unknown): void {
    if (typeof candidate !== 'object' || candidate === null) return;
    if (typeof (candidate as Disposable).dispose === 'function') this.#disposables.add(candidate as Disposable);
  }

  #checkOpen(): void {
    if (!this.#sealed) return;
    throw new HandlerError('ERR_SANDLOCK_HANDLER_SEALED',
      'The table was read for a filter or a supervisor already; a handler added now would never be asked.');
  }

  /** True for a call that the architecture lacks or the filter denies. @throws {HandlerError} no architecture has it */
  #isLeftOut(syscall: SyscallLike): boolean {
    return isOnlyElsewhere(syscall, this.arch) || this.#blocklist.has(Syscall.from(syscall, this.arch).nr); // throws for what does not exist
  }

  #checkBlocklist({ nr, name }: Syscall): void {
    if (!this.#blocklist.has(nr)) return;
    throw new HandlerError('ERR_SANDLOCK_HANDLER_BLOCKLISTED',
      `${name} (${nr}) is denied, and a handler that continues would lift the denial. If the handler is meant, deny less: some calls are `
      + 'denied only as long as no grant gives them a use.', { syscall: nr });
  }
}

function link(syscall: Syscall, owner: string, handler: Handler, options: HandlerOptions & { concerns?: PathsOfConcern }): Link {
  const object = typeof handler === 'function' ? undefined : handler;
  return {
    nr: syscall.nr,
    name: syscall.name,
    owner,
    handle: object === undefined ? (handler as HandlerFunction) : (context) => object.handle(context),
    when: conditions(options, syscall),
    policy: options.onException ?? object?.onException ?? 'kill',
    deferred: object?.deferred === true,
    terminal: object?.terminal === true,
    concerns: options.concerns,
  };
}

/** An empty list holds always, which is what no condition means. */
function conditions(options: HandlerOptions, syscall: Syscall): readonly ArgCondition[] | undefined {
  if (options.when === undefined) return undefined;
  const list = checkedConditions(options.when, syscall.name);
  return list.length === 0 ? undefined : list;
}
