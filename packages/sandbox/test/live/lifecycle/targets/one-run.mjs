/** Runs its arguments in a sandbox and prints what became of it, as JSON. */
import { Sandbox } from '../../../../dist/index.js';

const optional = (path) => ({ path, optional: true });
const sandbox = new Sandbox({
  fsReadable: ['/usr', '/etc', '/proc', optional('/lib'), optional('/lib64'), optional('/bin')], fsWritable: ['/dev/null'],
});
const { stdout, signal, exitCode } = await sandbox.run(process.argv.slice(2), { input: '' });
console.log(JSON.stringify({ stdout: stdout.toString(), signal, exitCode }));
