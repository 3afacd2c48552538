/** sandlock profile: the profiles of the user, by name. What is in them is theirs, and is printed so that no terminal obeys it. */
import { listProfiles } from '@sandlock/sandbox';
// An entry point of its own, for the command alone.
// eslint-disable-next-line no-restricted-imports
import { deleteProfile, namedProfile, parseProfileName, profileFolder, readProfile, type ProfileSource } from '@sandlock/sandbox/cli-options';

import { EXIT_OK } from '../errors/exit-code.js';
import { UsageError } from '../errors/usage-error.js';
import { writeOut } from '../terminal/output.js';
import { printable } from '../terminal/printable.js';

const HELP = `Usage: sandlock profile list
       sandlock profile show NAME
       sandlock profile delete NAME

Profiles are options of runs, in files NAME.toml of $XDG_CONFIG_HOME/sandlock/profiles, or else of
$HOME/.config/sandlock/profiles. "sandlock run --profile NAME" takes its options from one.

Commands:
  list          print the names of all
  show NAME     print what is in one
  delete NAME   delete one, and say so

Options:
  -h, --help    print this
`;

export async function profile(argv: readonly string[]): Promise<number> {
  const [command, ...words] = argv;
  if (argv.slice(0, 2).some((word) => word === '-h' || word === '--help')) return printed(HELP);
  switch (command) {
    case 'list':
      if (words.length > 0) throw usage(`list takes no argument ${JSON.stringify(words[0])}`);
      return printed(await listing());
    case 'show':
      return printed(ended(printable(await readProfile(sourceOf(command, words)))));
    case 'delete': {
      const source = sourceOf(command, words);
      await deleteProfile(source);
      return printed(`Deleted ${printable(source.label)}.\n`);
    }
    case undefined:
      throw usage('no command was given');
    default:
      throw usage(`there is no command ${JSON.stringify(command)}`);
  }
}

async function listing(): Promise<string> {
  const names = await listProfiles();
  return names.length === 0 ? `No profiles found in ${printable(profileFolder())}\n` : names.map((name) => `  ${printable(name)}\n`).join('');
}

function sourceOf(command: string, words: readonly string[]): ProfileSource {
  const names = words[0] === '--' ? words.slice(1) : words;
  const [name] = names;
  if (name === undefined || names.length > 1) throw usage(`${command} takes one NAME, and ${names.length} were given`);
  try {
    return namedProfile(parseProfileName(name));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SANDLOCK_GRAMMAR') throw error;
    throw usage(`${command}: ${(error as Error).message}`);
  }
}

function usage(message: string): UsageError {
  return new UsageError(message, 'sandlock profile');
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function printed(text: string): number {
  writeOut(text);
  return EXIT_OK;
}
