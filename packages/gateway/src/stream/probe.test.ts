import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import type { StreamConsumer } from './consumer.js';
import { Probe } from './probe.js';

function asked(): StreamConsumer & { times: number; refuses: boolean } {
	const consumer = {
		times: 0,
		refuses: false,
		accepting: true,
		wants: () => true,
		deliver: () => {},
		probe: () => {
			if (consumer.refuses) return false;
			consumer.times++;
			return true;
		},
	};
	return consumer;
}

function setup() {
	const clock = fakeClock();
	const [worker, standby] = [asked(), asked()];
	const present = { worker: true, standby: false, needed: true };
	const probe = new Probe({
		clock,
		worker: () => (present.worker ? worker : null),
		standby: () => (present.standby ? standby : null),
		isNeeded: () => present.needed,
	});
	onTestFinished(() => probe.stop());
	return { clock, worker, standby, present, probe };
}

it('requests a heartbeat after 256 events, counted from the last request', () => {
	const { probe, worker } = setup();
	const send = (events: number, delivered = true) => {
		for (let n = 0; n < events; n++) probe.noteSent({ delivered, mustConfirm: false });
	};
	send(255);
	send(1000, false);
	expect(worker.times).toBe(0);
	worker.refuses = true;
	send(1);
	worker.refuses = false;
	send(1);
	expect(worker.times).toBe(1);
	send(255);
	expect(worker.times).toBe(1);
	send(1);
	expect(worker.times).toBe(2);
});

it('requests one at once for an event that must be confirmed before the next', () => {
	const { probe, worker } = setup();
	probe.noteSent({ delivered: true, mustConfirm: true });
	expect(worker.times).toBe(1);
});

it('repeats the request while something is unconfirmed, and stops when everything is confirmed', async () => {
	const { clock, probe, worker, present } = setup();
	probe.arm();
	probe.arm();
	await clock.advance(400);
	expect(worker.times).toBe(10);
	present.needed = false;
	await clock.advance(400);
	expect(worker.times).toBe(10);
	probe.arm();
	await clock.advance(400);
	expect(worker.times).toBe(10);
});

it('also asks a standby while it has something to confirm', async () => {
	const { clock, probe, standby, present } = setup();
	Object.assign(present, { needed: false, standby: true, worker: false });
	probe.arm();
	await clock.advance(80);
	expect(standby.times).toBe(2);
	present.standby = false;
	await clock.advance(400);
	expect(standby.times).toBe(2);
});
