import { fstatSync } from 'node:fs';

import { afterEach, describe, expect, it } from 'vitest';

import { close, pipe, PipeCapture, write } from '../src/index.js';

const open = new Set<number>();
afterEach(() => {
  for (const fd of open) close(fd);
  open.clear();
});

function newPipe(): { readEnd: number; writeEnd: number; end(): void } {
  const [readEnd, writeEnd] = pipe();
  open.add(readEnd).add(writeEnd);
  return { readEnd, writeEnd, end: () => void (open.delete(writeEnd), close(writeEnd)) };
}

const turns = (ms = 20) => new Promise((resolve) => { setTimeout(resolve, ms); });

function capture(fd: number, limitBytes = 1000): { capture: PipeCapture; ends: () => number } {
  let ends = 0;
  return { capture: new PipeCapture({ fd, limitBytes, onEnd: () => void ends++ }), ends: () => ends };
}

describe('PipeCapture', () => {
  it('keeps what comes, and says once that it was the end', async () => {
    const { readEnd, writeEnd, end } = newPipe();
    const { capture: captured, ends } = capture(readEnd);
    write(writeEnd, Buffer.from('one '));
    await turns();
    write(writeEnd, Buffer.from('two'));
    await turns();
    expect([captured.totalBytes, ends()]).toEqual([7, 0]);
    end();
    await turns();
    expect(ends()).toBe(1);
    captured.close();
    expect(captured.take().toString()).toBe('one two');
    expect(captured.take()).toHaveLength(0); // handed over
  });

  it('reads on beyond the limit and keeps no more', async () => {
    const { readEnd, writeEnd, end } = newPipe();
    const { capture: captured, ends } = capture(readEnd, 5);
    // More than a pipe holds: the writer would wait for good if nobody read.
    for (let n = 0; n < 40; n++) {
      write(writeEnd, Buffer.alloc(8192, 97 + (n % 26)));
      await turns(1);
    }
    end();
    await turns();
    expect([ends(), captured.totalBytes]).toEqual([1, 40 * 8192]);
    expect(captured.take().toString()).toBe('aaaaa');
    captured.close();
  });

  it('keeps nothing with a limit of 0', async () => {
    const { readEnd, writeEnd } = newPipe();
    const { capture: captured } = capture(readEnd, 0);
    write(writeEnd, Buffer.from('x'));
    await turns();
    expect([captured.totalBytes, captured.take().length]).toEqual([1, 0]);
    captured.close();
  });

  it('drains what is there at once, and calls nobody back for an end that it found so', async () => {
    const { readEnd, writeEnd, end } = newPipe();
    const { capture: captured, ends } = capture(readEnd);
    write(writeEnd, Buffer.from('x'));
    expect([captured.drain(), captured.totalBytes]).toEqual([false, 1]);
    write(writeEnd, Buffer.from('y'));
    end();
    expect([captured.drain(), captured.totalBytes]).toEqual([true, 2]);
    captured.close();
    await turns();
    expect(ends()).toBe(0);
    expect(captured.take().toString()).toBe('xy');
  });

  it('calls nobody back once closed, and leaves the descriptor to its owner', async () => {
    const { readEnd, writeEnd, end } = newPipe();
    const { capture: captured, ends } = capture(readEnd);
    captured.close();
    captured.close();
    write(writeEnd, Buffer.from('x'));
    end();
    await turns();
    expect([ends(), captured.totalBytes]).toEqual([0, 0]);
    expect(fstatSync(readEnd).isFIFO()).toBe(true);
  });

  it('cannot watch what is no descriptor', () => {
    expect(() => capture(-1)).toThrow();
  });
});
