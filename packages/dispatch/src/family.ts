/**
 * Families: the handlers around one idea, registered together.
 *
 * A family names all spellings of an operation, on every architecture; those that the running one lacks are
 * left out. A name that no architecture has is a mistake and refused.
 */
import type { Handler, HandlerOptions } from './handler.js';
import type { PathsOfConcern } from './paths-of-concern.js';

export interface FamilyHandler extends HandlerOptions {
  readonly handler: Handler;
  /** The handler continues every call whose path is none of these, and with nothing in it each that has no path. See {@link PathsOfConcern}. */
  readonly concerns?: PathsOfConcern;
}

/** One handler for a call, one with its condition, or several in their order. */
export type FamilyEntry = Handler | FamilyHandler | readonly (Handler | FamilyHandler)[];

export interface Family {
  readonly name: string;
  /** By libc name. */
  readonly handlers: Readonly<Record<string, FamilyEntry>>;
  /** Called once a run, after the loop has ended. */
  dispose?(): void | PromiseLike<void>;
}

export function familyHandlers(entry: FamilyEntry): readonly FamilyHandler[] {
  const list = (Array.isArray as (value: unknown) => value is readonly (Handler | FamilyHandler)[])(entry)
    ? entry
    : [entry];
  return list.map((each) => (typeof each === 'object' && each !== null && 'handler' in each ? each : { handler: each }));
}
