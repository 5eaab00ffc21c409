// Fails when an import breaks the map of the house. Four rules, over every source file of packages/ and apps/; an import of a type
// counts like any other:
//
// 1. A package imports only the packages that its row in `arrows` names. Arrows point one way, so there is no cycle of packages. A test may
//    also import what only tests need. Nothing reaches into another package by a relative path.
// 2. No files import each other in a circle.
// 3. No folders directly under a package's src/ import each other in a circle. A file in src/ itself counts as a folder of its own: an
//    entry point above every folder, or something that all of them need.
// 4. Where a package has a row in `floors`, its folders may only import folders on a lower floor.
//
// What still breaks a rule has a row in `known`. A row that no longer applies fails too, so the list can only get shorter.
// Test files are exempt from rules 3 and 4, because a test may build what it tests from any floor. Fixtures are exempt from all of them.
//
// node scripts/check-imports.mjs [folder]      (default: this repository)
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Package → the packages of ours that its sources may import. */
const arrows = {
	core: [],
	control: ['core'],
	rpc: ['core'],
	supervisor: ['core'],
	worker: ['core', 'rpc'],
	manager: ['core', 'cluster', 'control', 'queue', 'rpc', 'supervisor'],
	'gateway-protocol': ['core'],
	simulator: ['core', 'gateway-protocol'],
	gateway: ['core', 'cluster', 'queue', 'rpc', 'gateway-protocol'],
	cluster: ['core', 'rpc'],
	rest: ['core', 'rpc'],
	queue: ['core', 'cluster'],
};
const appArrows = {
	dashboard: ['core'],
	shardctl: ['core', 'cluster', 'control', 'manager', 'queue', 'worker', 'simulator'],
	examples: [],
};
const onlyInTests = ['test-support', 'contract-suites', 'simulator'];

/** Package → its folders from the top floor down. Folders on one floor do not import each other. */
const floors = {
	cluster: [['node'], ['planner', 'snapshots', 'identify', 'rest', 'bus'], ['table'], ['lease'], ['scripts'], ['redis']],
	control: [['client', 'server'], ['routes', 'dashboard'], ['metrics', 'feed', 'history'], ['api'], ['fleet', 'state-dir']],
	rest: [['process'], ['forward'], ['limits']],
	queue: [['producer', 'consumer', 'figures'], ['scripts'], ['wire']],
	gateway: [['process'], ['session'], ['shard'], ['stream'], ['snapshots', 'downstream'], ['upstream', 'buffer'], ['state']],
};

/** Problems that still have to be fixed, as this script prints them. The owner of the files removes the row with the problem. */
const known = [];

/**
 * The problems of a tree, one line each.
 *
 * @param {ReadonlyMap<string, string>} sources Path from the root of the tree, with slashes → text of the file.
 * @param {{ arrows: Record<string, string[]>, appArrows: Record<string, string[]>, onlyInTests: string[], floors: Record<string, string[][]> }} rules
 * @returns {string[]}
 */
export function importProblems(sources, rules) {
	const problems = [];
	/** @type {Map<string, Map<string, string[]>>} Package folder → file → the files of the package that it imports. */
	const graphs = new Map();
	for (const [file, source] of sources) {
		const [area, name] = file.split('/');
		const home = `${area}/${name}`;
		const allowed = area === 'packages' ? rules.arrows[name] : rules.appArrows[name];
		if (!allowed) {
			problems.push(`${file}: the package "${name}" has no row in scripts/check-imports.mjs`);
			continue;
		}
		const inside = [];
		for (const specifier of importsOf(source)) {
			const target = /^@shardctl\/([a-z-]+)/.exec(specifier)?.[1];
			if (target && target !== name && !allowed.includes(target) && !(isTest(file) && rules.onlyInTests.includes(target))) {
				problems.push(`${file}: ${name} must not import @shardctl/${target}`);
			}
			if (!specifier.startsWith('.')) continue;
			const path = posix.join(posix.dirname(file), specifier);
			if (!path.startsWith(`${home}/`)) problems.push(`${file}: "${specifier}" reaches out of its package; import it by name`);
			const found = sourceOf(path, sources);
			if (found !== undefined) inside.push(found);
		}
		if (!graphs.has(home)) graphs.set(home, new Map());
		graphs.get(home).set(file, inside);
	}

	for (const [home, files] of graphs) {
		for (const circle of circlesOf(files)) problems.push(`circle of files: ${circle.join(' <-> ')}`);
		const wrong = wrongFloors(home, files, rules.floors[home.replace('packages/', '')]);
		problems.push(...wrong);
		// Wrong floors are what closes a circle of folders: once is enough.
		if (wrong.length > 0) continue;
		for (const circle of circlesOf(folderGraph(home, files)))
			problems.push(`circle of folders in ${home}: ${circle.join(' <-> ')}`);
	}
	return problems;
}

