/** What stands in a profile and means nothing, with what was probably meant. */
import type { ConfigIssue } from '../errors.js';
import { show } from '../options/grammar/grammar-error.js';
import { isTomlTable, type TomlTable } from '../options/grammar/toml-value.js';
import { nearestName } from '../options/nearest-name.js';
import { profileSections, type ProfileField } from './profile-fields.js';

type Sections = ReturnType<typeof profileSections>;

export function unknownFields(table: TomlTable): ConfigIssue[] {
  const sections = profileSections();
  return Object.entries(table).flatMap(([name, value]): ConfigIssue[] => {
    const keys = sections.get(name);
    if (keys === undefined) return [isTomlTable(value) ? unknownSection(name, sections) : flatKey(name, sections)];
    if (!isTomlTable(value)) {
      return [{ path: `[${name}]`, message: 'It is a section, not a value.', hint: `Write [${name}] in a line of its own, once, and keys below it.` }];
    }
    return Object.keys(value).filter((key) => !keys.has(key)).map((key) => ({
      path: `[${name}].${bare(key)}`, message: `unknown field ${show(key)}: there is no such key in [${name}].`, hint: hintFor(key, keys, sections),
    }));
  });
}

function unknownSection(name: string, sections: Sections): ConfigIssue {
  const nearest = nearestName(name, sections.keys());
  return {
    path: `[${bare(name)}]`,
    message: `unknown field ${show(name)}: there is no such section.`,
    hint: nearest === undefined ? `Sections are ${[...sections.keys()].join(', ')}.` : `Did you mean [${nearest}]?`,
  };
}

/** `memory = "1G"` before the first section. */
function flatKey(name: string, sections: Sections): ConfigIssue {
  const places = sectionsWith(name, sections);
  return {
    path: bare(name),
    message: `unknown field ${show(name)}: every key stands in a section.`,
    hint: places.length === 0 ? `Sections are ${[...sections.keys()].join(', ')}.` : `Move it to ${places.join(' or ')}.`,
  };
}

function hintFor(key: string, keys: ReadonlyMap<string, ProfileField>, sections: Sections): string {
  const elsewhere = sectionsWith(key, sections);
  if (elsewhere.length > 0) return `It stands in ${elsewhere.join(' and ')}.`;
  // By the name of its option, too: maxMemory is `memory` here.
  const known = new Map([...keys].flatMap(([each, field]) => [[field.name, each], [each, each]] as const));
  const nearest = nearestName(key, known.keys());
  return nearest === undefined ? `Keys are ${[...keys.keys()].join(', ')}.` : `Did you mean ${known.get(nearest)!}?`;
}

function sectionsWith(key: string, sections: Sections): string[] {
  return [...sections].filter(([, keys]) => keys.has(key)).map(([section]) => `[${section}]`);
}

/** As TOML writes keys. */
function bare(key: string): string {
  return /^[\w-]+$/.test(key) ? key : show(key);
}
