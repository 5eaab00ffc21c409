// What to do about an error of the system that means: a limit of this machine or of this process is reached. Node and the libraries pass
// such errors on without a word about it.

const remedies: readonly (readonly [RegExp, string])[] = [
	[
		/\bconnect EADDRNOTAVAIL\b/,
		'no local port is free: find what keeps so many connections open (ss -s), or widen the range (sysctl net.ipv4.ip_local_port_range)',
	],
	[/\bE[MN]FILE\b/, 'too many open files: raise the limit (ulimit -n 65536, or LimitNOFILE= in the systemd unit)'],
	[
		/\b(?:spawn|fork)\b[^\n]* EAGAIN\b|\bpthread_create\b/,
		'no further process or thread may be started: raise the limit (ulimit -u, TasksMax= in the systemd unit, pids.max of the container)',
	],
	[
		/\bWebAssembly\.\w+\(\): (?:Out of memory|could not allocate memory)|\bFailed to reserve virtual memory\b/,
		'the address space is limited, and node reserves more than it uses: remove that limit (ulimit -v unlimited, LimitAS=infinity) and limit ' +
			'memory with --max-memory, MemoryMax= or the container instead',
	],
];

/** What to do about an error with this message, as the end of a sentence; undefined where no limit is its cause. */
export function limitRemedy(message: string): string | undefined {
	return remedies.find(([pattern]) => pattern.test(message))?.[1];
}

/** Throws what node's `fetch` fails with under a limit on the address space, and then also as an uncaught exception. */
export function checkAddressSpace(): void {
	const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number }) => object } };
	new WebAssembly.Memory({ initial: 1 });
}
