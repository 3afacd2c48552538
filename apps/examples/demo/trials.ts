/**
 * The trials: each runs one real program twice, as it is and in a sandbox.
 *
 * The run outside is the control. A refusal in the sandbox means something only where the same program succeeds
 * without it; where the machine itself refuses (namespaces, on some), the line shows that too.
 */
import { decodeOpen } from '@sandlock/dispatch';
import { action, on, Sandbox, type Handler } from '@sandlock/sandbox';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Outcome {
  readonly title: string;
  readonly outside: string;
  readonly inside: string;
  readonly asExpected: boolean;
}

interface Trial {
  readonly title: string;
  readonly command: readonly string[];
  /** Whether it succeeds without Sandlock; undefined where that depends on the machine. */
  readonly worksOutside: boolean | undefined;
  /** What it prints in the sandbox, or undefined where it must be refused. */
  readonly prints: string | undefined;
  /** In the sandbox, when it succeeded without printing anything. */
  readonly otherwise: string;
}

const NOTES = 'Buy milk.';
const SECRET = 'The key is under the mat.';
const ANSWERED = '/answered/by/typescript';
const ANSWER = 'Hello from a TypeScript handler.';

export async function runTrials(): Promise<Outcome[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandlock-demo-')));
  const server = createServer((socket) => socket.destroy());
  try {
    mkdirSync(join(folder, 'shared'));
    writeFileSync(join(folder, 'shared/notes.txt'), NOTES);
    writeFileSync(join(folder, 'secret.txt'), SECRET);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const sandbox = sandboxFor(join(folder, 'shared'));
    const outcomes: Outcome[] = [];
    for (const trial of trials(folder, (server.address() as AddressInfo).port)) outcomes.push(await carryOut(trial, sandbox));
    return outcomes;
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function sandboxFor(shared: string): Sandbox {
  const greet: Handler = (context) => {
    const open = decodeOpen(context);
    if (!open.ok) return open.deny();
    return open.text === ANSWERED ? action.bytes(ANSWER) : action.continue();
  };
  const system = ['/usr', '/bin', '/lib', '/lib64', '/etc'].map((path) => ({ path, optional: true }));
  return new Sandbox({
    // Node itself is one of the programs, wherever it is installed.
    fsReadable: [...system, dirname(realpathSync(process.execPath)), '/dev/null', shared],
    handlers: ['open', 'openat', 'openat2', 'creat'].map((name) => on(name, greet, { optional: true })),
  });
}

function trials(folder: string, port: number): Trial[] {
  const connect = `require('net').connect(${port}, '127.0.0.1')
    .on('connect', () => { console.log('connected'); process.exit(); })
    .on('error', ({ code }) => { console.error(code); process.exit(1); })`;
  return [
    {
      title: 'cat shared/notes.txt', command: ['cat', join(folder, 'shared/notes.txt')],
      worksOutside: true, prints: NOTES, otherwise: 'nothing',
    },
    { title: 'cat secret.txt', command: ['cat', join(folder, 'secret.txt')], worksOutside: true, prints: undefined, otherwise: 'nothing' },
    {
      title: `node: connect to 127.0.0.1:${port}`, command: [process.execPath, '-e', connect],
      worksOutside: true, prints: undefined, otherwise: 'connected',
    },
    // Some machines refuse it to everybody.
    {
      title: 'unshare --user true', command: ['unshare', '--user', 'true'],
      worksOutside: undefined, prints: undefined, otherwise: 'a namespace of its own',
    },
    { title: `cat ${ANSWERED}`, command: ['cat', ANSWERED], worksOutside: false, prints: ANSWER, otherwise: 'nothing' },
  ];
}

async function carryOut({ title, command, worksOutside, prints, otherwise }: Trial, sandbox: Sandbox): Promise<Outcome> {
  const [program, ...args] = command;
  const outside = spawnSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  const inside = await sandbox.run(command, { input: '', timeout: 20_000, env: { LC_ALL: 'C' } });
  const said = inside.stdout.toString();
  const insideOk = prints === undefined ? !inside.ok && said === '' && inside.reason === 'exited' : inside.ok && said === prints;
  return {
    title,
    outside: outcome(outside.status === 0, outside.stdout ?? '', outside.stderr || String(outside.error ?? ''), otherwise),
    inside: outcome(inside.ok, said, inside.stderr.toString(), otherwise),
    asExpected: insideOk && (worksOutside === undefined || worksOutside === (outside.status === 0)),
  };
}

/** What it printed, or the last part of its complaint: `cat: x: Permission denied`. */
function outcome(ok: boolean, stdout: string, stderr: string, otherwise: string): string {
  if (ok) return stdout.trim() || otherwise;
  return `refused: ${stderr.trim().split('\n').at(-1)?.split(': ').at(-1) ?? ''}`;
}
