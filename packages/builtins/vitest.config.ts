import { defineConfig } from 'vitest/config';

// Live tests start programs, on machines that do other things too.
export default defineConfig({ test: { include: ['test/**/*.test.ts'], testTimeout: 30_000 } });
