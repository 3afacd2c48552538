/**
 * inject-file: a file that exists for one program only.
 *
 * Opening a path that is nowhere on the machine yields bytes of ours. The program gets a descriptor of a sealed file in
 * memory; no path is looked up by the kernel, so nothing has to be granted and nothing is left behind.
 *
 *     node dist/inject-file/main.js
 */
import { decodeOpen } from '@sandlock/dispatch';
import { action, on, Sandbox, type Handler } from '@sandlock/sandbox';

const PATH = '/nowhere/greeting.txt';

const open: Handler = (context) => {
  const request = decodeOpen(context);
  if (!request.ok) return request.deny(); // fail closed: what cannot be read is not let through
  return request.text === PATH ? action.bytes(`Hello from the supervisor, ${context.name}.\n`) : action.continue();
};

const sandbox = new Sandbox({
  fsReadable: ['/usr', '/lib', { path: '/lib64', optional: true }, '/bin', '/etc'],
  handlers: ['open', 'openat', 'openat2', 'creat'].map((name) => on(name, open, { optional: true })),
});

const injected = await sandbox.run(['cat', PATH]);
console.log(`cat ${PATH}: ${JSON.stringify(injected.stdout.toString())}`);

const beside = await sandbox.run(['cat', '/nowhere/else.txt']);
console.log(`cat /nowhere/else.txt: ${JSON.stringify(beside.stderr.toString().trim())}`);

process.exitCode = injected.ok && !beside.ok ? 0 : 1;
