/**
 * Skips that a machine has no excuse for.
 *
 * A test says in its title what it needs: `[needs Landlock ABI 4, python3]`. SANDLOCK_EXPECT says what the machine
 * has: `landlock-abi-7,linux-6.18,listener,python3`. A test that was skipped although everything it needs is there, or
 * that does not say what it needs, has not been tested where it should have been.
 */

/**
 * @param {string[]} skipped full titles
 * @param {string | undefined} expected SANDLOCK_EXPECT; without it every skip is accepted
 * @param {string[]} present what else is there, such as `root`
 * @returns {{ name: string, why: string }[]}
 */
export function unexplainedSkips(skipped, expected, present = []) {
  if (expected === undefined) return [];
  const features = [...expected.split(','), ...present].map(feature).filter(({ name }) => name !== '');
  return skipped.flatMap((name) => {
    const needs = [...name.matchAll(/\[needs ([^\]]+)\]/g)].flatMap(([, list]) => list.split(/,| and /).map(feature));
    if (needs.length === 0) return [{ name, why: 'and it does not say what it needs' }];
    const had = needs.every((need) => features.some((has) => has.name === need.name && atLeast(has.version, need.version)));
    return had ? [{ name, why: 'although what it needs is there' }] : [];
  });
}

/** 'Landlock ABI 4', 'landlock-abi-7', 'Linux 6.7', 'python3' as a name and a version. */
function feature(text) {
  const words = text.trim().toLowerCase().replaceAll(/[\s_-]+/g, '-');
  const [, name, version] = /^(.*?)(?:-(\d+(?:\.\d+)*))?$/.exec(words);
  return { name, version: (version ?? '0').split('.').map(Number) };
}

function atLeast(has, needs) {
  for (let i = 0; i < Math.max(has.length, needs.length); i++) {
    const difference = (has[i] ?? 0) - (needs[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
