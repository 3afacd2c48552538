/**
 * A command as a stock container would run it: `node in-container.mjs COMMAND [ARGUMENT...]`, as root.
 *
 * That is under the filter which Docker's default profile makes, and with the capabilities that Docker leaves by
 * default. The filter is our own, compiled by @sandlock/bpf; it goes on the main thread of this process, from which
 * the command is started, so that the command has it from its first instruction on. There is no namespace, no mount
 * and no no_new_privs: those are not what a sandbox inside would stumble over. Tests see SANDLOCK_TEST_CONTAINER=1.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, release } from 'node:os';

import { compileFilter, DOCKER_DEFAULT_CAPABILITIES, nativeArch, readProfile } from '../../packages/bpf/dist/index.js';
import { seccompSetModeFilter } from '../../packages/sys/dist/index.js';

const profile = readFileSync(new URL('../../packages/bpf/test/data/docker-default-seccomp.json', import.meta.url), 'utf8');
const { description } = readProfile(profile, {
  arch: nativeArch(process.arch), capabilities: DOCKER_DEFAULT_CAPABILITIES, kernel: release(),
});
seccompSetModeFilter(0, compileFilter(description).bytes);

const kept = DOCKER_DEFAULT_CAPABILITIES.map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
const { error, status, signal } = spawnSync(
  'setpriv', [`--bounding-set=-all,${kept.join(',')}`, '--inh-caps=-all', '--', ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, SANDLOCK_TEST_CONTAINER: '1' } });
if (error) throw error;
process.exitCode = status ?? 128 + constants.signals[signal];
