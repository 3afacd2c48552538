/**
 * Text of others, for a terminal that must not obey it: control characters, other ends of lines, and what changes the direction of
 * writing stand there as TOML and JSON write them. Newlines and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/(?![\n\t]|\r\n)[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
