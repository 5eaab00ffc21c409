// The host of workers that are threads. What it consists of is loaded with the first of them, so that a fleet of processes never does.
import { isFrame } from '@shardctl/rpc';
import type { ChildHandle, ChildSpec, ProcessHost } from '@shardctl/supervisor';

export class ThreadWorkers implements ProcessHost {
	readonly #threadsPerProcess: number;
	#host: ProcessHost | undefined;

	constructor({ threadsPerProcess }: { threadsPerProcess: number }) {
		this.#threadsPerProcess = threadsPerProcess;
	}

	/** Before the first start. */
	async load(): Promise<void> {
		if (this.#host) return;
		const { createThreadHost } = await import('@shardctl/supervisor/threads');
		this.#host ??= createThreadHost({ threadsPerProcess: this.#threadsPerProcess, isPrivate: isFrame });
	}

	start(spec: ChildSpec): ChildHandle {
		return (this.#host as ProcessHost).start(spec);
	}

	claimOomKill(): boolean {
		return false;
	}
}
