// Fails when an import breaks an arrow of the map: which package may stand on which is written down once, here.
// Test files are checked too, but may reach for what they test with.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Package → the packages of ours that its sources may import. Arrows point one way, so there is no cycle. */
const arrows = {
	core: [],
	control: ['core'],
	rpc: ['core'],
	supervisor: ['core'],
	worker: ['core', 'rpc'],
	manager: ['core', 'control', 'rpc', 'supervisor'],
	'gateway-protocol': ['core'],
	simulator: ['core', 'gateway-protocol'],
	gateway: ['core', 'rpc', 'gateway-protocol'],
};
const appArrows = { shardctl: ['core', 'control', 'manager', 'worker', 'simulator'], examples: [] };
const onlyInTests = ['test-support', 'simulator'];

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'packages/*.ts', 'apps/*.ts'], { encoding: 'utf8' })
	.trim()
	.split('\n')
	.filter(Boolean);
const problems = [];

for (const file of files) {
	const [area, name] = file.split('/');
	const isTest = /\.test(-d)?\.ts$/.test(file) || file.split('/')[2] === 'test';
	const allowed = area === 'packages' ? arrows[name] : appArrows[name];
	if (!allowed) {
		problems.push(`${file}: the package "${name}" has no row in scripts/check-imports.mjs`);
		continue;
	}
	const source = readFileSync(file, 'utf8');
	for (const [, specifier] of source.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g)) {
		const target = /^@shardctl\/([a-z-]+)/.exec(specifier)?.[1];
		if (target && target !== name && !allowed.includes(target) && !(isTest && onlyInTests.includes(target))) {
			problems.push(`${file}: ${name} must not import @shardctl/${target}`);
		}
		if (specifier.startsWith('.')) {
			const depth = file.split('/').length - 3;
			const up = specifier.split('/').filter((part) => part === '..').length;
			if (up > depth) problems.push(`${file}: "${specifier}" reaches out of its package; import it by name`);
		}
	}
}

if (problems.length > 0) {
	console.error(`import boundaries broken:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
	process.exit(1);
}
console.log(`import boundaries hold in ${files.length} files`);
