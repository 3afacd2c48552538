/**
 * Samples, interleaved.
 *
 * A machine is busier now than a minute ago. So the sides of a comparison take turns, in an order that turns too, and
 * what is compared are medians of the same minute.
 */

/**
 * @param {Record<string, () => number | Promise<number>>} sides  each gives one sample
 * @param {{ rounds: number, warmUp?: number }} options
 * @returns {Promise<Record<string, { median: number, low: number, high: number, samples: number }>>} low, high: quartiles
 */
export async function interleave(sides, { rounds, warmUp = 2 }) {
  const samples = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  const names = Object.keys(sides);
  for (let round = -warmUp; round < rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) {
      const value = await sides[name]();
      if (round >= 0) samples[name].push(value);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(samples[name])]));
}

function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { median: at(0.5), low: at(0.25), high: at(0.75), samples: sorted.length };
}
