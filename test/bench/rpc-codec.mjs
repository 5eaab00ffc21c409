// What the value codec adds to the JSON text that Node makes anyway, and how that compares with V8's structured clone.
//
//   pnpm -s build && node test/bench/rpc-codec.mjs
//
// Ratios to JSON.stringify (writing) and JSON.parse (reading) of the same plain value; 1 would be a codec that costs nothing.
import v8 from 'node:v8';
import { decodeValue, encodeValue } from '@shardctl/rpc';

const guild = (i) => ({
	id: `10000000000000${1000 + i}`,
	name: `Guild number ${i}`,
	memberCount: i * 3,
	tags: ['a', i, true],
	owner: { id: `${i}`, bot: null },
});
const guilds = (count, more = () => ({})) => Array.from({ length: count }, (_, i) => ({ ...guild(i), ...more(i) }));

const values = {
	'one number': 5,
	'100 B': { script: { id: 7 }, context: { guildId: '100000000000001000', limit: 50 } },
	'10 kB': guilds(75),
	'1 MB': guilds(7500),
	'1 MB text': 'x'.repeat(1_000_000),
	'10 kB, dates and BigInt': guilds(75, (i) => ({ at: new Date(i), snowflake: BigInt(i) })),
};

/** Median time of one run in µs. */
function time(run) {
	const turns = [];
	let runs = 1;
	for (let start = performance.now(); performance.now() - start < 20; ) run();
	for (let i = 0; i < 15; i++) {
		const start = performance.now();
		for (let n = 0; n < runs; n++) run();
		const took = performance.now() - start;
		turns.push((took / runs) * 1000);
		if (took < 5) runs = Math.ceil((runs * 8) / Math.max(took, 0.01));
	}
	return turns.sort((a, b) => a - b)[7];
}

const rows = Object.entries(values).map(([name, value]) => {
	const { wire, tagged } = encodeValue(value);
	const text = JSON.stringify(wire);
	const structured = v8.serialize(value);
	// What plain JSON would make of it: the same text without the tags.
	const plain = JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)));
	const plainText = JSON.stringify(plain);
	const stringify = time(() => JSON.stringify(plain));
	const parse = time(() => JSON.parse(plainText));
	const ratio = (run, base) => Number((time(run) / base).toFixed(2));
	return {
		value: name,
		'stringify µs': Number(stringify.toFixed(2)),
		'encode + stringify': ratio(() => JSON.stringify(encodeValue(value).wire), stringify),
		'v8.serialize': ratio(() => v8.serialize(value), stringify),
		'parse µs': Number(parse.toFixed(2)),
		'parse + decode': ratio(() => decodeValue(JSON.parse(text), tagged), parse),
		'v8.deserialize': ratio(() => v8.deserialize(structured), parse),
	};
});
console.table(rows);
