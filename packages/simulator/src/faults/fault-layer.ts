// The layer between the protocol and the wire of one connection, where network faults happen: frames are lost, held back or
// late. The protocol above does not know.
import type { Clock } from '@shardctl/core';
import {
	type ConnectionLayer,
	type FrameReceiver,
	type FrameTransport,
	type GatewayConnection,
	heartbeatAckFrame,
	reconnectFrame,
} from '@shardctl/gateway-protocol';
import type { Conditions } from './conditions.js';
import { DelayLine } from './delay-line.js';

export interface FaultLayerOptions {
	clock: Clock;
	conditions: Conditions;
	/** The connection, once it is there. */
	connection: () => GatewayConnection | undefined;
}

export function faultLayer({ clock, conditions, connection }: FaultLayerOptions): ConnectionLayer {
	const outLine = new DelayLine(clock);
	const inLine = new DelayLine(clock);
	let hello = true;

	const lost = () => conditions.find('black-hole', connection()) !== undefined;
	const late = (line: DelayLine, run: () => void) => {
		const latency = conditions.find('latency', connection());
		if (latency) line.add(conditions.delayMs(latency), run);
		else if (line.empty) run();
		else line.add(0, run);
	};

	const outgoing = (wire: FrameTransport): FrameTransport => ({
		send: (frame) => {
			if (lost()) return;
			if (frame === heartbeatAckFrame && conditions.find('withhold-acks', connection())) return;
			const first = hello ? conditions.find('reconnect-on-connect', connection()) : undefined;
			hello = false;
			if (first) late(outLine, () => wire.send(reconnectFrame));
			if (!first?.instead) late(outLine, () => wire.send(frame));
		},
		close: (code, reason) => {
			if (!lost()) late(outLine, () => wire.close(code, reason));
		},
		terminate: () => {
			outLine.stop();
			wire.terminate();
		},
	});

	const incoming = (receiver: FrameReceiver): FrameReceiver => ({
		receive: (data, isBinary) => {
			if (lost()) return;
			const slow = conditions.find('slow-reads', connection());
			if (slow) inLine.addAfter(slow.everyMs, () => receiver.receive(data, isBinary));
			else late(inLine, () => receiver.receive(data, isBinary));
		},
		closed: (code) => {
			inLine.stop();
			outLine.stop();
			receiver.closed(code);
		},
	});

	return { outgoing, incoming };
}
