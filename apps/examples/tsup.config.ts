import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** Every folder with a main.ts is an example, and becomes dist/<idea>/main.js. */
const entries = readdirSync('.', { recursive: true, encoding: 'utf8' })
  .filter((file) => /^[a-z-]+\/main\.ts$/.test(file))
  .map((file) => [file.replace(/\.ts$/, ''), file]);

export default defineConfig({
  entry: Object.fromEntries(entries) as Record<string, string>,
  format: ['esm'],
  target: 'node20',
  splitting: false,
  sourcemap: true,
  clean: true,
});
