/**
 * What must be on the machine before anything can be installed: Linux, Node, and the tools of a native build.
 *
 * Each is tried, not looked up by package name. The syntax here is that of an old Node, which is what reads it when
 * the version is what is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NODE = [20, 19];
const CXX17 = '#include <optional>\nint main() { if (std::optional<int> n{0}; n) return *n; return 1; }\n';

/** @returns {string[]} one line for each thing that is missing: what it is, and what to do */
export function missingRequirements() {
  if (process.platform !== 'linux') {
    return [`Linux is missing: this is ${process.platform}, and the kernel is what confines. Use a Linux machine or a VM.`];
  }
  return [node(), tool('npm', 'It comes with Node.js; reinstall that, or install the npm package of your system.'),
    tool('python3', 'node-gyp runs on it; install python3, e.g. "apt-get install python3".'),
    tool('make', 'The native build runs on it; install make, e.g. "apt-get install build-essential".'),
    compiler()].filter((line) => line !== undefined);
}

function node() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return undefined;
  return `Node.js ${process.versions.node} is too old: ${NODE.join('.')} or later is needed. Install one from nodejs.org or your system.`;
}

function tool(name, advice) {
  const { error, status } = spawnSync(name, ['--version'], { stdio: 'ignore' });
  return error === undefined && status === 0 ? undefined : `${name} is missing. ${advice}`;
}

function compiler() {
  const command = process.env.CXX || 'g++';
  const folder = mkdtempSync(join(tmpdir(), 'sandlock-cxx-'));
  try {
    const source = join(folder, 'probe.cc');
    writeFileSync(source, CXX17);
    // CXX may carry options of its own: CXX="ccache g++".
    const { error, status, stderr } = spawnSync(`${command} -std=c++17 -o "${folder}/probe" "${source}"`, { shell: true });
    if (error === undefined && status === 0) return undefined;
    const why = String(stderr || '').trim().split('\n')[0] || 'no output';
    return `A C++17 compiler is missing: "${command} -std=c++17" fails (${why}). ` +
      'Install g++ 9 or clang 10 or later, e.g. "apt-get install build-essential", or name one in CXX.';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
