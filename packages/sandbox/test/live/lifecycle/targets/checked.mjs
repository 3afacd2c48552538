/** Prints what check() says of a machine that refuses system calls, as JSON: `{ "seccomp": { "error": "EINVAL", "flag": 8 } }`. */
import { allow, arg32, compileFilter, errno, nativeArch } from '@sandlock/bpf';
import { seccompSetModeFilter } from '@sandlock/sys';
import { spawnSync } from 'node:child_process';

import { check } from '../../../../dist/index.js';

const [refused] = process.argv.slice(2);
if (refused === undefined) {
  console.log(JSON.stringify(await check()));
} else {
  // It applies to this thread and what it starts, and Node has others.
  const rules = Object.entries(JSON.parse(refused)).map(([syscall, { error, flag }]) => (
    { syscall, when: flag === undefined ? [] : [arg32(1).maskedEq(flag, flag)], action: errno(error) }));
  seccompSetModeFilter(0, compileFilter({ defaultAction: allow(), architectures: [{ arch: nativeArch(process.arch), rules }] }).bytes);
  const { stdout, stderr } = spawnSync(process.execPath, [process.argv[1]], { encoding: 'utf8' });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
}
