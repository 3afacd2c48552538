/**
 * Text that UTF-8 can hold.
 *
 * A JavaScript string may contain half a surrogate pair; encoding puts U+FFFD in its place, so what reaches the
 * kernel would be another name than the one given. (String.prototype.isWellFormed is not in ES2023's types.)
 */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
