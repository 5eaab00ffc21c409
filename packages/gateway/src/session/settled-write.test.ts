import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { settledWrite } from './settled-write.js';

const unanswered = new ShardctlError('REDIS_UNAVAILABLE', 'no answer');
const full = new ShardctlError('REDIS_REFUSED', 'no memory');
const fenced = new ShardctlError('FENCED', 'another owner');

/** Each attempt has the next of these outcomes. */
function setup(...outcomes: (ShardctlError | 'written')[]) {
	return setupOf({ isUndo: false }, ...outcomes);
}

function setupOf({ isUndo }: { isUndo: boolean }, ...outcomes: (ShardctlError | 'written')[]) {
	const clock = fakeClock();
	const world = { attempts: 0, isOver: false, isUnknown: false, state: 'waits' };
	const write = async () => {
		const outcome = outcomes[world.attempts++];
		if (outcome !== 'written') throw outcome;
	};
	const done = settledWrite(write, {
		clock,
		isUndo,
		isOver: () => world.isOver,
		onUnknown: () => {
			world.isUnknown = true;
		},
	});
	done.then(
		() => {
			world.state = 'written';
		},
		({ code }) => {
			world.state = code;
		},
	);
	return { world, advance: () => clock.advance(200) };
}

it('is repeated until it is confirmed, also where a later attempt is refused: an earlier one may have been made', async () => {
	const { world, advance } = setup(unanswered, fenced, unanswered, 'written');
	for (const attempts of [1, 2, 3]) {
		await advance();
		expect(world).toMatchObject({ attempts: attempts + 1 });
	}
	expect(world).toMatchObject({ state: 'written', isUnknown: false });
});

it('ends at once where the first attempt is refused', async () => {
	const { world, advance } = setup(fenced);
	await advance();
	expect(world).toMatchObject({ attempts: 1, state: 'FENCED', isUnknown: false });
});

it('ends without an outcome where the process will not act any more', async () => {
	const { world, advance } = setup(unanswered, unanswered, unanswered);
	await advance();
	expect(world.state).toBe('waits');
	world.isOver = true;
	await advance();
	expect(world).toMatchObject({ state: 'REDIS_UNAVAILABLE', isUnknown: true });
});

it('repeats an undo that is refused, because what it takes back was written', async () => {
	const { world, advance } = setupOf({ isUndo: true }, full, full, 'written');
	await advance();
	expect(world.state).toBe('waits');
	await advance();
	expect(world).toMatchObject({ attempts: 3, state: 'written', isUnknown: false });
});

it('ends an undo at once where another owner has the store', async () => {
	const { world, advance } = setupOf({ isUndo: true }, fenced);
	await advance();
	expect(world).toMatchObject({ attempts: 1, state: 'FENCED', isUnknown: false });
});
