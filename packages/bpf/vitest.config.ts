import { defineConfig } from 'vitest/config';

// The oracle tests run millions of simulations; a loaded machine may take its time over them.
export default defineConfig({ test: { include: ['test/**/*.test.ts'], testTimeout: 120_000 } });
