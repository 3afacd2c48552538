/** A kernel whose Landlock lacks protections: each one missing is named, and where that is allowed all others hold. */
import { landlockAbiVersion } from '@sandlock/sys';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { check, Sandbox, type SandboxOptions } from '../../../src/index.js';
import { MIN_LANDLOCK_ABI, PROTECTIONS, protectionFlagName, requiredAbi } from '../../../src/landlock/protections.js';
import { loopback } from './bytes.js';
import { call, compiled, confined, granting, said, scratch, unconfined } from './calls.js';
import { Listener } from './loopback.js';

const abi = landlockAbiVersion();
const missing = PROTECTIONS.filter((protection) => requiredAbi(protection) > abi);
const CWD = -100, O_WRONLY = 1, O_CREAT = 0o100, O_DIRECTORY = 0o200000, AF_INET = 2, SOCK_STREAM = 1;
const allowed: SandboxOptions = { allowDegraded: missing.map(protectionFlagName) as NonNullable<SandboxOptions['allowDegraded']> };

describe.skipIf(abi === 0 || abi >= MIN_LANDLOCK_ABI)(`a kernel without every protection [needs Landlock before ABI ${MIN_LANDLOCK_ABI}]`, () => {
  it('starts nothing that was not allowed to do without, and names all that is missing', async () => {
    const mark = join(scratch(), 'mark');
    const start = (options: SandboxOptions) => new Sandbox({ fsReadable: ['/'], fsWritable: [join(mark, '..')], ...options }).run(['/usr/bin/touch', mark]);
    const refusal = await start({}).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE', protection: missing[0], hostAbi: abi });
    for (const protection of missing) expect((refusal as Error).message).toContain(`${protection} (requires v${requiredAbi(protection)})`);
    const butOne = { allowDegraded: allowed.allowDegraded!.slice(1) };
    await expect(start(butOne)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE', protection: missing[0] });
    expect(existsSync(mark)).toBe(false);

    const { capabilities, exitCode } = await start(allowed);
    expect([exitCode, existsSync(mark)]).toEqual([0, true]);
    expect(capabilities.landlockAbi).toBe(abi);
    expect(capabilities.protections.filter(({ status }) => status === 'degraded').map(({ protection }) => protection)).toEqual(missing);
    expect(capabilities.protections.filter(({ status }) => status === 'active')).toHaveLength(PROTECTIONS.length - missing.length);
  });

  it('is one of which check() says so', async () => {
    const { supported, steps, protections } = await check();
    expect(supported).toBe(false);
    expect(steps.filter(({ ok, required }) => required && !ok)).toEqual([]);
    expect(protections.filter(({ status }) => status === 'unavailable').map(({ protection }) => protection)).toEqual(missing);
  });

  it('keeps files as they were granted all the same', async () => {
    const [inside, outside] = [scratch(), scratch()];
    for (const folder of [inside, outside]) writeFileSync(join(folder, 'file'), 'text');
    const steps = [inside, outside].flatMap((folder) => [
      call('openat', CWD, join(folder, 'file'), 0), call('openat', CWD, folder, O_DIRECTORY), call('openat', CWD, join(folder, 'file'), O_WRONLY),
      call('openat', CWD, join(folder, 'new'), O_WRONLY | O_CREAT, 0o600), call('unlinkat', CWD, join(folder, 'file'), 0),
    ]);
    expect(said(await confined(steps, { ...allowed, fsReadable: [inside] })))
      .toEqual(['ok', 'ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('text');
    expect(said(await confined(steps, { ...allowed, fsWritable: [inside] })))
      .toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES']);
    expect([existsSync(join(inside, 'file')), existsSync(join(outside, 'new')), readFileSync(join(outside, 'file'), 'utf8')]).toEqual([false, false, 'text']);
    writeFileSync(join(inside, 'file'), 'text');
    expect(said(unconfined(steps))).toEqual(Array<string>(10).fill('ok'));
  });

  it.skipIf(requiredAbi('netTcp') <= abi)('has no TCP where no port is granted, refuses to name ports, and has all where all are [needs Landlock before ABI 4]', async () => {
    const listener = await Listener.open();
    const steps = [call('socket', AF_INET, SOCK_STREAM, 0), call('connect', { step: 0 }, loopback(listener.port), 16)];
    const connections = async (): Promise<number> => (await listener.log()).connections;
    const tried = async (options: SandboxOptions): Promise<string> => said(await confined(steps, { ...allowed, ...options }))[0]!;
    const before = await connections();
    expect(await tried({})).toBe('EACCES');
    expect(await connections()).toBe(before);
    await expect(new Sandbox(granting({ ...allowed, netAllow: [`:${listener.port}`] })).run([compiled('calls')]))
      .rejects.toMatchObject({ code: 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE' });
    expect(await connections()).toBe(before);
    expect(await tried({ netAllow: ['*:*'], netAllowBind: ['*'] })).toBe('ok');
    expect(await connections()).toBe(before + 1);
    await listener.close();
  });
});
