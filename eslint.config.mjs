import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** A package imports only from those before it: the order of the layers, lowest first. */
const layers = ['sys', 'bpf', 'dispatch', 'builtins', 'sandbox', 'cli'];
/** Side by side: neither may import the other. */
const independent = { bpf: ['sys'] };

const layering = layers.map((name, i) => ({
  files: [`packages/${name}/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      paths: [...layers.slice(i + 1), ...(independent[name] ?? [])]
        .map((above) => ({ name: `@sandlock/${above}`, message: `${name} stands below or beside ${above}.` })),
      patterns: [{ group: ['@sandlock/*/*', '!@sandlock/*/testing'], message: 'Import a package by its entry points.' }],
    }],
  },
}));

export default tseslint.config(
  { ignores: ['**/dist/**', '**/build/**', '**/prebuilds/**', '**/node_modules/**', '.cache/**'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly', performance: 'readonly', setTimeout: 'readonly' } },
  },
  ...layering,
);
