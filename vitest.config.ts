// Every test of the repository in one run. `unit` stands beside the sources and runs in parallel; `process` starts real
// children and sockets, so fewer files run at once and each test has more time.
import { defineConfig } from 'vitest/config';

const shared = { setupFiles: ['test/support/src/leak-guard.ts'], pool: 'forks' as const };

export default defineConfig({
	test: {
		maxWorkers: 2,
		reporters: process.env.CI ? ['default', ['json', { outputFile: 'reports/vitest.json' }]] : ['default'],
		projects: [
			{
				test: {
					...shared,
					name: 'unit',
					include: ['{packages,apps}/*/src/**/*.test.ts'],
				},
			},
			{
				test: {
					...shared,
					name: 'process',
					include: ['{packages,apps}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
					testTimeout: 60_000,
					hookTimeout: 60_000,
				},
			},
		],
	},
});
