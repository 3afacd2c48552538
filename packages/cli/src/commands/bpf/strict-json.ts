/** JSON in which no key stands twice: whoever reads the file may see the other one. RFC 8259, section 4. */
import { FilterError } from '@sandlock/bpf';

/** @throws {FilterError} for a key that is repeated @throws {SyntaxError} for what is no JSON */
export function parseStrictJson(text: string): unknown {
  const plain = text.replace(/^\ufeff/, '');
  const value: unknown = JSON.parse(plain);
  refuseRepeatedKeys(plain);
  return value;
}

/** Over text that is JSON: a string is a key exactly where it is followed by a colon. */
function refuseRepeatedKeys(text: string): void {
  const open: Set<string>[] = [];
  for (const { 0: token, 1: key, index } of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (key !== undefined) {
      const name = JSON.parse(key) as string;
      const line = text.slice(0, index).split('\n').length;
      if (open.at(-1)!.has(name)) throw new FilterError('ERR_SANDLOCK_FILTER_DESCRIPTION', `Line ${line}: ${key} stands here for the second time.`);
      open.at(-1)!.add(name);
    }
  }
}
