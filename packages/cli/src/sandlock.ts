#!/usr/bin/env node
/**
 * The command's first lines: see that this Node will do, and load the command, from V8's code cache if there is one.
 *
 * Compiling takes longer than a short run may. The cache is made by the first run that can write it, and lies in the
 * package, beside the code that it is made from: whoever may write there can change the command anyway. A folder
 * that is shared, or that a sandboxed program may be let into, such as /tmp or the home, would let it leave code for
 * the next run. V8 itself refuses a cache of another version or flags; that it belongs to this file is in its name,
 * since V8 compares only the length of the source. Built as CommonJS, which has __dirname and require.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

import { tooOld } from './node-version.js';

const complaint = tooOld(process.versions.node);
if (complaint !== undefined) {
  writeSync(2, `${complaint}\n`);
  process.exit(1);
}

const file = join(__dirname, 'main.cjs');
const { size, mtimeMs } = statSync(file);
const folder = join(__dirname, '..', '.cache');
const host = `${process.version}-${process.arch}-`;
const cacheFile = join(folder, `${host}${size}-${mtimeMs}`);

// It is wrapped as Node wraps a CommonJS module; asking node:module for that would load the other loader. And it is ASCII,
// which is read fastest as latin1.
const source = readFileSync(file, 'latin1');
const cachedData = readCache();
const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
const main: { exports: { programRan?: boolean } } = { exports: {} };
(script.runInThisContext() as (...scope: unknown[]) => void)(main.exports, require, main, file, __dirname);
if (script.cachedDataRejected !== false) process.once('exit', writeCache);

function readCache(): Buffer | undefined {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined; // the first run, or nobody could write it
  }
}

/**
 * At the exit of a run, when what the next one needs has been compiled. Two may do so at once, and the machine may stop
 * meanwhile: the name appears when everything is on the disk, for V8 looks closely only at the head of a cache.
 */
function writeCache(): void {
  if (main.exports.programRan !== true) return;
  const unfinished = `${cacheFile}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    // Those of builds that are no more. One that another run is about to rename goes too; a later run makes it again.
    for (const name of readdirSync(folder)) if (name.startsWith(host)) rmSync(join(folder, name));
    writeFileSync(unfinished, script.createCachedData(), { flag: 'wx', mode: 0o644, flush: true });
    renameSync(unfinished, cacheFile);
  } catch {
    // A package that was installed by somebody else: it works without, only slower.
  }
}
