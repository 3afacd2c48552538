/** The streams of a program that its caller reads. */
import { expect, it } from 'vitest';

import { Sandbox } from '../../../src/index.js';
import { call, compiled, describeConfined, granting, script } from './calls.js';

describeConfined('a stream that was taken', () => {
  const start = () => new Sandbox(granting()).popen([compiled('calls')]);
  const input = script([call('write', 1, 'out', 3), call('write', 2, 'err', 3)]);

  it('flows from the first listener for data on', async () => {
    const child = await start();
    const out: string[] = [];
    const err: string[] = [];
    child.stdout!.on('data', (data) => out.push(String(data)));
    child.stderr!.on('data', (data) => err.push(String(data)));
    child.stdin!.end(input);
    expect(await child.wait()).toMatchObject({ ok: true, stdout: null, stderr: null });
    expect(out.join('')).toMatch(/^out3 0 /);
    expect(err.join('')).toBe('err');
  });

  it('keeps what nobody has read yet', async () => {
    const child = await start();
    child.stdin!.end(input);
    const { stderr } = child;
    await child.wait();
    const chunks: Buffer[] = [];
    for await (const chunk of stderr!) chunks.push(chunk as Buffer);
    expect(String(Buffer.concat(chunks))).toBe('err');
  });
});
