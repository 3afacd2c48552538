/**
 * In namespaces of its own, where it is process 1 and has a secret in its environment: starts programs that look for the secret in
 * a procfs, while another program exchanges the directory above it with another one. Prints what came of it, as JSON.
 * Arguments: an empty folder, how many starts, and the word that the secret begins with.
 */
import { ancestry, listNames } from '@sandlock/sys';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Sandbox } from '../../../../dist/index.js';

const [folder, starts, word] = process.argv.slice(2);
const at = (...names) => join(folder, ...names);
const system = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path));
const exchanging = fileURLToPath(new URL('exchanging.py', import.meta.url));

execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
mkdirSync(at('srv/a/proc'), { recursive: true });
mkdirSync(at('srv/b'));
mkdirSync(at('srv/c'));
writeFileSync(at('srv/c/file'), 'beside');
const [above] = ancestry(at('srv/a/proc')).above;
execFileSync('mount', ['-t', 'proc', 'proc', at('srv/a/proc')]);
const mounted = /^\d+ \d+ \S+ \S+ (\S+\/proc) /gm;
const where = () => [...readFileSync('/proc/self/mountinfo', 'latin1').matchAll(mounted)].map(([, path]) => path).find((path) => path.startsWith(folder));

const files = ['a', 'b'].flatMap((name) => [`1/environ`, '1/status', `${process.pid}/environ`].map((file) => at('srv', name, 'proc', file)));
const looker = ['cat', at('srv/c/file'), ...files, ...files, ...files];
const other = new Sandbox({ fsReadable: [...system, exchanging], fsWritable: [at('srv')] });
const attack = await other.popen(['/usr/bin/python3', '-I', exchanging, at('srv/a'), at('srv/b')], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
await new Promise((resolve) => { attack.stdout.once('data', resolve); });

const report = { started: 0, moving: 0, leaked: [], beside: 0, byName: 0 };
for (const policy of [{ fsReadable: [...system, at('srv')] }, { fsReadable: system, fsWritable: [at('srv')] }, { fsReadable: [...system, at('srv/b'), at('srv/c')] }]) {
  for (let n = 0; n < Number(starts); n++) {
    // Who goes by names, as the table has them, takes the one for the other.
    const holder = where();
    const entry = listNames(at('srv')).names.find((name) => name !== 'c' && !holder.startsWith(at('srv', name)));
    try {
      if (ancestry(at('srv', entry)).ino === above.ino) report.byName++;
      const { stdout } = await new Sandbox(policy).run(looker, { timeout: 20_000 });
      const text = String(stdout);
      report.started++;
      if (text.startsWith('beside')) report.beside++;
      if (text.includes(word) || text.includes('Pid:')) report.leaked.push(text.slice(0, 200));
    } catch (error) {
      if (error.code !== 'ERR_SANDLOCK_FILES_MOVING') throw error;
      report.moving++;
    }
  }
}
attack.stdin.end();
report.attacker = (await attack.wait()).exitCode;
report.seenFromOutside = readFileSync('/proc/1/environ', 'latin1').includes(word);
console.log(JSON.stringify(report));
