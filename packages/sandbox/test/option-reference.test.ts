import { describe, expect, it } from 'vitest';

import { NOT_YET_OPTIONS } from '../src/options/not-yet-options.js';
import { optionReference } from '../src/options/option-reference.js';
import { OPTION_NAMES, optionNamed, optionSections } from '../src/options/option-table.js';

describe('the option reference', () => {
  // Out of date? node packages/sandbox/scripts/option-reference.mjs
  it('is what docs/options.md says', async () => {
    await expect(optionReference()).toMatchFileSnapshot('../../../docs/options.md');
  });

  it('has a heading for every option', () => {
    for (const name of OPTION_NAMES) expect(optionReference()).toContain(`\n### ${name}\n`);
  });
});

describe('the option records', () => {
  it('stand in exactly one section each', () => {
    const names = Object.values(optionSections).flatMap((options) => Object.keys(options));
    expect(names).toHaveLength(new Set(names).size);
    expect(names).toEqual([...OPTION_NAMES]);
  });

  it('do not include what is not available yet', () => {
    expect(OPTION_NAMES.filter((name) => NOT_YET_OPTIONS.includes(name))).toEqual([]);
  });

  it('never share a flag or a profile key', () => {
    const records = OPTION_NAMES.map(optionNamed);
    const flags = records.flatMap((record) => record.flags.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]));
    expect(flags).toHaveLength(new Set(flags).size);
    const keys = records.flatMap(({ profile }) => profile === undefined ? [] : [`${profile.section}.${profile.key}`]);
    expect(keys).toHaveLength(new Set(keys).size);
  });
});
