/**
 * Everything that CI runs: lint, types, unit tests, live tests.
 *
 * Live tests ask the running kernel, one file at a time, and as root a second time as an ordinary user in a copy of
 * the checkout, since confinement must not depend on who asks for it. Those of a sandbox are then asked once more from
 * under the filter of a stock container, as either user: see IN_CONTAINER. The last line counts: `N passed, N failed,
 * N skipped`. SANDLOCK_EXPECT lists what this machine has; a test that is skipped for lack of that has failed.
 *
 * `npm test -- packages/dispatch` tests that one alone.
 */
import { fileURLToPath } from 'node:url';

import { turbo } from './setup/build.mjs';
import { StepFailed, runStep } from './setup/step.mjs';
import { unexplainedSkips } from './test/expectations.mjs';
import { ordinaryUserCopy } from './test/ordinary-user.mjs';
import { membersWithTests, runVitest } from './test/vitest.mjs';

const wanted = process.argv.slice(2).map((folder) => folder.replace(/\/+$/, ''));
const members = (kind) => membersWithTests(kind).filter((member) => wanted.length === 0 || wanted.includes(member));
/**
 * Members whose live tests run in a container as well. Not bpf, which has nothing to do with it; not cli and the
 * examples, which add no system call to what sandbox does; not dispatch, whose tests fetch their target's listener by
 * pidfd_getfd(2), which a container denies and a sandbox does without.
 */
const IN_CONTAINER = ['packages/sys', 'packages/builtins', 'packages/sandbox'];
const UNCONTAINED = ['no container', 'pidfd_getfd', 'pidfd_getfd(2)'];
/** What a machine may have, and a container on it not. */
const DENIED_INSIDE = ['user-namespaces', 'unshare'];

const total = { passed: 0, failed: 0, skipped: 0 };

check('linting', 'node_modules/.bin/eslint', ['.']);
check('checking types', turbo, ['run', 'typecheck', '--env-mode=loose', '--output-logs=errors-only']);

for (const member of members('unit')) add(`${member}, unit tests`, runVitest({ member, kind: 'unit' }));

const root = process.getuid() === 0;
const live = members('live');
for (const member of live) add(`${member}, live tests`, runVitest({ member, kind: 'live' }), [root ? 'root' : 'an ordinary user', ...UNCONTAINED]);

const contained = root ? live.filter((member) => IN_CONTAINER.includes(member)) : [];
for (const member of contained) add(`${member}, live tests in a container`, runVitest({ member, kind: 'live', as: inContainer() }), ['root', 'a container'], DENIED_INSIDE);

if (root && live.length > 0) {
  const copy = ordinaryUserCopy();
  try {
    for (const member of live) {
      add(`${member}, live tests as an ordinary user`, runVitest({ member, kind: 'live', ...copy.vitest }), ['an ordinary user', ...UNCONTAINED]);
    }
    for (const member of contained) {
      const vitest = { ...copy.vitest, as: inContainer(copy.vitest.as) };
      add(`${member}, live tests in a container as an ordinary user`, runVitest({ member, kind: 'live', ...vitest }), ['an ordinary user', 'a container'], DENIED_INSIDE);
    }
  } finally {
    copy.remove();
  }
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

/** The command in front of a test run that puts it into a container, and another in front of it there. */
function inContainer(as = []) {
  return [process.execPath, fileURLToPath(new URL('test/in-container.mjs', import.meta.url)), ...as];
}

function check(title, command, args) {
  try {
    runStep(title, command, args);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.error(`sandlock: ${error.message}`);
    total.failed += 1;
  }
}

function add(title, { passed, failed, skipped, broken }, present = [], absent = []) {
  const expected = process.env.SANDLOCK_EXPECT?.split(',').filter((feature) => !absent.includes(feature)).join(',');
  const unexplained = unexplainedSkips(skipped, expected, present);
  for (const { name, why } of unexplained) console.error(`sandlock: ${title}: skipped, ${why}: ${name}`);
  if (broken) console.error(`sandlock: ${title}: ${broken}`);
  total.passed += passed;
  total.failed += failed + unexplained.length + (broken ? 1 : 0);
  total.skipped += skipped.length - unexplained.length;
}
