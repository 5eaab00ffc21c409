// What the value codec adds to the JSON text that node makes anyway, and how that compares with V8's structured clone. "node" is
// JSON.stringify and JSON.parse of the same plain value.
import v8 from 'node:v8';
import { decodeValue, encodeValue } from '@shardctl/rpc';
import { median } from '../harness/statistics.mjs';

export const name = 'codec';
export const title = 'The value codec alone, over JSON and beside structured clone';

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

export function run({ measurements, rounds, quick }) {
	for (let round = 0; round < (quick ? 1 : rounds); round++) {
		for (const [of, value] of Object.entries(values)) measure({ measurements, of, value });
	}
}

function measure({ measurements, of, value }) {
	const { wire, tagged } = encodeValue(value);
	const text = JSON.stringify(wire);
	const structured = v8.serialize(value);
	// What plain JSON would make of it: the same text without the tags.
	const plain = JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)));
	const plainText = JSON.stringify(plain);
	const ways = {
		write: {
			node: () => JSON.stringify(plain),
			shardctl: () => JSON.stringify(encodeValue(value).wire),
			'structured clone': () => v8.serialize(value),
		},
		read: {
			node: () => JSON.parse(plainText),
			shardctl: () => decodeValue(JSON.parse(text), tagged),
			'structured clone': () => v8.deserialize(structured),
		},
	};
	for (const [way, contenders] of Object.entries(ways)) {
		const row = { scenario: name, title: `${of}: ${way}`, unit: 'µs' };
		for (const [contender, work] of Object.entries(contenders)) measurements.add(row, contender, time(work));
	}
}

/** Median time of one run in µs; each turn has enough runs for the resolution of the clock. */
function time(work) {
	const turns = [];
	let runs = 1;
	for (let startedAt = performance.now(); performance.now() - startedAt < 20; ) work();
	for (let i = 0; i < 15; i++) {
		const startedAt = performance.now();
		for (let n = 0; n < runs; n++) work();
		const took = performance.now() - startedAt;
		turns.push((took / runs) * 1000);
		if (took < 5) runs = Math.ceil((runs * 8) / Math.max(took, 0.01));
	}
	return median(turns);
}
