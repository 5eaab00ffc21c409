// Explicit-state model of one session's events: received, released to the worker, handled, saved in Redis, and what the next
// owner's RESUME asks for. Who may act is not judged here (ownership-model.mjs does); the owner is muted before anybody takes over.
//
//   node sequence-model.mjs [NAME] [--trace]
import { pathToFileURL } from 'node:url';
import { explore } from './ownership-model.mjs';

/** The corrected rules; each experiment turns one back. */
export const corrected = {
	save: 'handled', // the record's sequence: up to what the worker has settled | 'released' to it | 'received' from Discord
	heartbeat: 'replicated', // the heartbeat's d: what is saved and beyond loss | 'saved' | 'received' (matters only if Discord forgets what was acknowledged)
	read: 'after', // the next owner reads record and journal after it has the epoch | 'before'
	append: 'contiguous', // an append names the sequence it follows; a gap is refused and sent again from the ring | 'any'
	comeback: 'drop', // a muted owner that finds itself replaced drops its buffer | 'release'
	ahead: 2, // how many events may be released above what is saved; 90: no bound (until the lease ends)
};

/** E events, a replay window of W, `budget` faults. Sequences are 0…E. */
export function sequenceModel({
	rules: overrides = {},
	events: E = 5,
	window: W = 5,
	budget = 2,
	faults = [],
	trims = true,
	maxRepeats = 90,
	handled = true,
}) {
	const rules = { ...corrected, ...overrides };
	const may = new Set(faults);
	let size = 0;
	const at = () => size++;
	const SENT = at(),
		BUDGET = at(),
		OWNER = at() /* 0 A, 1 B */,
		SAVED = at(),
		JOURNAL = at(),
		COPIED = at(),
		COPYSAVED = at(),
		COPYJOURNAL = at(),
		TRIMMED = at();
	const A = at() /* 0 dead 1 acts 2 muted 3 dropped out 4 handing over */,
		ARECV = at(),
		AREL = at(),
		ADONE = at(),
		ASAVED = at(),
		CUT = at();
	const B = at() /* 0 idle, 1 has read, 2 resumed */,
		BREAD = at(),
		BREADJ = at(),
		BREL = at(),
		BRECV = at(),
		RELEASED = at(),
		DONE = at(),
		REPEATS = at(),
		PAUSED = at();
	const bits = (from, to) => {
		let mask = 0;
		for (let e = from + 1; e <= to; e++) mask |= 1 << (e - 1);
		return mask;
	};
	const initial = () => {
		const st = new Array(size).fill(0);
		st[BUDGET] = budget;
		st[A] = 1;
		return st;
	};
	function next(st, emit) {
		const make = (text, change) => {
			const a = st.slice();
			const wrong = change(a);
			emit(text, a, wrong || undefined);
		};
		if (st[SENT] < E)
			make('Discord dispatches an event', (a) => {
				a[SENT]++;
				if (a[A] === 1 || a[A] === 2) a[ARECV] = a[SENT];
				if (a[B] === 2) a[BRECV] = a[SENT];
			});
		// -- the owner
		if (st[A] === 1 && !st[PAUSED] && st[AREL] < st[ARECV] && st[AREL] - st[ASAVED] < rules.ahead)
			make('A releases', (a) => {
				a[AREL]++;
				a[RELEASED] |= 1 << (a[AREL] - 1);
			});
		if ((st[A] === 1 || st[A] === 2 || st[A] === 4) && !st[PAUSED] && st[ADONE] < st[AREL])
			make("A's worker settles an event", (a) => {
				a[ADONE]++;
				a[DONE] |= 1 << (a[ADONE] - 1);
			});
		const target = rules.save === 'received' ? st[ARECV] : rules.save === 'released' ? st[AREL] : st[ADONE];
		if ((st[A] === 1 || st[A] === 4) && !st[PAUSED] && !st[CUT] && st[OWNER] === 0 && target > st[ASAVED])
			make(`A saves ${target}`, (a) => {
				const from = rules.append === 'contiguous' ? Math.min(a[SAVED], a[ASAVED]) : a[ASAVED];
				a[JOURNAL] |= bits(from, target);
				a[SAVED] = target;
				a[ASAVED] = target;
			});
		if ((st[A] === 1 || st[A] === 2) && !st[PAUSED] && trims)
			make('A heartbeats', (a) => {
				a[TRIMMED] = Math.max(
					a[TRIMMED],
					rules.heartbeat === 'received'
						? a[ARECV]
						: rules.heartbeat === 'saved'
							? a[ASAVED]
							: Math.min(a[ASAVED], a[COPIED] ? a[COPYSAVED] : a[SAVED]),
				);
			});
		if (st[A] === 1 && st[OWNER] === 0 && !st[PAUSED] && !st[CUT])
			make('A begins to hand over: stops releasing, closes with 4200', (a) => {
				a[A] = 4;
			});
		// the hand-over script writes the sequence with the owner: it is sent when the worker has settled and the journal is flushed
		if (
			st[A] === 4 &&
			!st[PAUSED] &&
			!st[CUT] &&
			st[OWNER] === 0 &&
			st[ADONE] === st[AREL] &&
			st[ASAVED] === target &&
			st[SAVED] >= st[ASAVED]
		)
			make('A hands over', (a) => {
				a[OWNER] = 1;
				a[A] = 3;
			});
		// -- lease and mute
		if (st[A] === 1 && (st[CUT] || st[PAUSED]))
			make("A's lease ends: muted", (a) => {
				a[A] = 2;
			});
		if (st[CUT])
			make("A's link is whole again", (a) => {
				a[CUT] = 0;
			});
		if (st[PAUSED])
			make('A runs again', (a) => {
				a[PAUSED] = 0;
			});
		if (st[A] === 2 && !st[CUT] && !st[PAUSED]) {
			if (st[OWNER] === 0)
				make('A is confirmed and goes on', (a) => {
					a[A] = 1;
				});
			else if (rules.comeback === 'drop')
				make('A learns that it was replaced, drops its buffer', (a) => {
					a[A] = 3;
				});
			else if (st[AREL] < st[ARECV])
				make('A releases from its buffer', (a) => {
					a[AREL]++;
					const bit = 1 << (a[AREL] - 1);
					const twice = a[RELEASED] & bit;
					a[RELEASED] |= bit;
					return twice || a[B] > 0 ? 'S4: a replaced owner releases' : undefined;
				});
		}
		// -- the next owner
		const gone = st[A] === 0 || st[A] === 2;
		const read = (a) => {
			a[BREAD] = a[SAVED];
			a[BREADJ] = a[JOURNAL];
		};
		if (st[B] === 0 && st[OWNER] === 0 && rules.read === 'before')
			make('B reads record and journal ahead', (a) => {
				read(a);
				a[B] = 1;
			});
		if (st[OWNER] === 0 && gone)
			make('B takes over', (a) => {
				a[OWNER] = 1;
				if (rules.read === 'after') {
					read(a);
					a[B] = 1;
				}
			});
		if (st[OWNER] === 1 && st[B] === 0)
			make('B reads record and journal', (a) => {
				read(a);
				a[B] = 1;
			});
		if (st[OWNER] === 1 && st[B] === 1)
			make(`B RESUMEs from ${st[BREAD]}`, (a) => {
				a[B] = 2;
				a[BREL] = a[BREAD];
				a[BRECV] = a[SENT];
				if (a[BREADJ] !== bits(0, a[BREAD])) return 'S2: the journal has a gap: the new owner has a state that misses events';
				if (a[BREAD] < a[TRIMMED]) return 'S1: Discord has dropped events that the RESUME asks for';
				if (a[SENT] - a[BREAD] > W) return 'window: the RESUME asks for more than Discord keeps (op 9, IDENTIFY)';
				const lost = bits(0, a[BREAD]) & ~(handled ? a[DONE] : a[RELEASED]);
				if (lost)
					return handled
						? 'S1: an event below the resumed sequence was never handled'
						: 'S1: an event below the resumed sequence was never released';
				a[REPEATS] = a[RELEASED] >> a[BREAD] ? [...(a[RELEASED] >> a[BREAD]).toString(2)].filter((c) => c === '1').length : 0;
				if (a[REPEATS] > maxRepeats) return `S3: ${a[REPEATS]} events are handled twice`;
				return undefined;
			});
		if (st[B] === 2 && st[BREL] < st[BRECV])
			make('B releases', (a) => {
				a[BREL]++;
				a[RELEASED] |= 1 << (a[BREL] - 1);
				a[DONE] |= 1 << (a[BREL] - 1);
			});
		// -- faults
		if (st[BUDGET] > 0) {
			const fault = (kind, text, change) => {
				if (may.has(kind))
					make(text, (a) => {
						a[BUDGET]--;
						change(a);
					});
			};
			if (st[A] === 1 || st[A] === 2 || st[A] === 4)
				fault('crash', 'A crashes', (a) => {
					a[A] = 0;
				});
			if (!st[CUT])
				fault('cut', 'A is cut off from Redis', (a) => {
					a[CUT] = 1;
				});
			if (!st[PAUSED] && st[A])
				fault('pause', 'A is stopped', (a) => {
					a[PAUSED] = 1;
				});
			if (!st[COPIED])
				fault('failover', 'the replica falls behind', (a) => {
					a[COPIED] = 1;
					a[COPYSAVED] = a[SAVED];
					a[COPYJOURNAL] = a[JOURNAL];
				});
		}
		if (st[COPIED] && st[OWNER] === 0)
			make('failover: later writes are lost', (a) => {
				a[SAVED] = a[COPYSAVED];
				a[JOURNAL] = a[COPYJOURNAL];
				a[COPIED] = a[COPYSAVED] = a[COPYJOURNAL] = 0;
			});
	}
	return { size, initial, next, broken: () => undefined };
}

