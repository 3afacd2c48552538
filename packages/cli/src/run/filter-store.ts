/**
 * Filters of earlier runs, beside V8's code cache: compiling one anew would be most of what a short run takes.
 *
 * A file holds the description and the filter, and is used for that very description alone; it is found by the options of
 * the run, which are much shorter. It lies in the package for the reason that the code cache does: whoever may write there
 * can change the command anyway. What an earlier build compiled is not looked at. Files appear whole, and when the run has
 * ended.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { keyText, type FilterStore, type SandboxOptions } from '@sandlock/sandbox';

const CACHE = join(__dirname, '..', '.cache');
const PREFIX = 'filters-';
/** A file is some 20 KiB. Whoever has more policies than this runs them with filters that are made anew now and then. */
const MAX_FILES = 32;

/** @param options all that a filter may depend on, but for what the machine adds */
export function filterStore(options: SandboxOptions): FilterStore {
  const { size, mtimeMs } = statSync(__filename);
  const folder = join(CACHE, `${PREFIX}${size}-${mtimeMs}`);
  const file = join(folder, hash(keyText(options)).toString(16));
  return {
    read(description) {
      try {
        const kept = readFileSync(file);
        const at = Buffer.byteLength(description);
        // The NUL that ends the description, and all that was to follow.
        return kept.toString('utf8', 0, at) === description && kept[at] === 0 && kept.length > at + 5 && kept.readUInt32LE(at + 1) === kept.length - at - 5
          ? kept.subarray(at + 5) : undefined;
      } catch {
        return undefined; // no run was there before, or nobody could write it
      }
    },
    write(description, filter) {
      process.once('exit', () => {
        try {
          keep(folder, file, description, filter);
        } catch {
          // A package that was installed by somebody else: it works without, only slower.
        }
      });
    },
  };
}

function keep(folder: string, file: string, description: string, filter: Uint8Array): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(CACHE)) {
    if (name.startsWith(PREFIX) && join(CACHE, name) !== folder) rmSync(join(CACHE, name), { recursive: true, force: true });
  }
  const files = readdirSync(folder);
  if (files.length >= MAX_FILES) for (const name of files) rmSync(join(folder, name), { force: true });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(filter.length);
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, Buffer.concat([Buffer.from(description), Buffer.of(0), length, filter]), { flag: 'wx', mode: 0o644, flush: true });
  renameSync(unfinished, file);
}

/** FNV-1a: node:crypto takes longer to load than the filter to compile. Two runs of one hash take turns. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
