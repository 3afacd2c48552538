/** Descriptors of this process, without what is kept for the next start: a few rulesets, and whether any is depends on /etc. */
import { readdirSync, readlinkSync } from 'node:fs';

export function openFds() {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return !readlinkSync(`/proc/self/fd/${fd}`).includes('landlock-ruleset');
    } catch {
      return true; // of this listing
    }
  }).length;
}
