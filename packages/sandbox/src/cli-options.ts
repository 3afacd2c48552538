export { protectionFlagName } from './landlock/protections.js';
export { cliFlags, flagPath, flagSpelling, flagWords, optionsFromFlags, type CliFlag, type Spelling } from './options/cli-flags.js';
export { parseProfileName } from './options/grammar/profile-name.js';
export type { OptionName } from './options/option-table.js';
export { profileKey } from './profile/profile-fields.js';
export { deleteProfile, loadProfileFrom } from './profile/profiles.js';
export { fileProfile, namedProfile, profileFolder, readProfile, type ProfileSource } from './profile/profile-source.js';
