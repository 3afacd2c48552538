/**
 * What the filter decides about one system call by its arguments.
 *
 * Denials come before notifications, so that a mistake fails closed. Two forms need more than that: a call that
 * is allowed only in listed forms, and a call whose refusal gives way to a family that answers it better.
 */
import type { ArgCondition, ErrnoName } from '@sandlock/bpf';

export interface Denial {
  /** All must hold; none means always. */
  readonly when: readonly ArgCondition[];
  readonly errno: ErrnoName;
}

export interface CallRules {
  /** Before everything else, in this order. */
  readonly deny?: readonly Denial[];
  /** Nothing but these forms, any of which may be notified. */
  readonly only?: { readonly forms: readonly (readonly ArgCondition[])[]; readonly otherwise: ErrnoName };
  /** After the notifications of this family where it is registered; without it, before all notifications. */
  readonly unless?: { readonly family: FamilyName; readonly deny: readonly Denial[] };
}

/** Families that a refusal gives way to. */
export type FamilyName = 'listen' | 'processes';

/** Rules by name of the call. Names that the architecture lacks are left out later. */
export type RulesByCall = Readonly<Record<string, CallRules>>;
