/**
 * Arguments as the bytes they are.
 *
 * Node decodes argv as UTF-8 and puts U+FFFD for what is not, so another file than the named one could be meant. Only
 * then, the bytes are read from /proc. proc_pid_cmdline(5).
 */
import { readFileSync } from 'node:fs';

const REPLACEMENT = '\ufffd';

/** The words that end the command line of this process; bytes for those that were not UTF-8. */
export function lastArguments(words: readonly string[]): (string | Uint8Array)[] {
  if (!words.some((word) => word.includes(REPLACEMENT))) return [...words];
  const raw = splitAtNul(readFileSync('/proc/self/cmdline')).slice(-words.length);
  return words.map((word, i) => (word.includes(REPLACEMENT) ? raw[i]! : word));
}

/** The word was changed in decoding. One that has U+FFFD itself was not, but cannot be told apart, nor is it missed. */
export function isLossy(word: string): boolean {
  return word.includes(REPLACEMENT);
}

function splitAtNul(bytes: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    words.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return words;
}
