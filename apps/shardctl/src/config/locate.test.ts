import { expect, it } from 'vitest';
import { lineAt, lineOfKey } from './locate.js';

const json = '{\n  "file": "bot.js",\n  "respawn": { "factor": 2,\n    "maxRestarts": 0 },\n  "name": "x"\n}';
const ts = "// name: not this\nexport default {\n\tfile: 'bot.js', shards: 2,\n\t'name': 'x',\n};";

it.each([
	[json, 'file', 2],
	[json, 'respawn', 3],
	[json, 'respawn.factor', 3],
	[json, 'respawn.maxRestarts', 4],
	[json, 'name', 5],
	[json, 'missing', undefined],
	[json, 'respawn.missing', 3],
	[ts, 'shards', 3],
	[ts, 'file', 3],
])('%#: finds the line of a key', (source, path, line) => {
	expect(lineOfKey(source, path)).toBe(line);
});

it('counts lines from 1', () => {
	expect([lineAt('a\nb', 0), lineAt('a\nb', 2)]).toEqual([1, 2]);
});
