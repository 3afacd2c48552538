/**
 * Reading JSON values by their types: what is wrong is an error that names its place.
 */
import { FilterError } from '../filter-error.js';
import { showValue } from '../show-value.js';

/** A value and where it stands in the profile. */
export class Place {
  constructor(readonly value: unknown, readonly path: string) {}

  /** Absent and null are the same: Go writes nil slices and pointers as null. */
  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  at(key: string): Place {
    const value = Object.hasOwn(this.object(), key) ? this.object()[key] : undefined;
    return new Place(value, this.path === '' ? key : `${this.path}.${key}`);
  }

  object(): Record<string, unknown> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) throw this.wrong('an object');
    return this.value as Record<string, unknown>;
  }

  /** An absent list is an empty one. */
  list(): Place[] {
    if (this.absent) return [];
    if (!Array.isArray(this.value)) throw this.wrong('a list');
    return this.value.map((item, i) => new Place(item, `${this.path}[${i}]`));
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.wrong('a string');
    return this.value;
  }

  integer(max: number | bigint, what = `a whole number from 0 to ${max}`): bigint {
    const exact = typeof this.value === 'bigint' || Number.isSafeInteger(this.value);
    if (!exact || (this.value as number) < 0 || (this.value as number) > max) throw this.wrong(what);
    return BigInt(this.value as number);
  }

  /** One of the keys of a table. */
  oneOf<T>(table: Readonly<Record<string, T>>): T {
    const name = this.string();
    if (!Object.hasOwn(table, name)) throw this.wrong(`one of ${Object.keys(table).join(', ')}`);
    return table[name]!;
  }

  wrong(wanted: string): FilterError {
    return this.fail(`${showValue(this.value)} is not ${wanted}.`);
  }

  fail(message: string): FilterError {
    return new FilterError('ERR_SANDLOCK_FILTER_PROFILE', message, { path: this.path === '' ? undefined : this.path });
  }
}
