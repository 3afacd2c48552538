/**
 * The command: which one was asked for, and the exit code of the process.
 *
 * A command's module is loaded when it is the one. It returns once nothing of it is left, so that the exit here cuts
 * nothing short.
 */
import { exitCodeOf, EXIT_OK } from './errors/exit-code.js';
import { reportError } from './errors/report.js';
import { UsageError } from './errors/usage-error.js';
import { writeOut } from './terminal/output.js';

/** A run has used everything that runs use: what is compiled now is worth keeping. */
export let programRan = false;

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'run': {
      const outcome = await (await import('./commands/run.js')).run(rest);
      programRan = outcome.programRan;
      return outcome.exitCode;
    }
    case 'check':
      return (await import('./commands/check.js')).check(rest);
    case 'profile':
      return (await import('./commands/profile.js')).profile(rest);
    case 'bpf':
      return (await import('./commands/bpf/bpf.js')).bpf(rest);
    case '--version':
    case '-V':
      writeOut(`${(await import('./version.js')).version}\n`);
      return EXIT_OK;
    case '--help':
    case '-h':
    case 'help':
      writeOut((await import('./commands/help.js')).help);
      return EXIT_OK;
    case undefined:
      throw new UsageError('no command was given', 'sandlock');
    default:
      throw new UsageError(`there is no ${command.startsWith('-') ? 'option' : 'command'} ${JSON.stringify(command)}`, 'sandlock');
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  reportError(error);
  return exitCodeOf(error);
}).then((code) => process.exit(code));
