/** A copy of the package, as freshly installed, for tests of what it keeps. */
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { command } from './sandlock.js';

export class Installed {
  readonly folder = mkdtempSync(join(tmpdir(), 'sandlock-cli-'));
  readonly command = join(this.folder, 'dist/sandlock.cjs');
  readonly cache = join(this.folder, '.cache');

  constructor() {
    const dist = dirname(command);
    cpSync(dist, join(this.folder, 'dist'), { recursive: true });
    symlinkSync(join(dist, '../node_modules'), join(this.folder, 'node_modules'));
  }

  /** What `echo ran` prints in a sandbox that may read everything. */
  run(...flags: readonly string[]): string {
    return execFileSync(process.execPath, [this.command, 'run', '-r', '/', ...flags, '--', 'echo', 'ran'], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** Names in the cache's folder that begin with this. */
  cached(prefix = ''): string[] {
    return existsSync(this.cache) ? readdirSync(this.cache).filter((name) => name.startsWith(prefix)) : [];
  }

  remove(): void {
    chmodSync(this.folder, 0o755);
    rmSync(this.folder, { recursive: true });
  }
}
