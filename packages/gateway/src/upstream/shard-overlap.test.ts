import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Dispatch } from '../state/raw.js';
import { hearOutMs, isShared, overlapLimit, ShardOverlap, staleAfterMs } from './shard-overlap.js';

const event = (guild: number | null, content: string): Dispatch => ({
	t: 'MESSAGE_CREATE',
	d: { ...(guild !== null && { guild_id: String(guild) }), id: content },
});

/** One event on its way to both sessions. */
interface Step {
	session: 'present' | 'new';
	guild: number;
	index: number;
}

/**
 * The guilds' events as both sessions send them, interleaved at random with each session's order within a guild. The new one begins
 * somewhere in each guild; the present one is heard out up to there, and at `cut` it ends.
 */
const scenarios = fc
	.record({
		lengths: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 3 }),
		begins: fc.array(fc.nat({ max: 8 }), { minLength: 3, maxLength: 3 }),
		ends: fc.array(fc.nat({ max: 8 }), { minLength: 3, maxLength: 3 }),
		choices: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
		/** How many steps of the new session follow the cut. */
		cut: fc.nat({ max: 24 }),
	})
	.map(({ lengths, begins, ends, choices, cut }) => {
		const queues: Step[][] = [];
		for (const [guild, length] of lengths.entries()) {
			const begin = Math.min(begins[guild] as number, length);
			const end = Math.min(length, Math.max(begin, ends[guild] as number));
			queues.push(Array.from({ length: end }, (_, index) => ({ session: 'present', guild, index })));
			queues.push(Array.from({ length: length - begin }, (_, at) => ({ session: 'new', guild, index: begin + at })));
		}
		const steps: Step[] = [];
		for (let turn = 0; queues.some((queue) => queue.length > 0); turn++) {
			const open = queues.filter((queue) => queue.length > 0);
			steps.push((open[(choices[turn % choices.length] as number) % open.length] as Step[]).shift() as Step);
		}
		return { lengths, steps, cut };
	});

it('delivers every event of every guild once, in order, whatever the interleaving', () => {
	fc.assert(
		fc.property(scenarios, ({ lengths, steps, cut }) => {
			const overlap = new ShardOverlap();
			const heard = lengths.map((): number[] => []);
			const deliver = ({ guild, index }: Pick<Step, 'guild' | 'index'>) => void heard[guild]?.push(index);
			const of = ({ guild, index }: Step) => event(guild, `${guild}-${index}`);
			// What the new session sends last follows the cut.
			const late: Step[] = [];
			const kept = [...steps];
			for (let count = 0; count < cut; count++) {
				const at = kept.findLastIndex(({ session }) => session === 'new');
				if (at >= 0) late.unshift(...kept.splice(at, 1));
			}
			let seq = 0;
			for (const step of kept) {
				if (step.session === 'present') {
					overlap.present(of(step), 0);
					deliver(step);
				} else overlap.gather(of(step), ++seq, 0);
			}
			for (const { dispatch } of overlap.gathered) {
				const [guild, index] = (dispatch.d as { id: string }).id.split('-').map(Number) as [number, number];
				deliver({ guild, index });
			}
			for (const step of late) if (!overlap.wasDelivered(of(step), 0)) deliver(step);
			expect(heard).toEqual(lengths.map((length) => Array.from({ length }, (_, index) => index)));
		}),
		{ numRuns: 500 },
	);
});

it('counts equal events one by one', () => {
	const overlap = new ShardOverlap();
	const reaction: Dispatch = { t: 'MESSAGE_REACTION_ADD', d: { guild_id: '1', user_id: '2', message_id: '3' } };
	overlap.present(reaction, 0);
	expect(overlap.gather(reaction, 1, 0)).toBe(true);
	expect(overlap.gather(reaction, 2, 0)).toBe(false);
	expect(overlap.gathered.map(({ seq }) => seq)).toEqual([2]);
});

it('forgets what the present session delivered before the new one began', () => {
	const overlap = new ShardOverlap();
	overlap.present(event(1, 'a'), 0);
	overlap.present(event(1, 'b'), 0);
	// The new session's first event: what was before it in the guild never comes.
	expect(overlap.gather(event(1, 'b'), 1, 0)).toBe(true);
	expect(overlap.awaitsRepeats(0)).toBe(false);
	overlap.present(event(2, 'c'), 0);
	expect([overlap.awaitsRepeats(staleAfterMs - 1), overlap.awaitsRepeats(staleAfterMs)]).toEqual([true, false]);
	expect(overlap.wasDelivered(event(2, 'c'), staleAfterMs)).toBe(false);
});

