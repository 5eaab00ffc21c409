// Every test of the repository in one run. `unit` stands beside the sources and runs in parallel; `process` starts real
// children and sockets. The times are for a machine that has other work to do as well: they end what hangs, and measure nothing.
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
					testTimeout: 20_000,
					isolate: false,
				},
			},
			{
				test: {
					...shared,
					name: 'process',
					include: ['{packages,apps}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
					testTimeout: 120_000,
					hookTimeout: 120_000,
				},
			},
		],
	},
});
