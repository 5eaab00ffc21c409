// Messages that no process should send over its channel to the manager: broken envelopes, frames of no kind, and well-formed frames with
// payloads of the wrong shape, from a seeded source.

export interface HostileIpc {
	/** One whole IPC message. */
	message(epoch: number): unknown;
}

export interface HostileIpcOptions {
	/** Numbers from 0 to below 1. */
	random: () => number;
	/** The events and methods of the contract, which are used more often than unknown names. */
	events: readonly string[];
	methods: readonly string[];
}

const keys = [
	'library',
	'slotId',
	'shardId',
	'status',
	'closeCode',
	'shards',
	'rssBytes',
	'message',
	'fatal',
	'code',
	'session',
	'terms',
	'options',
	'kind',
	'source',
	'path',
	'name',
	'args',
	'port',
	'id',
	'$',
	'v',
	'__proto__',
	'constructor',
	'toString',
	'length',
];
const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'nothing', 'x'.repeat(5000)];
const tags = ['u', 'n', 'b', 'd', 'm', 's', 'y', 'r', 'l', 'e', 'o', 'undefined', '__proto__', 7, null];

export function hostileIpc({ random, events, methods }: HostileIpcOptions): HostileIpc {
	const int = (below: number) => Math.floor(random() * below);
	const one = <T>(list: readonly T[]): T => list[int(list.length)] as T;
	const leaf = () =>
		one<unknown>([
			null,
			true,
			false,
			0,
			1,
			-1,
			1.5,
			1e308,
			2 ** 53,
			'',
			'ready',
			'\u001b]0;x\u0007',
			'x'.repeat(int(3000)),
			[],
			{},
		]);
	const value = (depth = 0): unknown => {
		if (depth > 4 || random() < 0.4) return leaf();
		if (random() < 0.3) return Array.from({ length: int(5) }, () => value(depth + 1));
		// As JSON parses it: `__proto__` is a key like any other.
		const entries = Array.from(
			{ length: int(6) },
			() => `${JSON.stringify(one(keys))}:${JSON.stringify(value(depth + 1) ?? null)}`,
		);
		return JSON.parse(`{${entries.join(',')}}`);
	};
	const tagged = () => (random() < 0.3 ? { $: one(tags), v: value() } : value());
	const id = () => one<unknown>([1, 2, 3, int(1e6), -1, 0, 1.5, '1', null, Number.MAX_SAFE_INTEGER]);
	const frame = (): unknown => {
		switch (int(8)) {
			case 0:
			case 1:
			case 2:
				return [4, one(random() < 0.9 ? events : names), tagged(), one([0, 1, undefined])];
			case 3:
			case 4:
				return [0, id(), one(random() < 0.8 ? methods : names), tagged(), one([0, 1])];
			case 5:
				return [one([1, 2]), id(), tagged(), one([0, 1])];
			case 6:
				return [3, id(), tagged()];
			default:
				return one<unknown>([value(), [value(), value()], [], [99, 1], ['0', 1], null, 7]);
		}
	};
	return {
		message: (epoch) => {
			const kind = random();
			if (kind < 0.03) return ['@shardctl', one<unknown>([null, 'x', epoch + 1, -1, {}]), frame()];
			if (kind < 0.05) return ['@shardctl'];
			if (kind < 0.1) return value();
			return ['@shardctl', epoch, ...Array.from({ length: 1 + int(3) }, frame)];
		},
	};
}
