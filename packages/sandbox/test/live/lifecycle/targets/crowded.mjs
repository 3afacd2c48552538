/**
 * A supervisor with whatever descriptors it was started with. Prints what a program in its sandbox sees, for as
 * many as its first argument says at once.
 */
import { Sandbox } from '../../../../dist/index.js';

const [count, python, targets] = process.argv.slice(2);
const optional = (path) => ({ path, optional: true });
const sandbox = new Sandbox({
  fsReadable: ['/usr', '/etc', optional('/lib'), optional('/lib64'), targets], fsWritable: ['/dev/null'],
});
const results = await Promise.all(Array.from({ length: Number(count) }, () => (
  sandbox.run([python, `${targets}/descriptors.py`], { input: '' }))));
const { writeFileSync } = await import('node:fs');
writeFileSync(process.env.REPORT, JSON.stringify(results.map(({ stdout, stderr }) => `${stdout}${stderr}`)));
