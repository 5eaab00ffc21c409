import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { LeaseWatch } from './lease-watch.js';

function setup() {
	const clock = fakeClock();
	// The clock of the machine began earlier than this process.
	const machineClock = () => clock.monotonic() + 5000;
	const watch = new LeaseWatch({ clock, doubtMs: 1000, machineClock });
	const confirm = (leftMs: number, epoch = 1) => watch.hear({ epoch, identity: 'x', untilMs: machineClock() + leftMs });
	return { clock, watch, confirm };
}

it('allows nothing before the first lease and after the end of the last', async () => {
	const { clock, watch, confirm } = setup();
	expect([watch.mayAct, watch.epoch, watch.identity]).toEqual([false, undefined, '']);
	confirm(4500, 7);
	expect([watch.mayAct, watch.epoch, watch.identity]).toEqual([true, 7, 'x']);
	await clock.advance(4499);
	expect(watch.mayAct).toBe(true);
	await clock.advance(1);
	expect(watch.mayAct).toBe(false);
	confirm(4500);
	expect(watch.mayAct).toBe(true);
});

it('lets who waits for a lease act when it is confirmed, and not when one is heard that has ended', async () => {
	const { watch, confirm } = setup();
	let acts = false;
	const waiting = watch.confirmed(new AbortController().signal).then(() => {
		acts = true;
	});
	confirm(-1);
	await Promise.resolve();
	expect(acts).toBe(false);
	confirm(10);
	await waiting;
	const abort = new AbortController();
	confirm(-1);
	const withdrawn = watch.confirmed(abort.signal);
	abort.abort(new Error('the session stops'));
	await expect(withdrawn).rejects.toThrow('the session stops');
});
