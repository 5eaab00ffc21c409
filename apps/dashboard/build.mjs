// Builds the page into dist/: one file of markup, one of script and one of style, which the control API serves.
import { build } from 'vite';

await build({
	root: import.meta.dirname,
	configFile: false,
	base: '/dashboard/',
	logLevel: 'warn',
	build: {
		outDir: 'dist',
		emptyOutDir: true,
		target: 'es2022',
		cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
		modulePreload: false,
		assetsInlineLimit: 0,
		reportCompressedSize: false,
	},
});
