/** Profiles: a run with one is confined as it says, and by what a sandbox wrote of itself as by that sandbox. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';

import { loadProfile, mergeOptions, parseProfile, Sandbox, type SandboxOptions } from '../../../src/index.js';
import { call, confined, describeConfined, programFolder, said, scratch, unconfined, type Step } from './calls.js';
import { loopback } from './bytes.js';

const CWD = -100;
const O_WRONLY = 1, O_APPEND = 0o2000;
const AF_INET = 2, SOCK_STREAM = 1;

let read: string;
let written: string;
let secret: string;
beforeEach(() => {
  [read, written, secret] = [scratch(), scratch(), scratch()];
  for (const folder of [read, written, secret]) writeFileSync(join(folder, 'file'), 'text');
});

const profile = (): string => `
[filesystem]
read = [${JSON.stringify(read)}]
write = [${JSON.stringify(written)}]
[network]
allow_bind = [0]
[syscalls]
extra_deny = ["uname"]
[limits]
open_files = 32
`;

const opens = (flags: number): Step[] => [read, written, secret].map((folder) => call('openat', CWD, join(folder, 'file'), flags));
const steps = (): Step[] => [
  ...opens(0), ...opens(O_WRONLY | O_APPEND),
  call('uname', Buffer.alloc(400)),
];
const ALL_OK = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'];
const AS_SAID = ['ok', 'ok', 'EACCES', 'EACCES', 'ok', 'EACCES', 'EPERM'];

describeConfined('a profile', () => {
  it('confines as it says: files and system calls', async () => {
    expect(said(unconfined(steps()))).toEqual(ALL_OK);
    const { sandbox } = await parseProfile(profile());
    expect(said(await confined(steps(), sandbox))).toEqual(AS_SAID);
    // Beside it: the same with everything granted.
    expect(said(await confined(steps(), { fsReadable: ['/'], fsWritable: [read, written, secret] }))).toEqual(ALL_OK);
  });

  it('confines what is read of a file and what is in it afterwards', async () => {
    const file = join(read, 'profile.toml');
    const shell = `cat ${join(read, 'file')}; cat ${join(secret, 'file')}; echo more >>${join(written, 'file')}; echo more >>${join(secret, 'file')}; ulimit -n`;
    const system = ['/usr', '/bin', '/lib', '/lib64', '/etc'].map((path) => ({ path, optional: true }));
    writeFileSync(file, profile().replace('"uname"', ''));
    const { sandbox } = await loadProfile(file);
    const result = await new Sandbox(mergeOptions(sandbox, { fsReadable: system })).run(['sh', '-c', shell]);
    expect(result.text()).toBe('text32');
    expect(String(result.stderr).match(/Permission denied/g)).toHaveLength(2);
    expect(readFileSync(join(written, 'file'), 'utf8')).toBe('textmore\n');
    expect(readFileSync(join(secret, 'file'), 'utf8')).toBe('text');
    const control = await new Sandbox(mergeOptions(sandbox, { fsReadable: system, fsWritable: [secret], maxOpenFiles: 33 })).run(['sh', '-c', shell]);
    expect(control.text()).toBe('texttext33');
    expect(readFileSync(join(secret, 'file'), 'utf8')).toBe('textmore\n');
  });

  it('confines to the ports that it names', async () => {
    const bind = [call('socket', AF_INET, SOCK_STREAM, 0), call('bind', { step: 0 }, loopback(0), 16)];
    expect(said(await confined(bind, (await parseProfile(profile())).sandbox))).toEqual(['ok', 'ok']);
    expect(said(await confined(bind, (await parseProfile(profile().replace('[0]', '[1]'))).sandbox))).toEqual(['ok', 'EACCES']);
  });

  it('that a sandbox wrote of itself confines as that sandbox does', async () => {
    const options: SandboxOptions = { fsReadable: [programFolder(), read], fsWritable: [written], extraDenySyscalls: ['uname'], maxMemory: '1G' };
    expect(said(await confined(steps(), options))).toEqual(AS_SAID);
    const { sandbox } = await parseProfile(await new Sandbox(options).toProfile());
    expect(said(await confined(steps(), sandbox))).toEqual(AS_SAID);
  });
});
