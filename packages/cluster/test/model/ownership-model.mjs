// Explicit-state model of who may act for a Discord session: node leases in Redis, engine identity and quiet period, epochs,
// the compare-and-set planner, moves, crash takeover, and Discord's "a RESUME closes the older connection".
// Breadth first, so the first counterexample is a shortest one. Not here: events and sequence numbers (sequence-model.mjs).
//
//   node ownership-model.mjs            every experiment      node ownership-model.mjs NAME [--trace]     one of them
//
// Each step is also given as data (the last argument of `emit`), so that test/conformance.test.ts can take it with the real scripts.
//
// Time is in ticks. A state is one flat array of small integers; all times and epochs are stored relative to now, so a state
// does not depend on when it is reached and the space is finite once the number of faults is bounded.
import { pathToFileURL } from 'node:url';

// ------------------------------------------------------------------------------------------------ the search
/** Explores everything reachable from `model.initial()`. Stops at the first violation, or at a limit (then `complete` is false). */
export function explore(model, { maxStates = 7_000_000, maxMs = 55_000 } = {}) {
	const started = Date.now();
	const buffer = Buffer.alloc(model.size);
	const keyOf = (state) => {
		for (let i = 0; i < model.size; i++) buffer[i] = state[i] + 100;
		return buffer.latin1Slice(0, model.size);
	};
	const stateOf = (key) => Array.from({ length: model.size }, (_, i) => key.charCodeAt(i) - 100);
	const seen = new Set();
	const keys = [];
	const parents = [];
	let violation;
	const first = model.initial();
	seen.add(keyOf(first));
	keys.push(keyOf(first));
	parents.push(-1);
	let index = 0;
	let levelEnd = 1;
	let depth = 0;
	let complete = true;
	const traceTo = (id, lastLabel) => {
		const chain = [];
		for (let at = id; at >= 0; at = parents[at]) chain.unshift(at);
		const labels = [];
		for (let k = 1; k < chain.length; k++) {
			const wanted = keys[chain[k]];
			let found = '?';
			model.next(stateOf(keys[chain[k - 1]]), (label, state) => {
				if (found === '?' && keyOf(state) === wanted) found = label;
			});
			labels.push(found);
		}
		if (lastLabel) labels.push(lastLabel);
		return labels;
	};
	for (; index < keys.length && !violation; index++) {
		if (index === levelEnd) {
			levelEnd = keys.length;
			depth++;
		}
		if ((index & 1023) === 0 && Date.now() - started > maxMs) {
			complete = false;
			break;
		}
		model.next(stateOf(keys[index]), (label, state, broken) => {
			if (violation) return;
			const wrong = broken ?? model.broken(state);
			if (wrong) {
				violation = { wrong, parent: index, label };
				return;
			}
			const key = keyOf(state);
			if (seen.has(key)) return;
			seen.add(key);
			keys.push(key);
			parents.push(index);
		});
		if (keys.length >= maxStates) {
			complete = false;
			break;
		}
	}
	return {
		states: keys.length,
		depth,
		ms: Date.now() - started,
		complete: complete || Boolean(violation),
		violation: violation && { wrong: violation.wrong, trace: traceTo(violation.parent, violation.label) },
	};
}

// ------------------------------------------------------------------------------------------------ the rules
/** The corrected rules. Every experiment below turns one of them back and looks for what breaks. */
export const corrected = {
	countFrom: 'send', // a renewal is valid from its sending | 'receipt'
	identity: 'carried', // every script looks at the engine's identity and carries the one its sender knows | 'all' looks | 'renewal' only the renewal looks
	quiet: true, // a new identity starts a quiet period | false
	quietBy: 'caller', // besides quietUntil: who asks has known the engine's identity for Q on its own monotonic clock | 'redis': quietUntil only
	quietCovers: 'all', // nothing is given to anybody in the quiet period | 'takeover': only sessions without an owner may be given away
	confirms: true, // the renewal names (session, epoch) pairs and its answer says which are still the node's | false: unmuted at once, table read later
	claims: 'guarded', // re-announcing after an identity change: see scriptRenew | 'open': the higher epoch wins, at any time, and acts at once
	monotone: true, // a node never adopts an epoch that is not above the last one it let go | false
	takeback: 'bump', // an owner that is unsure whether its hand-over happened takes back by raising the epoch | 'confirm' by asking | 'blind'
	release: 'session', // gateway processes without a manager release their own session | 'node': the node's lease
	sameName: 'wait', // a second incarnation of a name is a node like any other | 'name': it inherits at once
	reconnect: 'lease', // every RESUME needs a valid lease and the session confirmed in it | 'blind': as libraries do
	observe: true, // who takes over has itself seen the lease unchanged for V ticks on its own monotonic clock
	steady: true, // an unanswered renewal of its own starts that observation anew
	clamp: true, // a script that sees the clock step back cuts deadlines and quietUntil to what they can be at most
	gapLimit: undefined, // ticks without any script after which a quiet period starts (undefined: 1 + renewal interval)
	answers: 'latest', // a node drops every answer that a later one has overtaken | 'any'
	oldMasterLag: 3, // a master that was replaced accepts writes in this many more ticks (3: until Q − V after it) | 90: for ever
	epochs: 'time', // max(stored + 1, now) | 'counter'
	doubt: true, // a node whose wall and monotonic clocks drifted apart is mute until it has asked
	leap: false, // tried and dropped: a large step for the first epoch after an identity change (two failovers give it twice)
};

const NONE = -50; // no epoch
const FAR = 40; // epochs from here on are "an hour ahead of Redis' clock": they do not come nearer
const RUNNING = 1,
	PAUSED = 2,
	ORPHANED = 3 /* manager dead, gateway processes run */,
	FROZEN = 4 /* paused, its monotonic clock stands still */,
	DEAD = 0,
	UNBORN = 5,
	STILL = 6 /* frozen, and its wall clock stood still as well */;
const RENEW_REQUEST = 1,
	RENEW_ANSWER = 2,
	SWITCH = 4,
	WRITE = 5;

