import { expect, it } from 'vitest';
import type { FleetEvent } from '../fleet/fleet-events.js';
import { eventFrame } from './event-frame.js';
import { frameWithoutOutput, withoutOutput } from './without-output.js';

const head = { seq: 7, at: 1000, workerId: 0, shardIds: [0] };
const exited = {
	...head,
	type: 'worker:exited',
	exit: { reason: 'crash', message: 'exited with code 1', pid: 5, stderrTail: ['a secret\n\ndata: of the bot'], stack: ['main'] },
} as unknown as FleetEvent;
const ready = { ...head, type: 'worker:ready' } as unknown as FleetEvent;
const frame = (event: FleetEvent) => eventFrame({ type: event.type, id: event.seq, data: event });

it('leaves out what the bot wrote before it ended, and nothing else', () => {
	expect(withoutOutput(exited)).toEqual({ ...exited, exit: { ...(exited as { exit: object }).exit, stderrTail: [] } });
	expect(withoutOutput(ready)).toBe(ready);
});

it('does the same to a frame of a stream', () => {
	expect(frameWithoutOutput(frame(exited)).equals(frame(withoutOutput(exited)))).toBe(true);
	expect(frameWithoutOutput(frame(ready)).equals(frame(ready))).toBe(true);
});
