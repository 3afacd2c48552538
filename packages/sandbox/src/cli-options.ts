export { cliFlags, flagPath, flagWords, optionsFromFlags, type CliFlag } from './options/cli-flags.js';
