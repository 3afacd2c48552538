/** Whole numbers in a range, with the value and the range in the error. */
import { GrammarError, show } from './grammar-error.js';

/** @param hint  what to do when a value is out of range, most often: leave it out */
export function wholeNumber(min: number, max: number, hint?: string): (value: unknown) => number {
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new GrammarError(`${show(value)} is not a whole number from ${min} to ${max}.`, hint);
  };
}

/** The number that a flag's text stands for. What is no number stays text, for the schema to refuse. */
export function numberFromText(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}
