/**
 * Text that UTF-8 can hold.
 *
 * A JavaScript string may contain half a surrogate pair; encoding puts U+FFFD in its place, so what reaches the
 * kernel would be another name than the one given.
 */
export function isWellFormed(text: string): boolean {
  return (text as string & WellFormed).isWellFormed();
}

/** Of ES2024, which Node has from version 20 on and TypeScript's ES2023 has not. */
interface WellFormed {
  isWellFormed(): boolean;
}