it('knows which events behind the first that is left were delivered', () => {
	const overlap = new ShardOverlap();
	overlap.gather(event(1, 'a'), 1, 0);
	overlap.gather(event(2, 'b'), 2, 0);
	overlap.gather(event(2, 'c'), 3, 0);
	overlap.present(event(2, 'b'), 0);
	expect(overlap.repeatedBehindFirst).toEqual([2]);
	overlap.present(event(1, 'a'), 0);
	expect(overlap.repeatedBehindFirst).toEqual([]);
	expect(overlap.gathered.map(({ seq }) => seq)).toEqual([3]);
});

it('leaves the answers to requests of a session to it', () => {
	const overlap = new ShardOverlap();
	const chunk: Dispatch = { t: 'GUILD_MEMBERS_CHUNK', d: { guild_id: '1' } };
	overlap.present(chunk, 0);
	expect([isShared(chunk), overlap.awaitsRepeats(0), overlap.gather(chunk, 1, 0)]).toEqual([false, false, true]);
});

it('is over when the sessions have too little in common', () => {
	const overlap = new ShardOverlap();
	for (let seq = 1; seq <= overlapLimit.events; seq++) overlap.gather(event(1, String(seq)), seq, 0);
	expect(overlap.isOver).toBe(false);
	overlap.gather(event(1, 'one more'), overlapLimit.events + 1, 0);
	expect(overlap.isOver).toBe(true);
});

it('is over when what the present session has delivered, and the new one has not sent, takes too many bytes', () => {
	const overlap = new ShardOverlap();
	const large = (id: number): Dispatch => ({
		t: 'GUILD_UPDATE',
		d: { id: '1', name: String(id).repeat(overlapLimit.bytes / 4) },
	});
	for (const id of [1, 2, 3, 4]) overlap.present(large(id), 0);
	expect(overlap.isOver).toBe(true);
	expect(overlap.gather(large(2), 1, 0)).toBe(true);
	expect(overlap.isOver).toBe(false);
	overlap.present(large(5), staleAfterMs);
	expect([overlap.isOver, overlap.deliveredBytes < overlapLimit.bytes / 2]).toEqual([false, true]);
	overlap.restart(staleAfterMs);
	expect(overlap.deliveredBytes).toBe(0);
});

it('leaves out what the state of a present session contains that has begun again, and keeps what is newer', () => {
	const overlap = new ShardOverlap();
	overlap.gather(event(1, 'lost with the session'), 1, 0);
	overlap.restart(100);
	expect(overlap.settlesInMs(100)).toBe(staleAfterMs + hearOutMs);
	// The new session is behind: it sends what happened before the present one began again.
	overlap.gather(event(1, 'lost with the session too'), 2, 800);
	overlap.present(event(1, 'later'), 900);
	overlap.gather(event(1, 'later'), 3, 1700);
	overlap.gather(event(2, 'much later'), 4, 100 + staleAfterMs);
	expect(overlap.settlesInMs(100 + staleAfterMs + hearOutMs)).toBe(0);
	overlap.settle();
	expect(overlap.gathered.map(({ seq }) => seq)).toEqual([4]);
});

it('distinguishes the edits of one message', () => {
	const overlap = new ShardOverlap();
	const edit = (second: number) => ({
		t: 'MESSAGE_UPDATE',
		d: { id: '5', guild_id: '1', edited_timestamp: `2026-05-10T12:00:0${second}+00:00`, content: String(second) },
	});
	// The new session began after the first.
	for (const second of [1, 2, 3]) overlap.present(edit(second), second);
	expect(overlap.gather(edit(2), 10, 4)).toBe(true);
	expect(overlap.awaitsRepeats(4)).toBe(true);
	expect(overlap.gather(edit(3), 11, 4)).toBe(true);
	expect([overlap.awaitsRepeats(4), overlap.gathered]).toEqual([false, []]);
	overlap.gather(edit(4), 12, 5);
	overlap.gather(edit(5), 13, 5);
	overlap.present(edit(5), 6);
	expect(overlap.gathered.map(({ seq }) => seq)).toEqual([12]);
});
