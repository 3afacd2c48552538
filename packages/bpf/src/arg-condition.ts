/**
 * Conditions on register arguments, as plain data.
 *
 * A filter sees six 64-bit registers and no memory. What the kernel then makes of a register is for the
 * caller to know: most arguments are 32-bit ints whose upper half the kernel ignores, and comparing all 64
 * bits of those lets a program dodge the rule by setting an upper bit. Use arg32() for them.
 */
import { FilterError } from './filter-error.js';
import { showValue } from './show-value.js';

export type ArgIndex = 0 | 1 | 2 | 3 | 4 | 5;
export type ArgOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'maskedEq';

export interface ArgCondition {
  readonly index: ArgIndex;
  readonly op: ArgOp;
  /** A negative value stands for its two's complement in eq, ne and signed comparisons. */
  readonly value: bigint;
  /** For maskedEq: `(arg & mask) == value`. */
  readonly mask?: bigint;
  /** 32 looks at the low 32 bits only. */
  readonly width: 32 | 64;
  /** lt, le, gt, ge on two's complement numbers; unsigned when absent. */
  readonly signed?: boolean;
}

export interface ArgComparisons {
  eq(value: number | bigint): ArgCondition;
  ne(value: number | bigint): ArgCondition;
  lt(value: number | bigint): ArgCondition;
  le(value: number | bigint): ArgCondition;
  gt(value: number | bigint): ArgCondition;
  ge(value: number | bigint): ArgCondition;
  /** `(arg & mask) == value` */
  maskedEq(mask: number | bigint, value: number | bigint): ArgCondition;
  /** The same, with lt, le, gt and ge on two's complement numbers. */
  readonly signed: ArgComparisons;
}

/** Conditions on all 64 bits of an argument. */
export function arg(index: number): ArgComparisons {
  return comparisons(index, 64, false);
}

/** Conditions on the low 32 bits of an argument, whatever stands above them. */
export function arg32(index: number): ArgComparisons {
  return comparisons(index, 32, false);
}

/**
 * Checks a condition that may come from anywhere.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_ARGUMENT
 */
export function checkCondition(condition: ArgCondition, path?: string): void {
  const fail = (field: string, message: string): never => {
    throw new FilterError('ERR_SANDLOCK_FILTER_ARGUMENT', message,
      { path: path === undefined ? undefined : field === '' ? path : `${path}.${field}` });
  };
  if (typeof condition !== 'object' || condition === null) fail('', `${showValue(condition)} is no condition; use arg().`);
  const { index, op, value, mask, width, signed } = condition;
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    fail('index', `There is no argument ${showValue(index)}; a system call has arguments 0 to 5.`);
  }
  if (!['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'maskedEq'].includes(op)) {
    fail('op', `${showValue(op)} is no comparison; use eq, ne, lt, le, gt, ge or maskedEq.`);
  }
  if (width !== 32 && width !== 64) fail('width', `The width is ${showValue(width)}; it is 32 or 64.`);
  if (signed !== undefined && typeof signed !== 'boolean') fail('signed', `${showValue(signed)} is no boolean.`);
  if (typeof value !== 'bigint') fail('value', `${showValue(value)} is no bigint.`);
  const top = 1n << BigInt(width);
  const ordered = op === 'lt' || op === 'le' || op === 'gt' || op === 'ge';
  const [min, max] = signed === true && ordered ? [-top / 2n, top / 2n - 1n]
    : [ordered || op === 'maskedEq' ? 0n : -top / 2n, top - 1n];
  if (value < min || value > max) {
    fail('value', `${value} does not fit: ${op} over ${width} ${signed === true && ordered ? 'signed ' : ''}bits `
      + `takes ${min} to ${max}.${value < 0n && ordered ? ' For numbers below zero use the signed comparison.' : ''}`);
  }
  if (op !== 'maskedEq') {
    if (mask !== undefined) fail('mask', `Only maskedEq takes a mask, not ${op}.`);
    return;
  }
  if (typeof mask !== 'bigint' || mask < 0n || mask >= top) {
    return fail('mask', `${showValue(mask)} is no mask of ${width} bits, 0 to ${top - 1n}.`);
  }
  // It could never hold, so whoever wrote it meant something else.
  if ((value & ~mask) !== 0n) fail('value', `0x${value.toString(16)} has bits outside the mask 0x${mask.toString(16)}.`);
}

function comparisons(index: number, width: 32 | 64, signed: boolean): ArgComparisons {
  const make = (op: ArgOp, value: number | bigint, mask?: number | bigint): ArgCondition => {
    const condition: ArgCondition = {
      index: index as ArgIndex,
      op,
      value: toBigInt(value),
      ...(mask === undefined ? {} : { mask: toBigInt(mask) }),
      width,
      ...(signed ? { signed } : {}),
    };
    checkCondition(condition);
    return condition;
  };
  return {
    eq: (value) => make('eq', value),
    ne: (value) => make('ne', value),
    lt: (value) => make('lt', value),
    le: (value) => make('le', value),
    gt: (value) => make('gt', value),
    ge: (value) => make('ge', value),
    maskedEq: (mask, value) => make('maskedEq', value, mask),
    get signed() { return comparisons(index, width, true); },
  };
}

function toBigInt(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value;
  // Past 2^53 a number may already be another one than the caller wrote.
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new FilterError('ERR_SANDLOCK_FILTER_ARGUMENT',
    `${showValue(value)} is no whole number that a double holds exactly; write a bigint, as in 0x8000000000000000n.`);
}
