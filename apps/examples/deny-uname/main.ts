/**
 * deny-uname: a system call that a program does not get.
 *
 * The same program runs twice. The second time a handler answers uname(2) with EPERM, and the kernel never sees the
 * call. An answer is enforcement, unlike "continue": there is nothing that the program could change meanwhile.
 *
 *     node dist/deny-uname/main.js
 */
import { action, on, Sandbox } from '@sandlock/sandbox';

const sandbox = new Sandbox({
  name: 'example',
  fsReadable: ['/usr', '/lib', { path: '/lib64', optional: true }, '/bin', '/etc'],
});
const denied = [on('uname', () => action.errno('EPERM'))];

const without = await sandbox.run(['uname', '-n']);
console.log(`without the handler: exit code ${without.exitCode}, ${JSON.stringify(without.text())}`);

const withHandler = await sandbox.run(['uname', '-n'], { handlers: denied });
console.log(`with the handler:    exit code ${withHandler.exitCode}, ${JSON.stringify(withHandler.stderr.toString().trim())}`);

process.exitCode = without.ok && !withHandler.ok ? 0 : 1;