/** Takes what is known out of the problems, and adds a problem for each known one that is gone. */
export function unknownProblems(problems, known) {
	const gone = known.filter((problem) => !problems.includes(problem));
	return [
		...problems.filter((problem) => !known.includes(problem)),
		...gone.map((problem) => `no longer true, so take its row out of scripts/check-imports.mjs: ${problem}`),
	];
}

/** What a source imports or re-exports, in the order of the text. */
function importsOf(source) {
	return [...source.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"]([^'"]+)['"]/g)].map(([, specifier]) => specifier);
}

function isTest(file) {
	return /\.(test(-d)?|contract)\.ts$/.test(file) || file.split('/')[2] === 'test';
}

/** The file that a relative import names; TypeScript's sources are imported by the names of what they are compiled to. */
function sourceOf(path, sources) {
	return [path, path.replace(/js$/, 'ts')].find((candidate) => sources.has(candidate));
}

/** The folder under src/ that a file is in, or the file itself; undefined for what is not a source of the package. */
function folderOf(home, file) {
	if (isTest(file) || !file.startsWith(`${home}/src/`)) return undefined;
	return file.slice(home.length + '/src/'.length).split('/')[0];
}

/** Folder → the folders that its files import. */
function folderGraph(home, files) {
	const graph = new Map();
	for (const [file, targets] of files) {
		const from = folderOf(home, file);
		if (from === undefined) continue;
		if (!graph.has(from)) graph.set(from, new Set());
		for (const target of targets) {
			const to = folderOf(home, target);
			if (to !== undefined && to !== from) graph.get(from).add(to);
		}
	}
	return graph;
}

function wrongFloors(home, files, order) {
	if (!order) return [];
	const levels = new Map(order.flatMap((folders, level) => folders.map((folder) => [folder, level])));
	const problems = new Set();
	for (const [file, targets] of files) {
		const from = folderOf(home, file);
		if (from === undefined || from.endsWith('.ts')) continue;
		if (!levels.has(from)) problems.add(`${home}/src/${from}: has no floor: give it one in scripts/check-imports.mjs`);
		for (const target of targets) {
			const to = folderOf(home, target);
			if (to === undefined || to === from || !levels.has(to) || levels.get(from) < levels.get(to)) continue;
			problems.add(`${file}: ${from}/ must not import ${target}: ${to}/ is not on a lower floor`);
		}
	}
	return [...problems];
}

/** The circles of a graph: its strongly connected parts of more than one member, and members that import themselves. Tarjan. */
function circlesOf(graph) {
	const circles = [];
	const stack = [];
	const indexOf = new Map();
	const lowest = new Map();
	const visit = (node) => {
		indexOf.set(node, indexOf.size);
		lowest.set(node, indexOf.get(node));
		stack.push(node);
		for (const next of graph.get(node) ?? []) {
			if (!indexOf.has(next)) {
				visit(next);
				lowest.set(node, Math.min(lowest.get(node), lowest.get(next)));
			} else if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node), indexOf.get(next)));
		}
		if (lowest.get(node) !== indexOf.get(node)) return;
		const members = stack.splice(stack.indexOf(node)).sort((a, b) => (a < b ? -1 : 1));
		if (members.length > 1 || [...(graph.get(node) ?? [])].includes(node)) circles.push(members);
	};
	for (const node of graph.keys()) if (!indexOf.has(node)) visit(node);
	return circles;
}

/** The sources below a folder, by their path from `root`. */
function readSources(root, folders) {
	const sources = new Map();
	for (const folder of folders) {
		for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
			const path = join(root, folder, entry.name);
			if (entry.isDirectory()) {
				if (['node_modules', 'dist', 'fixtures'].includes(entry.name)) continue;
				for (const [name, text] of readSources(root, [join(folder, entry.name)])) sources.set(name, text);
			} else if (/\.[cm]?[jt]s$/.test(entry.name))
				sources.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
		}
	}
	return sources;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
	const here = fileURLToPath(new URL('..', import.meta.url));
	const root = resolve(process.argv[2] ?? here);
	const sources = readSources(root, ['packages', 'apps']);
	const rows = root === resolve(here) ? known : [];
	const problems = unknownProblems(importProblems(sources, { arrows, appArrows, onlyInTests, floors }), rows);
	if (problems.length > 0) {
		console.error(`import boundaries broken:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
		process.exit(1);
	}
	const rest = rows.length > 0 ? `, but for ${rows.length} known problems (the list "known" in this script)` : '';
	console.log(`import boundaries hold in ${sources.size} files${rest}`);
}