/** One protocol model. `faults` names what may go wrong, `budget` how many times in all. */
export function ownershipModel({
	nodes: N = 2,
	sessions: S = 1,
	rules: overrides = {},
	faults = [],
	budget = 2,
	T = 3,
	V = 2,
	Q = 4,
	jump = 1,
	moves = false,
	discord = false,
	closes = true,
	judgeEpochs = true,
	writes = false,
	sameNameOf,
	noTakeover = false,
	live = 0,
	reassign = false,
	cost = {},
}) {
	const rules = { ...corrected, ...overrides };
	const may = new Set(faults);
	const gapLimit = rules.gapLimit ?? 2;
	let size = 0;
	const at = (count = 1) => {
		const place = size;
		size += count;
		return place;
	};
	// Redis. DATA is what a replica copies; the snapshot block has the same shape.
	const BUDGET = at(),
		UP = at(),
		KNOWN = at(),
		GEN = at(),
		GAP = at(),
		CALM = at(),
		QUIET = at();
	const DATA = size,
		VERSION = at(),
		DEADLINE = at(N),
		OWNER = at(S),
		EPOCH = at(S),
		PHASE = at(S) /* 0 held 1 moving 2 prepared */,
		TARGET = at(S),
		UNSURE = at(S);
	const dataSize = size - DATA;
	const SNAP = at(),
		COPY = at(dataSize);
	// Nodes. LINK: 0 fine, 1 requests lost, 2 answers lost. OLD: ticks for which the node still reaches a master that was replaced.
	const ALIVE = at(N),
		VALID = at(N),
		SENT = at(N),
		LINK = at(N),
		OLD = at(N),
		NODEGEN = at(N),
		STALE = at(N) /* must still read the table */;
	const PLANNED = at(N),
		PSESSION = at(N),
		PVERSION = at(N),
		PTARGET = at(N),
		PGEN = at(N),
		PFREE = at(N);
	const HELD = at(N * S),
		HOLD = at(N * S) /* 0 acts, 1 giving away, 2 waits for the end of the quiet period */,
		LETGO = at(N * S),
		SOCKET = at(N * S) /* 0 none 1 open 2 doomed 3 closed by Discord */;
	const IDAGE = at(N); // ticks since the node learned the engine's identity
	const SEEN = at(rules.observe ? N * N : 0) /* ticks since node i saw j's lease change */,
		CHANGED = at(rules.observe ? N * N : 0);
	// One message that the network holds back (its sender has given up waiting).
	const LATE = at(),
		LNODE = at(),
		LAGE = at(),
		LSESSION = at(),
		LVERSION = at(),
		LGEN = at(),
		LFREE = at() /* an answer: overtaken by a later one */,
		LVALID = at(),
		LHOLD = at(S) /* of an answer: 1 says wait */,
		LEPOCH = at(S),
		LHELD = at(S) /* what the renewal of an answer named */;
	// Ghosts: the highest epoch ever given and ever written, to judge by.
	const TOP = at(S),
		WRITTEN = at(S);
	const epochSlots = Array.from({ length: S }, (_, s) => [
		EPOCH + s,
		COPY + (EPOCH - DATA) + s,
		LEPOCH + s,
		LHELD + s,
		TOP + s,
		WRITTEN + s,
		...Array.from({ length: N }, (__, i) => [HELD + i * S + s, LETGO + i * S + s]).flat(),
	]);
	const name = (i) => (sameNameOf !== undefined && i === N - 1 ? `${'ABC'[sameNameOf]}2` : 'ABC'[i]);
	const sessions = Array.from({ length: S }, (_, s) => s);
	const nodes = Array.from({ length: N }, (_, i) => i);
	const label = (s) => (S > 1 ? ` s${s}` : '');

	function initial() {
		const st = new Array(size).fill(0);
		st[BUDGET] = budget;
		st[UP] = 1;
		st[KNOWN] = 1;
		for (const i of nodes) {
			const unborn = sameNameOf !== undefined && i === N - 1;
			st[ALIVE + i] = unborn ? UNBORN : RUNNING;
			st[VALID + i] = unborn ? 0 : V;
			st[IDAGE + i] = unborn ? 0 : Q;
			st[DEADLINE + i] = unborn ? -1 : T;
		}
		for (const slots of epochSlots) for (const slot of slots) st[slot] = NONE;
		for (const s of sessions) {
			st[OWNER + s] = 0;
			st[EPOCH + s] = -1;
			st[HELD + s] = -1;
			st[TOP + s] = -1;
			st[WRITTEN + s] = -1;
			st[SOCKET + s] = discord ? 1 : 0;
			st[TARGET + s] = -1;
		}
		return st;
	}

	const runs = (st, i) => st[ALIVE + i] === RUNNING || st[ALIVE + i] === ORPHANED;
	/** The state that I1 is about: releases events of the session now. */
	const acts = (st, i, s) => runs(st, i) && st[VALID + i] > 0 && st[HELD + i * S + s] !== NONE && st[HOLD + i * S + s] === 0;

	function broken(st) {
		for (const s of sessions) {
			let first = -1;
			for (const i of nodes)
				if (acts(st, i, s)) {
					if (first >= 0) return `I1: ${name(first)} and ${name(i)} both act for${label(s) || ' the session'}`;
					first = i;
				}
		}
		return undefined;
	}

	// ---- epochs: relative to Redis' clock. Those of the past are only ranked; those far ahead keep their order and neighbourhood.
	function rank(st) {
		for (const slots of epochSlots) {
			const past = [...new Set(slots.map((slot) => st[slot]).filter((e) => e < 0 && e !== NONE))].sort((a, b) => b - a);
			const far = [...new Set(slots.map((slot) => st[slot]).filter((e) => e >= FAR))].sort((a, b) => a - b);
			const map = new Map();
			for (const [k, e] of past.entries()) map.set(e, -1 - k);
			for (const [k, e] of far.entries()) map.set(e, k === 0 ? FAR + 10 : map.get(far[k - 1]) + Math.min(3, e - far[k - 1]));
			for (const slot of slots) if (map.has(st[slot])) st[slot] = map.get(st[slot]);
		}
	}
	/** Redis' clock moves on by `by` (a tick, a small step), or by an hour: 'forward', 'back'. */
	function shiftEpochs(st, by) {
		if (rules.epochs === 'counter') return;
		for (const slots of epochSlots)
			for (const slot of slots) {
				const e = st[slot];
				if (e === NONE) continue;
				if (by === 'forward') st[slot] = e >= FAR ? e - 70 : Math.min(e, 0) - 30;
				else if (by === 'back') st[slot] = e >= FAR ? e : e + 60;
				else if (e < FAR) st[slot] = e - by;
			}
		rank(st);
	}
	/** A new epoch. I3 is judged here. */
	function mint(st, s) {
		const stored = st[EPOCH + s];
		const step = rules.leap && st[UNSURE + s] ? 25 : 1;
		const epoch = rules.epochs === 'counter' ? (stored === NONE ? 1 : stored + 1) : Math.max(stored + step, 0);
		const wrong = judgeEpochs && epoch <= st[TOP + s] ? `I3: a new epoch is not above one given before${label(s)}` : undefined;
		st[EPOCH + s] = epoch;
		st[TOP + s] = Math.max(st[TOP + s], epoch);
		st[UNSURE + s] = 0;
		if (rules.epochs !== 'counter') rank(st);
		return wrong;
	}

	// ---- Redis' scripts
	/** What the first lines of a script do: notice a new engine, a clock step, a gap. */
	function look(st) {
		const back = st[GAP] < 0;
		if (!st[KNOWN] || back || st[GAP] > gapLimit) {
			if (!st[KNOWN]) for (const s of sessions) st[UNSURE + s] = 1;
			st[KNOWN] = 1;
			if (rules.quiet) st[QUIET] = Q;
			if (rules.clamp) for (const i of nodes) st[DEADLINE + i] = Math.min(st[DEADLINE + i], T);
		}
		if (rules.clamp && st[QUIET] > Q) st[QUIET] = Q;
		st[GAP] = 0;
	}
	const looksFirst = (st) => {
		if (rules.identity !== 'renewal') look(st);
	};
	/** Is it too early for a script that this node calls? */
	const early = (st, ripe) => st[QUIET] > 0 || (rules.quietBy === 'caller' && rules.quiet && !ripe);
	const isRipe = (st, i) => st[IDAGE + i] >= Q;
	const refusesIdentity = (st, gen) => rules.identity === 'carried' && gen !== st[GEN];

	/** Answers per session: an epoch that is the node's, NONE, or 'wait' (keep it, act when the quiet period is over). */
	function scriptRenew(st, i, held, hold, gen, unlapsed, ripe) {
		look(st);
		st[DEADLINE + i] = T;
		if (rules.observe) for (const j of nodes) st[CHANGED + j * N + i] = 1;
		if (refusesIdentity(st, gen)) return { gen: st[GEN], only: true };
		let wrong;
		const answer = sessions.map((s) => {
			const e = held[s];
			const quiet = early(st, ripe);
			if (rules.claims === 'open') {
				if (e !== NONE && e > st[EPOCH + s]) {
					st[OWNER + s] = i;
					st[EPOCH + s] = e;
					st[PHASE + s] = 0;
					st[VERSION]++;
				}
			} else {
				// In the quiet period holders announce themselves; the highest epoch is recorded. Who never lost its lease goes on at once:
				// nobody can have taken over from it. Who lost it waits: somebody with a later epoch may not have spoken yet.
				if (quiet && st[UNSURE + s] && e !== NONE && e > st[EPOCH + s]) {
					st[OWNER + s] = i;
					st[EPOCH + s] = e;
					st[PHASE + s] = 0;
					st[VERSION]++;
				}
				if (quiet && st[UNSURE + s]) {
					if (st[OWNER + s] === i && st[EPOCH + s] === e) {
						if (unlapsed && hold[s] === 0) st[UNSURE + s] = 0;
						else return 'wait';
					} else return NONE;
				} else if (!quiet && st[UNSURE + s] && st[OWNER + s] === i) wrong ??= mint(st, s);
			}
			if (rules.takeback === 'bump' && st[OWNER + s] === i && hold[s] === 1 && st[EPOCH + s] === e) {
				if (quiet && rules.claims !== 'open') return 'wait';
				wrong ??= mint(st, s);
				st[PHASE + s] = 0;
				st[VERSION]++;
			}
			return st[OWNER + s] === i ? st[EPOCH + s] : NONE;
		});
		return { gen: st[GEN], answer, wrong };
	}

	/** The node hears the answer to a renewal that it sent `age` ticks ago with `held`. */
	function hear(st, i, reply, age, held, late = false) {
		if (reply.gen !== st[NODEGEN + i] && !late) {
			st[NODEGEN + i] = reply.gen;
			st[IDAGE + i] = 0;
		}
		if (reply.only) return;
		if (!late && st[LATE] === RENEW_ANSWER && st[LNODE] === i) st[LFREE] = 1; // overtakes the held-back answer
		if (rules.observe)
			for (const j of nodes)
				if (st[CHANGED + i * N + j]) {
					st[CHANGED + i * N + j] = 0;
					st[SEEN + i * N + j] = 0;
				}
		st[VALID + i] = Math.max(st[VALID + i], rules.countFrom === 'send' ? V - age : V);
		if (rules.confirms) adopt(st, i, reply.answer, held);
		else st[STALE + i] = 1;
	}
	function adopt(st, i, answer, held) {
		for (const s of sessions) {
			const slot = i * S + s;
			const mine = st[HELD + slot];
			const said = answer[s];
			if (said === 'wait') {
				if (mine === held[s] && mine !== NONE && st[HOLD + slot] === 0) st[HOLD + slot] = 2;
				continue;
			}
			if (said === NONE) {
				if (mine !== NONE && mine === held[s]) drop(st, i, s);
			} else if (said === mine) {
				if (st[HOLD + slot] === 2 || (st[HOLD + slot] === 1 && rules.takeback === 'confirm')) st[HOLD + slot] = 0;
			} else if (mine === NONE ? !rules.monotone || st[LETGO + slot] === NONE || said > st[LETGO + slot] : said > mine) {
				st[HELD + slot] = said;
				st[HOLD + slot] = 0;
			}
		}
	}
	function restartObservation(st, i) {
		if (rules.observe && rules.steady) for (const j of nodes) st[CHANGED + i * N + j] = 1; // it begins with the next answer
	}
	function drop(st, i, s) {
		const slot = i * S + s;
		st[LETGO + slot] = Math.max(st[LETGO + slot], st[HELD + slot]);
		st[HELD + slot] = NONE;
		st[HOLD + slot] = 0;
		st[SOCKET + slot] = 0;
	}

	/** Gives a session whose owner's lease is over, or that has no owner, to `target`. */
	function scriptTake(st, { by, s, version, target, gen, free }) {
		looksFirst(st);
		if (refusesIdentity(st, gen) || version !== st[VERSION]) return { done: false };
		const owner = st[OWNER + s];
		if (early(st, isRipe(st, by)) && (!free || rules.quietCovers === 'all')) return { done: false };
		if (!free) {
			if (owner < 0 || st[DEADLINE + owner] > 0) return { done: false };
			if (rules.observe && (st[CHANGED + by * N + owner] || st[SEEN + by * N + owner] < V)) return { done: false };
		} // as written, a session that was read as free is only guarded by the version
		const wrong = mint(st, s);
		st[OWNER + s] = target;
		st[PHASE + s] = 0;
		st[TARGET + s] = -1;
		st[VERSION]++;
		return { done: true, wrong: wrong ?? (noTakeover ? 'I6: a session was given away although only Redis failed' : undefined) };
	}
	function scriptSwitch(st, { by, s, epoch, gen }) {
		looksFirst(st);
		if (refusesIdentity(st, gen)) return { done: false };
		if (st[OWNER + s] !== by || st[EPOCH + s] !== epoch || st[PHASE + s] !== 2) return { done: false };
		if (st[QUIET] > 0 && rules.claims !== 'open') return { done: false };
		const wrong = mint(st, s);
		st[OWNER + s] = st[TARGET + s];
		st[PHASE + s] = 0;
		st[TARGET + s] = -1;
		st[VERSION]++;
		return { done: true, wrong };
	}
	/** Any fenced write. I2 is judged here. */
	function scriptWrite(st, { by, s, epoch, gen }) {
		looksFirst(st);
		if (refusesIdentity(st, gen)) return { done: false };
		if (rules.claims !== 'open' && st[UNSURE + s]) return { done: false };
		if (st[OWNER + s] !== by || st[EPOCH + s] !== epoch) return { done: false };
		if (epoch < st[WRITTEN + s])
			return { done: true, wrong: `I2: a write of an older epoch succeeds after a newer one's${label(s)}` };
		st[WRITTEN + s] = epoch;
		return { done: true };
	}

	// ---- everything that can happen next
	function next(st, emit) {
		const calm = st[CALM] > 0;
		const copy = () => st.slice();
		let urgent = false; // something must happen before time goes on
		const answers = (i) => st[UP] && st[LINK + i] === 0;

		for (const i of nodes) {
			const state = st[ALIVE + i];
			// -- renewal, once a tick
			if (state === RUNNING && !st[SENT + i]) {
				urgent = true;
				const held = sessions.map((s) => st[HELD + i * S + s]);
				const hold = sessions.map((s) => st[HOLD + i * S + s]);
				const unlapsed = st[VALID + i] > 0;
				if (st[OLD + i] > 0) {
					// answered by the master that was replaced: it confirms what it knew
					const a = copy();
					a[SENT + i] = 1;
					a[VALID + i] = V;
					emit(`${name(i)} renews at the old master`, a, undefined, ['renew at the old master', i]);
				} else if (answers(i)) {
					const a = copy();
					a[SENT + i] = 1;
					let reply = scriptRenew(a, i, held, hold, a[NODEGEN + i], unlapsed, isRipe(a, i));
					let wrong = reply.wrong;
					hear(a, i, reply, 0, held);
					if (reply.only) {
						// learned a new identity: the node asks again with it
						reply = scriptRenew(a, i, held, hold, a[NODEGEN + i], unlapsed, isRipe(a, i));
						wrong = reply.wrong;
						hear(a, i, reply, 0, held);
					}
					emit(`${name(i)} renews`, a, wrong, ['renew', i, 'answered']);
				} else {
					const a = copy();
					a[SENT + i] = 2; // and again as soon as it can
					restartObservation(a, i);
					let wrong;
					if (st[UP] && st[LINK + i] === 2) wrong = scriptRenew(a, i, held, hold, a[NODEGEN + i], unlapsed, isRipe(a, i)).wrong;
					emit(`${name(i)} renews, ${st[UP] && st[LINK + i] === 2 ? 'the answer is lost' : 'the request is lost'}`, a, wrong, [
						'renew',
						i,
						st[UP] && st[LINK + i] === 2 ? 'answer lost' : 'request lost',
					]);
				}
				if (may.has('late') && !calm && st[BUDGET] > 0 && !st[LATE] && st[UP] && st[OLD + i] === 0) {
					const a = copy();
					a[SENT + i] = 1;
					a[BUDGET]--;
					restartObservation(a, i);
					a[LATE] = RENEW_REQUEST;
					a[LNODE] = i;
					a[LAGE] = 0;
					a[LGEN] = a[NODEGEN + i];
					a[LVALID] = unlapsed ? 1 : 0;
					a[LVERSION] = isRipe(st, i) ? 1 : 0;
					for (const s of sessions) {
						a[LEPOCH + s] = held[s];
						a[LHOLD + s] = hold[s];
					}
					emit(`${name(i)} sends a renewal that is held back on its way`, a, undefined, ['renew', i, 'request held']);
					const b = copy();
					b[SENT + i] = 1;
					b[BUDGET]--;
					restartObservation(b, i);
					const reply = scriptRenew(b, i, held, hold, b[NODEGEN + i], unlapsed, isRipe(b, i));
					if (!reply.only) {
						b[LATE] = RENEW_ANSWER;
						b[LNODE] = i;
						b[LAGE] = 0;
						b[LGEN] = b[GEN];
						for (const s of sessions) {
							b[LEPOCH + s] = reply.answer[s] === 'wait' ? NONE : reply.answer[s];
							b[LHOLD + s] = reply.answer[s] === 'wait' ? 1 : 0;
							b[LHELD + s] = held[s];
						}
						emit(`${name(i)} renews, the answer is held back`, b, reply.wrong, ['renew', i, 'answer held']);
					}
				}
			}
			// -- reading the table after the renewal (only where the renewal does not say it itself)
			if (state === RUNNING && st[STALE + i] && answers(i)) {
				urgent = true;
				const a = copy();
				a[STALE + i] = 0;
				adopt(
					a,
					i,
					sessions.map((s) => (a[OWNER + s] === i ? a[EPOCH + s] : NONE)),
					sessions.map((s) => a[HELD + i * S + s]),
				);
				emit(`${name(i)} reads the table`, a);
			}
			// -- planner: read now, compare and set whenever
			if (state === RUNNING && st[VALID + i] > 0 && answers(i) && st[OLD + i] === 0) {
				if (!st[PLANNED + i])
					for (const s of sessions) {
						const owner = st[OWNER + s];
						const free = owner < 0;
						if (!free && (st[DEADLINE + owner] > 0 || owner === i)) continue;
						for (const target of nodes) {
							if (target !== i && !reassign) continue;
							if (target !== i && (target === owner || st[DEADLINE + target] <= 0)) continue;
							const a = copy();
							a[PLANNED + i] = 1;
							a[PSESSION + i] = s;
							a[PVERSION + i] = st[VERSION];
							a[PTARGET + i] = target;
							a[PGEN + i] = st[NODEGEN + i];
							a[PFREE + i] = free ? 1 : 0;
							if (!calm)
								emit(`${name(i)} reads the table and plans${label(s)} for ${name(target)}`, a, undefined, [
									'plan',
									i,
									s,
									target,
									free,
								]);
							else {
								// when all is calm a plan is carried out at once
								const out = scriptTake(a, { by: i, s, version: st[VERSION], target, gen: st[NODEGEN + i], free });
								a[PLANNED + i] = a[PSESSION + i] = a[PVERSION + i] = a[PTARGET + i] = a[PGEN + i] = a[PFREE + i] = 0;
								if (out.done) {
									urgent = true;
									emit(`${name(i)} gives${label(s)} to ${name(target)}`, a, out.wrong);
								}
							}
						}
					}
			}
			if (state === RUNNING && st[PLANNED + i]) {
				const plan = {
					by: i,
					s: st[PSESSION + i],
					version: st[PVERSION + i],
					target: st[PTARGET + i],
					gen: st[PGEN + i],
					free: Boolean(st[PFREE + i]),
				};
				const clear = (a) => {
					a[PLANNED + i] = a[PSESSION + i] = a[PVERSION + i] = a[PTARGET + i] = a[PGEN + i] = a[PFREE + i] = 0;
				};
				const dropped = copy();
				clear(dropped);
				if (calm) urgent = true;
				emit(`${name(i)} drops its plan`, dropped, undefined, ['drop plan', i]);
				if (answers(i) && !calm) {
					const a = copy();
					clear(a);
					const out = scriptTake(a, plan);
					if (out.done) {
						if (plan.target === i)
							adopt(
								a,
								i,
								sessions.map((s) => (s === plan.s ? a[EPOCH + s] : NONE)),
								sessions.map(() => NONE),
							); // the answer says so
						emit(
							`${name(i)}'s plan is carried out: ${plan.free ? 'free session' : 'takeover'}${label(plan.s)} → ${name(plan.target)}`,
							a,
							out.wrong,
							['apply', i, true],
						);
					} else emit(`${name(i)}'s plan is refused`, a, undefined, ['apply', i, false]);
				}
			}
			// -- moves
			if (moves && state === RUNNING && answers(i) && !calm && st[OLD + i] === 0)
				for (const s of sessions) {
					const owner = st[OWNER + s];
					if (
						st[PHASE + s] === 0 &&
						owner === i &&
						st[EPOCH + s] === st[TOP + s] &&
						st[EPOCH + s] === st[HELD + i * S + s] &&
						st[LETGO + i * S + s] === NONE
					)
						for (const target of nodes) {
							if (target === i || st[DEADLINE + target] <= 0) continue;
							const a = copy();
							looksFirst(a);
							if (a[QUIET] > 0 || refusesIdentity(a, a[NODEGEN + i])) continue;
							a[PHASE + s] = 1;
							a[TARGET + s] = target;
							a[VERSION]++;
							emit(`a move${label(s)} ${name(i)} → ${name(target)} is planned`, a, undefined, ['move', i, s, target]);
						}
					if (st[PHASE + s] === 1 && st[TARGET + s] === i && !refusesIdentity(st, st[NODEGEN + i])) {
						const a = copy();
						looksFirst(a);
						a[PHASE + s] = 2;
						a[VERSION]++;
						emit(`${name(i)} is prepared${label(s)}`, a, undefined, ['prepared', i, s]);
					}
					if (st[PHASE + s] === 2 && owner === i && acts(st, i, s) && st[HELD + i * S + s] === st[EPOCH + s]) {
						const args = { by: i, s, epoch: st[HELD + i * S + s], gen: st[NODEGEN + i] };
						const a = copy();
						const out = scriptSwitch(a, args);
						if (out.done) {
							drop(a, i, s);
							emit(`${name(i)} closes with 4200 and hands${label(s)} over`, a, out.wrong, ['hand over', i, s, 'answered']);
						}
						if (st[BUDGET] > 0 && may.has('late') && !st[LATE]) {
							const b = copy();
							b[BUDGET]--;
							b[HOLD + i * S + s] = 1;
							b[SOCKET + i * S + s] = 0;
							b[LATE] = SWITCH;
							b[LNODE] = i;
							b[LAGE] = 0;
							b[LSESSION] = s;
							b[LEPOCH + s] = args.epoch;
							b[LGEN] = args.gen;
							emit(`${name(i)} closes with 4200; its hand-over script${label(s)} is held back`, b, undefined, [
								'hand over',
								i,
								s,
								'request held',
							]);
							const c = copy();
							c[BUDGET]--;
							c[HOLD + i * S + s] = 1;
							c[SOCKET + i * S + s] = 0;
							if (scriptSwitch(c, args).done)
								emit(`${name(i)} closes with 4200 and hands${label(s)} over; the answer is lost`, c, undefined, [
									'hand over',
									i,
									s,
									'answer lost',
								]);
						}
					}
				}
			if (state === RUNNING && rules.takeback === 'blind')
				for (const s of sessions)
					if (st[HOLD + i * S + s] === 1) {
						const a = copy();
						a[HOLD + i * S + s] = 0;
						emit(`${name(i)} has no answer to its hand-over and takes${label(s)} back`, a);
					}
			// -- a manager was killed: each gateway process notices on its own, stops, and releases
			if (state === ORPHANED)
				for (const s of sessions)
					if (st[HELD + i * S + s] !== NONE) {
						if (calm) urgent = true;
						const a = copy();
						const epoch = st[HELD + i * S + s];
						drop(a, i, s);
						if (answers(i)) {
							looksFirst(a);
							if (refusesIdentity(a, st[NODEGEN + i])) {
								/* nothing written */
							} else if (rules.release === 'node') a[DEADLINE + i] = 0;
							else if (a[OWNER + s] === i && a[EPOCH + s] === epoch && a[QUIET] === 0) {
								a[OWNER + s] = -1;
								a[PHASE + s] = 0;
								a[VERSION]++;
							}
						}
						emit(
							`${name(i)}'s gateway process${label(s)} notices that its manager is gone, stops and releases ${rules.release === 'node' ? "the node's lease" : 'its session'}`,
							a,
							undefined,
							['release', i, s, answers(i)],
						);
					}
			// -- fenced writes
			if (writes && runs(st, i))
				for (const s of sessions)
					if (acts(st, i, s)) {
						const args = { by: i, s, epoch: st[HELD + i * S + s], gen: st[NODEGEN + i] };
						if (answers(i)) {
							const a = copy();
							const out = scriptWrite(a, args);
							emit(`${name(i)} writes`, a, out.wrong, ['write', i, s, out.done]);
						}
						if (may.has('late') && st[BUDGET] > 0 && !st[LATE]) {
							const b = copy();
							b[BUDGET]--;
							b[LATE] = WRITE;
							b[LNODE] = i;
							b[LAGE] = 0;
							b[LSESSION] = s;
							b[LEPOCH + s] = args.epoch;
							b[LGEN] = args.gen;
							emit(`${name(i)} sends a write that is held back`, b, undefined, ['write', i, s, 'held']);
						}
					}
			// -- Discord
			if (discord && runs(st, i))
				for (const s of sessions) {
					const slot = i * S + s;
					const resume = () => {
						const a = copy();
						a[SOCKET + slot] = 1;
						if (closes) for (const j of nodes) if (j !== i && a[SOCKET + j * S + s] === 1) a[SOCKET + j * S + s] = 2;
						emit(
							`${name(i)} RESUMEs${label(s)}`,
							a,
							st[HELD + slot] < st[TOP + s] ? `I4: ${name(i)} RESUMEs a session that was taken over` : undefined,
						);
					};
					if (acts(st, i, s) && st[SOCKET + slot] !== 1 && st[SOCKET + slot] !== 2) {
						urgent = true;
						resume();
					} else if (st[SOCKET + slot] === 3 && rules.reconnect === 'blind' && st[HELD + slot] !== NONE) resume();
					if (st[SOCKET + slot] === 2) {
						const a = copy();
						a[SOCKET + slot] = 3;
						emit(`Discord closes ${name(i)}'s socket${label(s)}`, a);
						if (calm) urgent = true;
					}
				}
			// -- coming back
			if (state === PAUSED || state === FROZEN || state === STILL) {
				const a = copy();
				a[ALIVE + i] = RUNNING;
				if (state === FROZEN && rules.doubt) a[VALID + i] = 0;
				if (calm) urgent = true;
				emit(`${name(i)} runs again`, a, undefined, ['run again', i]);
			}
			if (st[LINK + i] !== 0) {
				const a = copy();
				a[LINK + i] = 0;
				if (a[SENT + i] === 2) a[SENT + i] = 0;
				if (calm) urgent = true;
				emit(`${name(i)}'s link is whole again`, a, undefined, ['link whole', i]);
			}
			if (st[OLD + i] > 0 && calm) {
				urgent = true;
				const a = copy();
				a[OLD + i] = 0;
				emit(`${name(i)} finds the new master`, a);
			} else if (st[OLD + i] > 0) {
				const a = copy();
				a[OLD + i] = 0;
				emit(`${name(i)} finds the new master`, a);
			}
			if (state === UNBORN && st[ALIVE + sameNameOf] !== RUNNING && !calm) {
				const a = copy();
				a[ALIVE + i] = RUNNING;
				if (rules.sameName === 'name' && answers(i))
					for (const s of sessions)
						if (a[OWNER + s] === sameNameOf) {
							const wrong = mint(a, s);
							a[OWNER + s] = i;
							a[VERSION]++;
							emit(`${name(i)} starts under the name of ${name(sameNameOf)} and inherits its sessions`, a, wrong);
						}
				if (rules.sameName === 'wait') emit(`${name(i)} starts under the name of ${name(sameNameOf)}`, a);
			}
		}

		// -- the held-back message
		if (st[LATE]) {
			const clear = (a) => {
				for (let k = LATE; k < LEPOCH + S; k++) a[k] = 0;
				for (const s of sessions) a[LEPOCH + s] = a[LHELD + s] = NONE;
			};
			const lost = copy();
			clear(lost);
			if (calm) urgent = true;
			emit('the held-back message is lost', lost, undefined, ['late lost']);
			const i = st[LNODE];
			if (st[LATE] === RENEW_ANSWER) {
				if (st[ALIVE + i] === RUNNING && (rules.answers === 'any' || !st[LFREE])) {
					const a = copy();
					clear(a);
					const held = sessions.map((s) => st[LHELD + s]);
					hear(
						a,
						i,
						{ gen: st[LGEN], answer: sessions.map((s) => (st[LHOLD + s] ? 'wait' : st[LEPOCH + s])) },
						st[LAGE],
						held,
						true,
					);
					emit(`the held-back answer reaches ${name(i)}`, a, undefined, ['late answer', i]);
				}
			} else if (st[UP]) {
				const a = copy();
				clear(a);
				let wrong;
				const args = { by: i, s: st[LSESSION], epoch: st[LEPOCH + st[LSESSION]], gen: st[LGEN] };
				if (st[LATE] === RENEW_REQUEST)
					wrong = scriptRenew(
						a,
						i,
						sessions.map((s) => st[LEPOCH + s]),
						sessions.map((s) => st[LHOLD + s]),
						st[LGEN],
						Boolean(st[LVALID]),
						Boolean(st[LVERSION]),
					).wrong;
				if (st[LATE] === SWITCH) wrong = scriptSwitch(a, args).wrong;
				if (st[LATE] === WRITE) wrong = scriptWrite(a, args).wrong;
				emit(
					`the held-back ${st[LATE] === SWITCH ? 'hand-over script' : st[LATE] === WRITE ? 'write' : 'renewal'} of ${name(i)} reaches Redis`,
					a,
					wrong,
					['late request', i],
				);
			}
		}

		// -- faults of nodes, links and Redis
		if (st[BUDGET] > 0 && !calm) {
			const fault = (kind, text, change, i) => {
				const price = cost[kind] ?? 1;
				if (!may.has(kind) || st[BUDGET] < price) return;
				const a = copy();
				a[BUDGET] -= price;
				change(a);
				emit(text, a, undefined, [kind, i]);
			};
			for (const i of nodes) {
				if (runs(st, i)) {
					fault(
						'crash',
						`${name(i)} crashes`,
						(a) => {
							a[ALIVE + i] = DEAD;
							a[VALID + i] = 0;
							for (const s of sessions) {
								drop(a, i, s);
								a[LETGO + i * S + s] = NONE;
							}
							a[PLANNED + i] = 0;
						},
						i,
					);
					fault(
						'pause',
						`${name(i)} is stopped (SIGSTOP)`,
						(a) => {
							a[ALIVE + i] = PAUSED;
						},
						i,
					);
					fault(
						'freeze',
						`${name(i)}'s virtual machine is frozen, its monotonic clock too`,
						(a) => {
							a[ALIVE + i] = FROZEN;
						},
						i,
					);
					fault(
						'still',
						`${name(i)}'s virtual machine is frozen, both its clocks too`,
						(a) => {
							a[ALIVE + i] = STILL;
						},
						i,
					);
				}
				if (st[ALIVE + i] === RUNNING)
					fault(
						'killManager',
						`${name(i)}'s manager is killed`,
						(a) => {
							a[ALIVE + i] = ORPHANED;
						},
						i,
					);
				if (st[LINK + i] === 0) {
					fault(
						'cut',
						`${name(i)} is cut off from Redis`,
						(a) => {
							a[LINK + i] = 1;
						},
						i,
					);
					fault(
						'cutAnswers',
						`${name(i)} gets no answers from Redis`,
						(a) => {
							a[LINK + i] = 2;
						},
						i,
					);
				}
			}
			const wipe = (a) => {
				for (let k = DATA; k < DATA + dataSize; k++) a[k] = 0;
				for (const i of nodes) a[DEADLINE + i] = -1;
				for (const s of sessions) {
					a[OWNER + s] = -1;
					a[EPOCH + s] = NONE;
					a[TARGET + s] = -1;
				}
				a[QUIET] = 0;
			};
			if (st[UP])
				fault('outage', 'Redis is unreachable', (a) => {
					a[UP] = 0;
				});
			if (st[UP]) {
				fault('restart', 'Redis restarts with its data', (a) => {
					a[KNOWN] = 0;
					a[GEN]++;
				});
				fault('empty', 'Redis restarts empty', (a) => {
					a[KNOWN] = 0;
					a[GEN]++;
					wipe(a);
				});
				fault('flush', 'FLUSHALL', (a) => {
					a[KNOWN] = 0;
					a[GEN]++;
					wipe(a);
				});
				if (!st[SNAP])
					fault('failover', 'the replica falls behind', (a) => {
						a[SNAP] = 1;
						for (let k = 0; k < dataSize; k++) a[COPY + k] = a[DATA + k];
					});
				fault('forward', "Redis' clock steps forward", (a) => {
					for (const i of nodes) {
						if (a[DEADLINE + i] > 0) a[DEADLINE + i] = Math.max(0, a[DEADLINE + i] - jump);
					}
					if (a[SNAP])
						for (const i of nodes) {
							const copied = COPY + (DEADLINE - DATA) + i;
							if (a[copied] > 0) a[copied] = Math.max(0, a[copied] - jump);
						}
					a[QUIET] = Math.max(0, a[QUIET] - jump);
					a[GAP] = Math.min(gapLimit + 1, a[GAP] + jump);
					shiftEpochs(a, jump >= 20 ? 'forward' : jump);
				});
				fault('back', "Redis' clock steps back by an hour", (a) => {
					for (const i of nodes) if (a[DEADLINE + i] >= 0) a[DEADLINE + i] = 30;
					if (a[SNAP])
						for (const i of nodes) {
							const copied = COPY + (DEADLINE - DATA) + i;
							if (a[copied] >= 0) a[copied] = 30;
						}
					if (a[QUIET]) a[QUIET] = 30;
					a[GAP] = -9;
					shiftEpochs(a, 'back');
				});
			}
		}
		if (!st[UP]) {
			const a = copy();
			a[UP] = 1;
			for (const i of nodes) if (a[SENT + i] === 2) a[SENT + i] = 0;
			if (calm) urgent = true;
			emit('Redis is reachable again', a, undefined, ['up']);
		}
		if (st[SNAP] && !calm) {
			// the failover itself belongs to the fault "falls behind"
			const change = (a) => {
				for (let k = 0; k < dataSize; k++) {
					a[DATA + k] = st[COPY + k];
					a[COPY + k] = 0;
				}
				for (const s of sessions) a[COPY + (EPOCH - DATA) + s] = NONE;
				a[SNAP] = 0;
				a[KNOWN] = 0;
				a[GEN]++;
				a[GAP] = 0;
				a[QUIET] = 0;
				a[UP] = 1;
			};
			const a = copy();
			change(a);
			emit('failover to the replica: later writes are lost', a, undefined, ['promote']);
			if (may.has('twoMasters'))
				for (const i of nodes)
					if (
						st[ALIVE + i] === RUNNING &&
						sessions.every(
							(s) => st[HELD + i * S + s] === NONE || (st[OWNER + s] === i && st[EPOCH + s] === st[HELD + i * S + s]),
						)
					) {
						const b = copy();
						change(b);
						b[OLD + i] = Math.min(90, rules.oldMasterLag);
						emit(`failover to the replica; ${name(i)} still reaches the old master`, b);
					}
		}
		if (st[SNAP] && calm) {
			urgent = true;
			const a = copy();
			a[SNAP] = 0;
			for (let k = 0; k < dataSize; k++) a[COPY + k] = 0;
			for (const s of sessions) a[COPY + (EPOCH - DATA) + s] = NONE;
			emit('the replica catches up', a);
		}

		// -- faults stop: from here on everything must come right within `live` ticks
		if (live && !calm) {
			const a = copy();
			a[CALM] = live;
			emit('no more faults', a);
		}

		// -- time
		if (!urgent) {
			const a = copy();
			for (const i of nodes) {
				a[SENT + i] = 0;
				if (a[IDAGE + i] < Q && (runs(st, i) || st[ALIVE + i] === PAUSED)) a[IDAGE + i]++;
				if (a[VALID + i] > 0 && st[ALIVE + i] !== FROZEN && st[ALIVE + i] !== STILL) a[VALID + i]--;
				if (a[DEADLINE + i] > 0 && a[DEADLINE + i] < 20) a[DEADLINE + i]--;
				const copied = COPY + (DEADLINE - DATA) + i;
				if (a[SNAP] && a[copied] > 0 && a[copied] < 20) a[copied]--;
				if (a[OLD + i] > 0 && a[OLD + i] < 50) a[OLD + i]--;
				if (rules.observe) for (const j of nodes) if (a[SEEN + i * N + j] < V) a[SEEN + i * N + j]++;
			}
			if (a[QUIET] > 0 && a[QUIET] < 20) a[QUIET]--;
			if (a[GAP] >= 0 && a[GAP] < 9) a[GAP]++;
			if (a[GAP] > gapLimit) a[GAP] = gapLimit + 1;
			if (a[LATE] && a[LAGE] < V) a[LAGE]++;
			shiftEpochs(a, 1);
			let wrong;
			if (calm) {
				a[CALM]--;
				if (a[CALM] === 0) {
					a[CALM] = 1;
					const alive = nodes.some((i) => st[ALIVE + i] === RUNNING);
					if (alive)
						for (const s of sessions)
							if (!nodes.some((i) => acts(st, i, s)))
								wrong = `I5: nobody acts for the session ${live} ticks after the last fault${label(s)}`;
				}
			}
			emit('— tick —', a, wrong, ['tick']);
		}
	}
	/** A state by names, for the comparison with real ones. */
	const describe = (st) => ({
		known: Boolean(st[KNOWN]),
		version: st[VERSION],
		quiet: st[QUIET],
		sessions: sessions.map((s) => ({
			owner: st[OWNER + s],
			epoch: st[EPOCH + s],
			phase: st[PHASE + s],
			target: st[TARGET + s],
			unsure: Boolean(st[UNSURE + s]),
		})),
		nodes: nodes.map((i) => ({
			alive: st[ALIVE + i],
			deadline: st[DEADLINE + i],
			valid: st[VALID + i],
			identityAge: st[IDAGE + i],
			sessions: sessions.map((s) => ({ held: st[HELD + i * S + s], hold: st[HOLD + i * S + s], letGo: st[LETGO + i * S + s] })),
		})),
	});
	return { size, initial, next, broken, describe };
}

