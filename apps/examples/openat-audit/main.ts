/**
 * openat-audit: which files does a program open?
 *
 * Every open of a python3 program is printed and counted, and then goes on to the kernel. A handler that continues
 * observes and does not decide: whether the file may be opened is for Landlock to say.
 *
 *     node dist/openat-audit/main.js ['python code']
 */
import { decodeOpen } from '@sandlock/dispatch';
import { action, on, Sandbox, type Handler } from '@sandlock/sandbox';
import { execFileSync } from 'node:child_process';

const code = process.argv[2] ?? 'import json; print(json.dumps({"hello": "world"}))';

// Where python3 really is: a version manager puts a script in its place.
const [python, prefix] = execFileSync('python3', ['-c', 'import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix)'],
  { encoding: 'utf8' }).split('\n') as [string, string];

const opens: string[] = [];

const audit: Handler = (context) => {
  const open = decodeOpen(context); // our own copy of the path, made while the thread waits
  opens.push(open.ok ? open.text : `(unreadable: ${open.reason})`);
  return action.continue();
};

const sandbox = new Sandbox({
  fsReadable: ['/usr', '/lib', { path: '/lib64', optional: true }, '/etc', '/dev/null', prefix],
  // One operation in four spellings; not every architecture has them all. An observer that fails changes nothing.
  handlers: ['open', 'openat', 'openat2', 'creat'].map((name) => on(name, audit, { optional: true, onException: 'continue' })),
});

const result = await sandbox.run([python, '-c', code]);

for (const path of opens) console.log(`open ${JSON.stringify(path)}`);
console.log(`python3 printed ${JSON.stringify(result.stdout.toString())} and ended with exit code ${result.exitCode}.`);
console.log(`${opens.length} opens of ${new Set(opens).size} files.`);
process.exitCode = result.ok ? 0 : 1;
