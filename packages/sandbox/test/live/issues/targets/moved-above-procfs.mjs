/**
 * In namespaces of its own, where it is process 1: two programs run, and the first one moves the directory above a procfs into one
 * that was made since it began, and that the second one has been granted. Prints what came of it, as JSON.
 * Argument: an empty folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Sandbox } from '../../../../dist/index.js';

const [folder] = process.argv.slice(2);
const at = (...names) => join(folder, ...names);
const system = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path));

execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
mkdirSync(at('srv/a/proc'), { recursive: true });
mkdirSync(at('srv/c'));
writeFileSync(at('srv/c/file'), 'beside');
execFileSync('mount', ['-t', 'proc', 'proc', at('srv/a/proc')]);

const mover = `
import errno, os, sys
def tried(call, *args):
    try: call(*args)
    except OSError as error: return errno.errorcode[error.errno]
    return 'done'
print('begun', flush=True)
sys.stdin.readline()
os.chdir(sys.argv[1])
print(tried(os.rename, 'a', 'new/a'), tried(os.rename, 'a', 'z'), tried(os.rename, 'z', 'a'), tried(os.rename, 'c/file', 'c/other'), tried(os.rename, 'c/other', 'c/file'), flush=True)
`;
const looker = `
import sys
print('begun', flush=True)
sys.stdin.readline()
for path in sys.argv[1:]:
    try: print(open(path).read().split(chr(10))[0], end=';')
    except OSError as error: print(type(error).__name__, end=';')
`;
const started = async (options, program, ...args) => {
  const child = await new Sandbox(options).popen(['/usr/bin/python3', '-I', '-c', program, ...args], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
  let text = '';
  child.stdout.on('data', (chunk) => { text += chunk; });
  await new Promise((resolve) => { child.stdout.once('data', resolve); });
  return async () => {
    child.stdin.end('\n');
    await child.wait();
    return text.replace('begun\n', '').trim();
  };
};

const move = await started({ fsReadable: system, fsWritable: [at('srv')] }, mover, at('srv'));
mkdirSync(at('srv/new'));
writeFileSync(at('srv/new/file'), 'new');
const look = await started({ fsReadable: [...system, at('srv')] }, looker, at('srv/c/file'), at('srv/new/file'), at('srv/new/a/proc/1/status'), at('srv/a/proc/1/status'));
const moved = await move();
console.log(JSON.stringify({ moved, seen: await look(), fromOutside: readFileSync(at(existsSync(at('srv/a')) ? 'srv/a' : 'srv/new/a', 'proc/1/status'), 'latin1').split('\n')[0] }));
