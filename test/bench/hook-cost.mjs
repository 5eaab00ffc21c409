// What the hooks in a worker cost an event and a call, and, beside a built clone of another commit, what they cost there. Contenders take
// turns; the lowest figure of each counts, since everything else on the machine only adds to it.
// node test/bench/hook-cost.mjs [rounds] [folder of a built clone]      (build first)
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 10);
const here = fileURLToPath(new URL('../..', import.meta.url));
const clone = process.argv[3];
const main = fileURLToPath(new URL('fixtures/hook-cost-main.mjs', import.meta.url));

const contenders = [
	{ name: 'bare', root: here, bare: true },
	{ name: 'worker', root: here },
	...(clone ? [{ name: 'worker of the clone', root: resolve(clone) }] : []),
];

async function run({ root, bare = false }) {
	const child = fork(main, [root, String(bare)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
	const [message] = await Promise.race([
		once(child, 'message'),
		once(child, 'exit').then(([code]) => Promise.reject(new Error(`exit code ${code}`))),
	]);
	await once(child, 'exit');
	return message;
}

const lowest = new Map(
	contenders.map(({ name }) => [name, { eventNs: Infinity, asyncEventNs: Infinity, callUs: Infinity, p50Us: Infinity }]),
);
for (let round = 0; round < rounds; round++) {
	for (const contender of round % 2 ? contenders.toReversed() : contenders) {
		const best = lowest.get(contender.name);
		for (const [key, value] of Object.entries(await run(contender))) best[key] = Math.min(best[key], value);
	}
}
const shown = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
console.table(
	[...lowest].map(([contender, { eventNs, asyncEventNs, callUs, p50Us }]) => ({
		contender,
		'ns an event': shown(eventNs, 0),
		'ns an event with an async handler': shown(asyncEventNs, 0),
		'µs a call, fastest': shown(callUs, 0),
		'µs a call, median': shown(p50Us, 0),
	})),
);
console.log(`Node ${process.version}, lowest of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}, which should be low`);
