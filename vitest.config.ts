import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const redis = { globalSetup: ['test/setup/redis.ts'] };

export default defineConfig({
  test: {
    // The default on two cores is one, and many tests wait for another process most of their time.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    setupFiles: ['test/setup/seed.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/conformance/**', 'test/integration/**', 'test/chaos/**'],
        },
      },
      { extends: true, test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...redis } },
      { extends: true, test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...redis } },
      { extends: true, test: { name: 'chaos', include: ['test/chaos/**/*.test.ts'] } },
    ],
  },
});
