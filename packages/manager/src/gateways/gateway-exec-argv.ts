// Node's flags for a gateway process, measured for even delays (test/bench, scenario "gateway").

export const gatewayExecArgv: readonly string[] = [
	// Events live until their worker has acknowledged them. In a young generation of the usual 16 MiB, more of them are copied.
	'--max-semi-space-size=32',
	// Buffers count towards the size at which the whole heap is collected, which is 8 MiB above the size of a small heap: about as much
	// as sockets read between two small collections. After a flood, each of those was followed by a full collection of 10 to 20 ms.
	// The initial size of the old generation is the minimum of that limit; little of it is used.
	'--initial-old-space-size=128',
	// A flood teaches V8 that events live long, so it allocates what refers to them in the old generation, where it keeps them alive
	// until the next full collection: two processes of five had a p99 of 11 to 20 ms from then on, and none of five with this flag.
	'--no-allocation-site-pretenuring',
];
