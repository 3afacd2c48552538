/** Options to a profile's text, each as its record writes it. */
import { ConfigError, type ConfigIssue } from '../errors.js';
import { GrammarError } from '../options/grammar/grammar-error.js';
import type { TomlTable, TomlValue } from '../options/grammar/toml-value.js';
import { isDefault } from '../options/no-supervisor.js';
import type { OptionProfile } from '../options/option.js';
import { OPTION_NAMES, optionNamed, type ParsedOptions } from '../options/option-table.js';
import { writeToml } from './toml.js';

/**
 * @param options every path in them is absolute
 * @throws {ConfigError} every option that no profile can hold: without it, the profile would be another policy
 */
export async function writeProfile(options: ParsedOptions): Promise<string> {
  const sections = new Map<string, Map<string, TomlValue>>();
  const issues: ConfigIssue[] = [];
  for (const name of OPTION_NAMES) {
    if (isDefault(name, options)) continue;
    const { profile } = optionNamed(name);
    if (profile === undefined) {
      issues.push({ path: name, message: 'No profile can hold this option.', hint: `Write it of sandbox.with({ ${name}: undefined }), and give the option beside the profile.` });
      continue;
    }
    try {
      const section = sections.get(profile.section) ?? new Map<string, TomlValue>();
      for (const [key, value] of entries(profile, options[name])) section.set(key, value);
      sections.set(profile.section, section);
    } catch (error) {
      if (!(error instanceof GrammarError)) throw error;
      issues.push({ path: name, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return writeToml(Object.fromEntries([...sections].map(([section, keys]) => [section, Object.fromEntries(keys)])));
}

/** Where there are several keys, the properties of the value. */
function entries(profile: OptionProfile, parsed: unknown): [string, TomlValue][] {
  const value = profile.write === undefined ? parsed as TomlValue : profile.write(parsed);
  return typeof profile.key === 'string' ? [[profile.key, value]]
    : profile.key.map((key): [string, TomlValue] => [key, (value as TomlTable)[key]!]);
}
