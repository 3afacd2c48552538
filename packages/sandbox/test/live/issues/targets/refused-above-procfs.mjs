/**
 * In namespaces of its own, where it is process 1: starts a program while this process acts as a user who may not look at what is above
 * a procfs, then programs as root, which read that procfs by its name. Prints what came of it, as JSON.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Sandbox } from '../../../../dist/index.js';

const SETTLED_MS = 3_200;
const NOBODY = 65_534;
/** In the root: what is mounted there cannot be renamed, so that what is found above it may be kept. */
const FOLDER = '/mnt';
const at = (...names) => join(FOLDER, ...names);
const mount = (...args) => { execFileSync('mount', args); };

// The procfs lies in the root of a mount that has a second name, where nobody is refused.
mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', FOLDER);
for (const name of ['shut', 'open']) mkdirSync(at(name));
mount('-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', at('shut'));
mkdirSync(at('shut/in'));
mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', at('shut/in'));
mkdirSync(at('shut/in/proc'));
writeFileSync(at('shut/in/file'), 'beside');
mount('-t', 'proc', 'proc', at('shut/in/proc'));
mount('--bind', at('shut/in'), at('open'));

const readable = [...['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path)), at('open')];
const sandbox = new Sandbox({ fsReadable: readable, cwd: '/' });
const status = at('shut/in/proc/1/status');
const look = async (used) => {
  const { stdout, stderr } = await used.run(['/bin/cat', at('open/file'), status], { input: '' });
  return `${stdout} ${/Permission denied/.exec(String(stderr))?.[0]}`;
};

await new Promise((resolve) => { setTimeout(resolve, SETTLED_MS); });
process.seteuid(NOBODY);
let refused = '';
try { readFileSync(status); } catch (error) { refused = error.code; }
const begun = (await sandbox.run(['/bin/true'], { input: '' })).reason;
process.seteuid(0);
const [same, another] = [await look(sandbox), await look(new Sandbox({ fsReadable: readable, cwd: '/' }))];
console.log(JSON.stringify({ refused, begun, same, another, fromOutside: readFileSync(status, 'latin1').split('\n')[0] }));
