/**
 * Set-up: from a fresh clone to a built workspace.
 *
 * What the machine lacks is said first, one line each. Then come the dependencies and the build, both only as far
 * as something has changed since the last time: a second run takes about a second.
 */
import { build, linkCommand } from './setup/build.mjs';
import { installDependencies } from './setup/dependencies.mjs';
import { missingRequirements } from './setup/requirements.mjs';
import { StepFailed } from './setup/step.mjs';

const missing = missingRequirements();
for (const line of missing) console.error(`sandlock: ${line}`);
if (missing.length > 0) process.exit(1);

try {
  installDependencies();
  build();
  linkCommand();
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(`sandlock: ${error.message}`);
  process.exit(1);
}
