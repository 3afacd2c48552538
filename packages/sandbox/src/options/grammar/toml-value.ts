/**
 * Values of TOML, as options read them from profiles and are written to them.
 *
 * Integers are numbers, and bigints where a double does not hold them. Two kinds have no value that an option would take, and are
 * kept apart: a float, since 8080.0 is no port; and a moment, which stays the text that it was written as, for a Date has
 * lost its zone and everything below a millisecond.
 */
export class TomlFloat {
  constructor(readonly value: number) {}
}

export class TomlMoment {
  constructor(readonly text: string) {}
}

export interface TomlTable {
  readonly [key: string]: TomlValue;
}

export type TomlValue = string | number | bigint | boolean | TomlFloat | TomlMoment | readonly TomlValue[] | TomlTable;

export function isTomlTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof TomlFloat) && !(value instanceof TomlMoment);
}
