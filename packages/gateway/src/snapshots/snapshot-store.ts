// Where a gateway process leaves what the next one needs. An interface, so that a store that many machines share can stand in.

export interface SnapshotStore {
	/** Undefined where there is none. */
	read(name: string): Promise<Uint8Array | undefined>;
	/** Whole or not at all, also where it comes in pieces: a reader never meets a half. Rejects when it could not be done. */
	write(name: string, data: Uint8Array | readonly Uint8Array[]): Promise<void>;
	/** Puts something behind what is there. A reader may meet a part of it. */
	append(name: string, data: Uint8Array): Promise<void>;
	remove(name: string): Promise<void>;
}