const all = ['crash', 'cut', 'pause', 'failover'];
export const experiments = [
	[
		'save-received',
		'the record holds what was received, the buffer of a muted owner is lost',
		{ faults: all, handled: false },
		{ save: 'received' },
		{ save: 'released' },
	],
	[
		'save-released',
		'the record holds what was released; the machine dies while its worker is in the middle of it',
		{ faults: all },
		{ save: 'released' },
		{},
	],
	[
		'heartbeat',
		'the heartbeat acknowledges what is not saved, and Discord forgets it',
		{ faults: all },
		{ heartbeat: 'received' },
		{},
	],
	[
		'heartbeat-failover',
		'Discord forgets what is saved, and a failover loses the save',
		{ faults: ['failover', 'crash'] },
		{ heartbeat: 'saved' },
		{},
	],
	[
		'heartbeat-kept',
		'the same, if Discord keeps its window whatever the heartbeat says',
		{ faults: ['failover', 'crash'], trims: false },
		undefined,
		{ heartbeat: 'received' },
	],
	[
		'read-before',
		'record and journal are read before the epoch is taken',
		{ faults: ['crash', 'cut', 'pause'], maxRepeats: 2 },
		{ read: 'before' },
		{},
	],
	['gap', 'a failover loses appends, the owner appends on', { faults: all, trims: false }, { append: 'any' }, {}],
	[
		'comeback',
		'a muted owner comes back after the takeover with a buffer',
		{ faults: ['cut', 'pause'] },
		{ comeback: 'release' },
		{},
	],
	[
		'repeats-cut',
		'repeats when the owner is cut off from Redis: until its lease ends nothing is saved',
		{ faults: ['cut'], budget: 1, maxRepeats: 2 },
		{ ahead: 90 },
		{},
	],
	[
		'window',
		'more events than the replay window since the last save: not removable by a rule, only by time',
		{ faults: ['cut'], budget: 1, window: 2 },
		{},
		undefined,
	],
	['all', 'everything, Discord forgets what is acknowledged', { faults: all, budget: 4, events: 6, window: 6 }, undefined, {}],
	[
		'repeats',
		'repeats without a failover are at most what may be released ahead of the save',
		{ faults: ['crash', 'cut', 'pause'], budget: 3, events: 6, window: 6, maxRepeats: 2 },
		undefined,
		{},
	],
];

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const wanted = process.argv[2]?.startsWith('--') ? undefined : process.argv[2];
	const run = (title, config, rules) => {
		const out = explore(sequenceModel({ ...config, rules }));
		console.log(
			`${title.padEnd(20)} ${String(out.states).padStart(8)} states  depth ${String(out.depth).padStart(3)}  ${(out.ms / 1000).toFixed(1).padStart(5)} s  ${out.violation ? out.violation.wrong : out.complete ? 'holds' : 'NOT complete'}`,
		);
		if (out.violation && process.argv.includes('--trace')) for (const line of out.violation.trace) console.log(`      ${line}`);
	};
	for (const [name, about, config, before, after] of experiments)
		if (!wanted || wanted === name) {
			console.log(`# ${name}: ${about}`);
			if (before) run('  as written', config, before);
			if (after) run('  smallest change', config, after);
		}
}
