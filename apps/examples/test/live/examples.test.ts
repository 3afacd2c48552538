import { beforeAll, describe, expect, it } from 'vitest';

import { hasPython, runExample, supported, type Finished } from './run-example.js';

describe.skipIf(!supported || !hasPython)('openat-audit [needs Landlock ABI 6, listener, python3]', () => {
  let finished: Finished;
  beforeAll(() => void (finished = runExample('openat-audit', ['import colorsys; print(colorsys.ONE_THIRD > 0)'])));

  it('prints each open of the program, and the program works', () => {
    const { code, lines, stderr } = finished;
    expect(stderr).toBe('');
    expect(lines.filter((line) => /^open ".*colorsys.*"$/.test(line))).not.toHaveLength(0);
    expect(lines).toContain('python3 printed "True\\n" and ended with exit code 0.');
    expect(code).toBe(0);
  });

  it('counts them', () => {
    const { lines } = finished;
    const printed = lines.filter((line) => line.startsWith('open '));
    expect(lines.at(-1)).toBe(`${printed.length} opens of ${new Set(printed).size} files.`);
  });

  it('sees an open that fails as well, and passes the exit code on', () => {
    const failing = runExample('openat-audit', ['open("/nowhere/at-all")']);
    expect(failing.lines).toContain('open "/nowhere/at-all"');
    expect(failing.code).toBe(1);
  });
});

describe.skipIf(!supported)('deny-uname [needs Landlock ABI 6, listener]', () => {
  it('gets the name without the handler and EPERM with it', () => {
    const { code, lines } = runExample('deny-uname', [], { LC_ALL: 'C' });
    expect(lines[0]).toBe('without the handler: exit code 0, "example"');
    expect(lines[1]).toMatch(/^with the handler: {4}exit code 1, ".*Operation not permitted"$/);
    expect(code).toBe(0);
  });
});

describe.skipIf(!supported)('inject-file [needs Landlock ABI 6, listener]', () => {
  it('yields bytes for a path that does not exist, and nothing for another', () => {
    const { code, lines } = runExample('inject-file', [], { LC_ALL: 'C' });
    expect(lines[0]).toMatch(/^cat \/nowhere\/greeting\.txt: "Hello from the supervisor, open(at)?\.\\n"$/);
    expect(lines[1]).toMatch(/No such file or directory"$/);
    expect(code).toBe(0);
  });
});
