/**
 * The name that was probably meant.
 *
 * Edit distance over letters alone, so that `fs-readable`, `fs_readable` and `FsReadable` are all at distance 0
 * of `fsReadable`. A third of the letters may differ; past that a guess helps nobody.
 */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  const wanted = plain(given);
  let nearest: string | undefined;
  let best = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(wanted, plain(name));
    if (distance < best) [nearest, best] = [name, distance];
  }
  return nearest;
}

function plain(name: string): string {
  return name.slice(0, 64).replace(/[-_ ]/g, '').toLowerCase();
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
