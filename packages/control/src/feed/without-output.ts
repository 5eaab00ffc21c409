// What a client with the token for reading gets of an event. The lines that a bot wrote are logs, which need the token of the fleet.
import type { FleetEvent } from '../fleet/fleet-events.js';
import { eventFrame } from './event-frame.js';

const exited = Buffer.from('event: worker:exited\n');

export function withoutOutput(event: FleetEvent): FleetEvent {
	return event.type === 'worker:exited' ? { ...event, exit: { ...event.exit, stderrTail: [] } } : event;
}

/** The same for a frame of `eventFrame`. */
export function frameWithoutOutput(frame: Buffer): Buffer {
	if (!frame.subarray(0, exited.length).equals(exited)) return frame;
	const data = frame.subarray(frame.indexOf('data: ') + 'data: '.length).toString();
	const event = withoutOutput(JSON.parse(data) as FleetEvent);
	return eventFrame({ type: event.type, id: event.seq, data: event });
}
