export { cliFlags, flagPath, optionsFromFlags, type CliFlag } from './options/cli-flags.js';
