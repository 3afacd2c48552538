/**
 * pnpm bench: what confinement costs, as ratios of medians taken in one run.
 *
 *   --quick         fewer samples
 *   --json          the figures as JSON instead of tables
 *   --only NAME     one of: notified-call, untrapped-call, run, heap, programs, command,
 *                   notifications, bpf
 *   --write-readme  put the table between the marks in README.md, too
 *
 * Nothing is asserted here: a busy machine is no failure. Nanoseconds are this machine's own, ratios carry over.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { figureRows, load, machine, notificationRows, ratio } from './lib/report.mjs';
import { markdown, table } from './lib/table.mjs';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' }, 'write-readme': { type: 'boolean' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const bpfBench = `${root}packages/bpf/bench/bpf.mjs`;

// Loaded when its turn comes, so that a figure can be taken where another's package is not built.
const FIGURES = {
  'notified-call': async () => (await import('./figures/notified-call.mjs')).notifiedCall(options),
  'untrapped-call': async () => (await import('./figures/untrapped-call.mjs')).untrappedCall(options),
  run: async () => (await import('./figures/run.mjs')).run(options),
  heap: async () => (await import('./figures/heap.mjs')).heap(options),
  programs: async () => (await import('./figures/programs.mjs')).programs(options),
  command: async () => (await import('./figures/command.mjs')).command(options),
};

const loadBefore = load();
const wanted = (name) => options.only === undefined || options.only === name;
if (![...Object.keys(FIGURES), 'notifications', 'bpf'].some(wanted)) {
  console.error(`bench: there is no figure ${JSON.stringify(options.only)}.`);
  process.exit(2);
}

if (options['write-readme'] && options.only !== undefined) {
  console.error('bench: the table in README.md has every figure; leave out --only.');
  process.exit(2);
}

const figures = [];
for (const [name, take] of Object.entries(FIGURES)) figures.push(...await taken(name, take));
const counts = await taken('notifications', async () => (await import('./figures/notifications.mjs')).notifications());

if (options.json) {
  console.log(JSON.stringify({ machine: machine(), load: loadBefore, figures: figures.map((each) => ({ ...each, ratio: ratio(each) })), notifications: counts }, null, 2));
} else {
  console.log(`${machine()}; ${loadBefore}`);
  if (figures.length > 0) show(figureRows(figures));
  if (counts.length > 0) show(notificationRows(counts));
  if (wanted('bpf') && existsSync(bpfBench)) {
    console.log('');
    spawnSync(process.execPath, [bpfBench, ...(options.quick ? ['--quick'] : [])], { stdio: 'inherit' });
  }
}
if (options['write-readme']) {
  if (process.exitCode) console.error('bench: a figure is missing, so README.md stays as it is.');
  else writeReadme();
}

async function taken(name, take) {
  if (!wanted(name)) return [];
  console.error(`bench: ${name} ...`);
  try {
    return await take();
  } catch (error) {
    // The others are still worth knowing.
    console.error(`bench: ${name} could not be taken: ${error.message}`);
    process.exitCode = 1;
    return [];
  }
}

function show({ rows, right }) {
  console.log(`\n${table(rows, right)}`);
}

function writeReadme() {
  const file = `${root}README.md`;
  const [start, end] = ['<!-- bench:start -->', '<!-- bench:end -->'];
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) {
    console.error(`bench: README.md has no ${start} and ${end} to write between.`);
    process.exitCode = 1;
    return;
  }
  const { rows, right } = figureRows(figures);
  const block = `${start}\n${markdown(rows, right)}\n\n${machine()}. \`pnpm bench\` prints it, with medians of one run.\n`;
  writeFileSync(file, text.slice(0, from) + block + text.slice(to));
}
