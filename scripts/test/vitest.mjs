/** Vitest over one workspace member, and what its JSON reporter counted. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { root, toolEnvironment } from '../setup/root.mjs';

const KINDS = {
  unit: ['--exclude', 'test/live/**'],
  // One file after the other: they count processes and descriptors, and time what they do.
  live: ['test/live/', '--no-file-parallelism'],
};

/** Folders such as `packages/bpf` that have tests of this kind. */
export function membersWithTests(kind) {
  return ['packages', 'apps']
    .flatMap((folder) => readdirSync(join(root, folder)).sort(byLayer).map((name) => `${folder}/${name}`))
    .filter((member) => testFiles(member).some((file) => file.startsWith('live/') === (kind === 'live')));
}

/**
 * @param as       a command in front, which changes the user, or the filter that it is under
 * @param scratch  a folder that this user may write to
 * @returns {{ passed: number, failed: number, skipped: string[], broken?: string }} skipped: the full titles
 */
export function runVitest({ member, kind, checkout = root, node = process.execPath, as = [], env = {}, scratch }) {
  const folder = scratch ?? mkdtempSync(join(tmpdir(), 'sandlock-report-'));
  const report = join(folder, 'report.json');
  try {
    console.error(`sandlock: testing ${member}, ${kind} tests${as.length > 0 ? `, by ${as.slice(0, 3).map((word) => basename(word)).join(' ')}` : ''} ...`);
    const [command, ...args] = [...as, node, join(checkout, 'node_modules/vitest/vitest.mjs'), 'run', ...KINDS[kind],
      '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { error, status, signal } = spawnSync(command, args, {
      cwd: join(checkout, member), env: { ...toolEnvironment, ...env }, stdio: ['ignore', 'inherit', 'inherit'],
    });
    const counted = existsSync(report) ? count(JSON.parse(readFileSync(report, 'utf8'))) : { passed: 0, failed: 0, skipped: [] };
    if (error) return { ...counted, broken: error.message };
    if (status !== 0 && counted.failed === 0) return { ...counted, broken: `vitest ended with ${signal ?? `exit code ${status}`}` };
    if (counted.passed + counted.failed + counted.skipped.length === 0) return { ...counted, broken: 'no test ran' };
    return counted;
  } finally {
    rmSync(scratch === undefined ? folder : report, { recursive: true, force: true });
  }
}

function count({ testResults }) {
  const tests = testResults.flatMap((file) => file.assertionResults);
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    // A file that could not even be read counts as one.
    failed: tests.filter(({ status }) => status === 'failed').length +
      testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')).length,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  };
}

function testFiles(member) {
  const folder = join(root, member, 'test');
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.test.ts')) : [];
}

/** What others stand on is tested first, so that the first failure is the one to look at. */
function byLayer(a, b) {
  const layers = ['sys', 'bpf', 'dispatch', 'builtins', 'sandbox', 'cli'];
  return layers.indexOf(a) - layers.indexOf(b);
}
