// Every test of the repository in one run. `unit` stands beside the sources and runs in parallel; `process` starts real
// children and sockets. The times are for a machine that has other work to do as well: they end what hangs, and measure nothing.
import { defineConfig } from 'vitest/config';

const shared = {
	setupFiles: ['test/support/src/leak-guard.ts'],
	pool: 'forks' as const,
	testTimeout: 600_000,
	hookTimeout: 120_000,
	expect: { poll: { timeout: 60_000 } },
};

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
					// They leave nothing behind, and the start of a process takes longer than most of them.
					isolate: false,
				},
			},
			{
				test: {
					...shared,
					name: 'process',
					include: ['{packages,apps}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
				},
			},
		],
	},
});
