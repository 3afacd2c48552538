/** The sandbox that the figures measure: everything on, as a person would grant it. */
import { Sandbox } from '../../packages/sandbox/dist/index.js';

export const SYSTEM = ['/usr', '/lib', '/lib64', '/bin', '/etc'];

export function sandbox(options = {}) {
  return new Sandbox({ ...options, fsReadable: [...SYSTEM.map((path) => ({ path, optional: true })), ...(options.fsReadable ?? [])] });
}
