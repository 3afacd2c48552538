/** sandlock check: can this machine confine, and if not, which step fails and what helps. */
import { check as checkMachine, type CheckReport } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { protectionFlagName } from '@sandlock/sandbox/cli-options';

import { EXIT_FAILURE, EXIT_OK } from '../errors/exit-code.js';
import { UsageError } from '../errors/usage-error.js';
import { writeOut } from '../terminal/output.js';

const HELP = `Usage: sandlock check [--json]

Tell whether this machine can run sandboxes, by running some. Exit code 1 means that it cannot.

Options:
  --json       print the report as JSON
  -h, --help   print this
`;

export async function check(argv: readonly string[]): Promise<number> {
  const unknown = argv.find((argument) => !['--json', '-h', '--help'].includes(argument));
  if (unknown !== undefined) throw new UsageError(`check takes no argument ${JSON.stringify(unknown)}`, 'sandlock check');
  if (argv.includes('-h') || argv.includes('--help')) {
    writeOut(HELP);
    return EXIT_OK;
  }
  const report = await checkMachine();
  writeOut(argv.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : checkText(report));
  return report.supported ? EXIT_OK : EXIT_FAILURE;
}

export function checkText(report: CheckReport): string {
  const { arch, kernel, landlock, protections, steps } = report;
  const width = Math.max(...protections.map(({ protection }) => protection.length), ...steps.map(({ name }) => name.length));
  const row = (name: string, verdict: string, detail: string): string =>
    `  ${name.padEnd(width)}  ${verdict.padEnd(11)}  ${detail}`.trimEnd();
  return [
    `Linux ${kernel} on ${arch ?? 'an unsupported processor'}`,
    `Landlock ABI ${landlock.abi}, at least ${landlock.minimum} needed for every protection`,
    '',
    'Tried here',
    ...steps.flatMap(({ name, ok, required, detail, hint }) => [
      row(name, ok ? 'ok' : required ? 'FAILED' : 'missing', detail),
      ...(hint === undefined ? [] : [row('', '', hint)]),
    ]),
    '',
    'Protections',
    ...protections.map(({ protection, requiredAbi }) =>
      row(protection, landlock.abi >= requiredAbi ? 'available' : 'unavailable', `Landlock ABI ${requiredAbi}`)),
    '',
    conclusion(report),
    '',
  ].join('\n');
}

function conclusion({ supported, landlock, protections, steps }: CheckReport): string {
  if (supported) return 'OK: this machine can run sandboxes.';
  if (steps.some(({ ok, required }) => required && !ok)) return 'UNSUPPORTED: see the steps that failed above.';
  const missing = protections.filter(({ requiredAbi }) => landlock.abi < requiredAbi);
  return 'UNSUPPORTED: protections are unavailable, and a run needs every one that it is not allowed to do without: '
    + missing.map(({ protection }) => `--allow-degraded ${protectionFlagName(protection)}`).join(' ');
}