// ------------------------------------------------------------------------------------------------ the experiments
/** name, what it is about, the configuration, the rule as written (or its obvious misreading), the smallest change. */
const written = (rules) => ({ observe: false, quietBy: 'redis', ...rules });
export const experiments = [
	[
		'receipt',
		'a renewal counts from its answer, not from its sending',
		{ faults: ['late', 'cut'], budget: 2 },
		written({ countFrom: 'receipt' }),
		written({}),
	],
	[
		'no-quiet',
		'failover that loses renewals, without a quiet period',
		{ faults: ['failover'], budget: 1 },
		written({ quiet: false }),
		written({}),
	],
	[
		'first-script',
		'only the renewal looks at the engine; the take-over script arrives first',
		{ faults: ['failover', 'restart'], budget: 1 },
		written({ identity: 'renewal', claims: 'open' }),
		written({ identity: 'all', claims: 'open' }),
	],
	[
		'quiet-free',
		'empty restart or FLUSHALL: sessions without an owner given away in the quiet period',
		{ faults: ['empty', 'flush', 'cut'], budget: 2 },
		written({ quietCovers: 'takeover' }),
		written({}),
	],
	[
		'unmute',
		'the renewal answers the version only; unmuted before the table is read',
		{ faults: ['cut', 'pause'], budget: 1 },
		written({ confirms: false }),
		written({}),
	],
	[
		'claim-zombie',
		'empty restart or lost take-over: an old owner announces itself before the new one',
		{ faults: ['cut', 'pause', 'empty', 'failover'], budget: 3 },
		written({ claims: 'open' }),
		written({}),
	],
	[
		'stale-plan',
		'a plan made before a failover meets the same version after it',
		{ faults: ['killManager', 'empty'], budget: 2, nodes: 3 },
		written({ identity: 'all' }),
		written({}),
	],
	[
		'late-grant',
		'a delayed renewal answer gives back what was just handed over',
		{ faults: ['late'], budget: 1, moves: true },
		written({ monotone: false }),
		written({}),
	],
	[
		'late-answer',
		'an answer from before a failover lifts the wait after it',
		{ faults: ['cut', 'late', 'failover'], budget: 3 },
		written({ answers: 'any' }),
		written({}),
	],
	[
		'overtaken-answer',
		'an old answer with a grant arrives after the session was taken over again',
		{ faults: ['late', 'pause'], budget: 2, moves: true },
		written({ answers: 'any' }),
		written({}),
	],
	[
		'takeback-blind',
		'no answer to the hand-over: the owner goes on',
		{ faults: ['late'], budget: 1, moves: true },
		written({ takeback: 'blind' }),
		written({}),
	],
	[
		'takeback-asks',
		'no answer to the hand-over: the owner asks, goes on, and then the script arrives',
		{ faults: ['late'], budget: 1, moves: true },
		written({ takeback: 'confirm' }),
		written({}),
	],
	[
		'node-release',
		"a gateway process without a manager releases the node's lease; another of that node runs on",
		{ faults: ['killManager'], budget: 1, sessions: 2 },
		written({ release: 'node' }),
		written({}),
	],
	[
		'same-name',
		'a second incarnation inherits by name',
		{ faults: ['pause', 'crash', 'cut'], budget: 2, nodes: 3, sameNameOf: 0 },
		written({ sameName: 'name' }),
		written({}),
	],
	[
		'ping-pong',
		'RESUME after every close, as libraries do',
		{ faults: ['cut', 'pause'], budget: 1, discord: true },
		written({ reconnect: 'blind' }),
		written({}),
	],
	[
		'clock-forward',
		"Redis' clock steps forward by T/2, below the limit that is noticed",
		{ faults: ['forward', 'cut'], budget: 3, cost: { forward: 2 }, T: 6, V: 4, Q: 7, jump: 3 },
		written({ gapLimit: 3 }),
		written({ gapLimit: 3, observe: true }),
	],
	[
		'clock-forward-limit',
		'the same, smallest change: the limit is T − V',
		{ faults: ['forward', 'cut'], budget: 3, cost: { forward: 2 }, T: 6, V: 4, Q: 7, jump: 3 },
		written({ gapLimit: 3 }),
		written({ gapLimit: 2 }),
	],
	[
		'clock-forward-twice',
		'two steps of T − V each: the limit does not help, observing does',
		{ faults: ['forward', 'cut'], budget: 3, T: 6, V: 4, Q: 7, jump: 2 },
		written({ gapLimit: 2 }),
		written({ gapLimit: 2, observe: true }),
	],
	[
		'quiet-clock',
		"a step of Redis' clock, too small to be noticed, shortens the quiet period while the owner still reaches the old master",
		{ faults: ['failover', 'twoMasters', 'forward'], budget: 2 },
		written({ observe: true }),
		written({ observe: true, quietBy: 'caller' }),
	],
	[
		'clock-back',
		"Redis' clock steps back an hour, then the owner dies",
		{ faults: ['back', 'crash'], budget: 2, live: 14 },
		written({ clamp: false }),
		written({}),
	],
	[
		'two-masters',
		'the owner still reaches a master that was replaced, which never stops to accept writes',
		{ faults: ['failover', 'twoMasters'], budget: 1 },
		written({ oldMasterLag: 90 }),
		written({}),
	],
	[
		'two-masters-lag',
		'the replaced master accepts writes for longer than Q − V',
		{ faults: ['failover', 'twoMasters'], budget: 1 },
		written({ oldMasterLag: 4 }),
		written({}),
	],
	[
		'counter',
		'epochs are counters; a failover loses one',
		{ faults: ['failover', 'cut', 'crash'], budget: 3 },
		written({ epochs: 'counter' }),
		written({}),
	],
	[
		'epoch-clock',
		'epochs of time; a failover loses one, its holder dies, and the clock stepped back',
		{ faults: ['failover', 'cut', 'crash', 'back'], budget: 4, T: 2, V: 1, Q: 3 },
		written({}),
		undefined,
	],
	[
		'epoch-leap',
		'tried: a large step for the first epoch after an identity change',
		{ faults: ['failover', 'crash'], budget: 4, T: 2, V: 1, Q: 3 },
		written({ leap: true }),
		written({}),
	],
	[
		'epoch-harmless',
		'the faults of epoch-clock, I3 not judged: is a repeated number dangerous? (identity looked at but not carried; carried)',
		{ faults: ['failover', 'cut', 'crash', 'back'], budget: 4, T: 2, V: 1, Q: 3, judgeEpochs: false },
		written({ identity: 'renewal', claims: 'open' }),
		written({}),
	],
	[
		'late-write',
		'a write sent before a failover arrives after it and meets a stale epoch',
		{ faults: ['failover', 'cut', 'late'], budget: 3, writes: true },
		written({ identity: 'all' }),
		written({}),
	],
	[
		'outage-gap',
		'T no longer than renewal interval + an outage that the taker does not notice + retry (3 intervals): not a rule, a figure',
		{ faults: ['outage'], budget: 1, noTakeover: true },
		written({}),
		undefined,
	],
	[
		'outage-flaps',
		'two short outages with one renewal of one node between them',
		{ faults: ['outage'], budget: 2, noTakeover: true, T: 6, V: 4, Q: 7 },
		written({ gapLimit: 3 }),
		written({ gapLimit: 3, observe: true }),
	],
	[
		'frozen-vm',
		"a node's virtual machine stands still and its monotonic clock with it (the same trace: the lease is checked by a timer only)",
		{ faults: ['freeze'], budget: 1 },
		written({ doubt: false }),
		written({}),
	],
	[
		'frozen-clocks',
		'the same, and the wall clock stands still too: no rule of a node can see it',
		{ faults: ['still'], budget: 1 },
		{},
		undefined,
	],
];
/** The whole corrected set under many faults at once. */
const everything = ['crash', 'pause', 'cut', 'cutAnswers', 'late', 'restart', 'empty', 'failover', 'outage', 'killManager'];
export const proofs = [
	['all-2', 'every fault, 2 nodes, two at a time', { faults: [...everything, 'twoMasters', 'forward', 'back'], budget: 2 }],
	['three-a', 'three faults: crash, cut, failover that loses writes', { faults: ['crash', 'cut', 'failover'], budget: 3 }],
	['three-b', 'three faults: pause, cut, empty restart', { faults: ['pause', 'cut', 'empty'], budget: 3 }],
	['three-c', 'three faults: cut, failover, messages held back', { faults: ['cut', 'failover', 'late'], budget: 3 }],
	['moves-a', 'moves; messages held back, crash, pause', { faults: ['crash', 'pause', 'late'], budget: 2, moves: true }],
	[
		'moves-b',
		'moves; failover that loses writes, messages held back (without observing: more takeovers)',
		{ faults: ['failover', 'late'], budget: 2, moves: true, rules: { observe: false } },
	],
	['nodes-3', '3 nodes that plan for each other: crash, cut', { faults: ['crash', 'cut'], budget: 2, nodes: 3, reassign: true }],
	[
		'nodes-3-empty',
		'3 nodes that plan for themselves: pause, empty restart (without observing)',
		{ faults: ['pause', 'empty'], budget: 2, nodes: 3, rules: { observe: false } },
	],
	[
		'nodes-3-own',
		'3 nodes that plan for themselves: cut, failover (without observing)',
		{ faults: ['cut', 'failover'], budget: 2, nodes: 3, rules: { observe: false } },
	],
	[
		'sessions-2',
		'2 sessions, two faults',
		{ faults: ['crash', 'cut', 'failover', 'empty', 'killManager'], budget: 2, sessions: 2 },
	],
	[
		'discord',
		'sockets and fenced writes, two faults',
		{ faults: ['crash', 'pause', 'cut', 'failover', 'empty'], budget: 2, discord: true, writes: true },
	],
	['writes-late', 'fenced writes held back, two faults', { faults: ['cut', 'failover', 'late'], budget: 2, writes: true }],
	[
		'discord-open',
		'Discord does not close the older socket',
		{ faults: ['crash', 'pause', 'cut', 'failover', 'empty'], budget: 2, discord: true, closes: false, writes: true },
	],
	[
		'same-name-two',
		'a restart under the same name, two faults',
		{ faults: ['crash', 'pause', 'cut', 'failover'], budget: 2, nodes: 3, sameNameOf: 0 },
	],
	[
		'outage',
		'I6: Redis unreachable for any time, restarted with data or empty, failed over: nothing is given away',
		{ faults: ['outage', 'restart', 'empty', 'flush', 'failover'], budget: 2, noTakeover: true, T: 4, V: 3, Q: 5 },
	],
	[
		'outage-3',
		'I6 with 3 nodes: unreachable, restarted',
		{ faults: ['outage', 'restart'], budget: 2, nodes: 3, noTakeover: true, T: 4, V: 3, Q: 5 },
	],
	[
		'live',
		'I5: within Q + T + V + 4 ticks after two faults every session is held again',
		{ faults: [...everything, 'back', 'forward'], budget: 2, live: 13 },
	],
	['live-moves', 'I5 with moves', { faults: ['crash', 'late'], budget: 2, moves: true, live: 13 }],
];

function report(name, config, rules, trace) {
	const out = explore(ownershipModel({ ...config, rules: { ...config.rules, ...rules } }));
	const verdict = out.violation ? out.violation.wrong : out.complete ? 'holds' : 'no violation found, NOT complete';
	console.log(
		`${name.padEnd(24)} ${String(out.states).padStart(8)} states  depth ${String(out.depth).padStart(3)}  ${(out.ms / 1000).toFixed(1).padStart(5)} s  ${verdict}`,
	);
	if (trace && out.violation) for (const line of out.violation.trace) console.log(`      ${line}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const wanted = process.argv[2]?.startsWith('--') ? undefined : process.argv[2];
	const trace = process.argv.includes('--trace');
	for (const [name, about, config, before, after] of experiments)
		if (!wanted || wanted === name || wanted === 'experiments') {
			console.log(`# ${name}: ${about}`);
			report('  as written', config, before, trace);
			if (after) report('  smallest change', config, after, trace);
		}
	for (const [name, about, config] of proofs)
		if (!wanted || wanted === name || wanted === 'proofs') {
			console.log(`# ${name}: ${about}`);
			report('  corrected', config, {}, trace);
		}
}
