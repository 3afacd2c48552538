/**
 * The Node that this needs. A package manager only warns of an older one, and then something that it lacks would fail
 * somewhere, in the middle of a run.
 */
const NEEDED = [20, 19] as const;

/** @param version  as in `process.versions.node` @returns one line to print, or undefined where it will do */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return undefined;
  return `sandlock: error: Node.js ${version} is too old: ${NEEDED.join('.')} or later is needed. Install one from nodejs.org or your system.`;
}
