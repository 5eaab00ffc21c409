// The declarations that `require` finds: the package is ES modules, which TypeScript lets a CommonJS file of `module: node16` name
// only through a `.d.cts` that says how they are resolved. One is written for each door, from what the door exports.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const dist = join(import.meta.dirname, 'dist');

for (const door of ['index', 'worker', 'queue', 'simulator']) {
	const declarations = readFileSync(join(dist, `${door}.d.ts`), 'utf8');
	const types = [];
	const values = [];
	for (const [, typeOnly, names] of declarations.matchAll(/^export (type )?\{([^}]*)\} from/gm)) {
		for (const name of names.split(',').map((text) => text.trim())) {
			if (name === '') continue;
			if (!/^(?:type )?\w+$/.test(name)) throw new Error(`${door}.d.ts exports "${name}", which is not understood here`);
			if (typeOnly || name.startsWith('type ')) types.push(name.replace('type ', ''));
			else values.push(name);
		}
	}
	if (values.length === 0) throw new Error(`${door}.d.ts exports nothing`);
	// A class is a type as well; for a function the type of that name is not used.
	const classes = values.filter((name) => /^[A-Z]/.test(name));
	const module = `import('./${door}.js', { with: { 'resolution-mode': 'import' } })`;
	const lines = [
		...(types.length > 0
			? [`export type { ${types.join(', ')} } from './${door}.js' with { 'resolution-mode': 'import' };`]
			: []),
		...values.map((name) => `export declare const ${name}: typeof ${module}.${name};`),
		...classes.map((name) => `export type ${name} = ${module}.${name};`),
	];
	writeFileSync(join(dist, `${door}.d.cts`), `${lines.join('\n')}\n`);
}
