// Snapshots in Redis, so that the next owner of a session finds them on any machine. A name has a version, and its content is a list of
// pieces under that version: a value of several MB in one command would keep Redis from everything else for its time. A write adds the
// pieces of a new version and then switches to it with one script (one script does both for a few pieces); an append adds to the list of
// the present one.
import { randomBytes } from 'node:crypto';
import { fencedError, isFence, ShardctlError, type SnapshotStore } from '@shardctl/core';
import { commonArguments } from '../lease/renewal-wire.js';
import type { Timings } from '../lease/timings.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisArgument, RedisCommand, RedisPort, RedisScript } from '../redis/redis-port.js';
import { type SnapshotScripts, snapshotScripts } from './snapshot-scripts.js';

/** The session that the writes belong to. A fence is then the epoch of its owner. */
export interface SnapshotGuard {
	readonly node: string;
	readonly session: number;
	readonly timings: Timings;
	/** The engine as the node knows it now. */
	identity(): string;
}

export interface RedisSnapshotStoreOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	/** What shares one fence: the session. */
	scope: string;
	/** Without it only the fence is compared, which a failover of Redis may lose. */
	guard?: SnapshotGuard;
}

const pieceBytes = 256 * 1024;
/** In one command. */
const piecesAtOnce = 4;
const piecesInAnswer = 8 * piecesAtOnce;
/** Of the owner of a session: how long one command may take. */
const mostWriteMs = 3000;

interface Position {
	version: string;
	length: number;
}

/** Content that was read and is expected to be read again. */
interface Kept extends Position {
	data: Buffer;
	/** Its last piece: content that has another one there is another. */
	last: Buffer;
}

export class RedisSnapshotStore implements SnapshotStore {
	readonly #options: RedisSnapshotStoreOptions;
	readonly #scripts: SnapshotScripts;
	readonly #index: string;
	readonly #prefix: string;
	/** What this process has written last, or has read: its next append follows that. */
	readonly #positions = new Map<string, Position>();
	readonly #kept = new Map<string, Kept>();

	constructor(options: RedisSnapshotStoreOptions) {
		this.#options = options;
		this.#scripts = snapshotScripts(options.guard !== undefined);
		this.#index = options.keys.snapshots(options.scope);
		this.#prefix = options.keys.snapshotData(options.scope);
	}

	async claim(fence: string): Promise<void> {
		await this.#run(this.#scripts.claim, fence, []);
	}

	async read(name: string, { keep = false } = {}): Promise<Uint8Array | undefined> {
		for (;;) {
			const version = await this.#version(name);
			const kept = this.#kept.get(name);
			this.#kept.delete(name);
			if (version === undefined) {
				if (!keep) this.#positions.set(name, { version: '', length: 0 });
				return undefined;
			}
			const before = kept?.version === version ? kept : undefined;
			const list = `${this.#prefix}${name}:${version}`;
			const start = before ? before.length - 1 : 0;
			const range = (from: number): RedisCommand => ['LRANGE', list, from, from + piecesInAnswer - 1];
			const present: RedisCommand = ['HGET', this.#index, `n:${name}`];
			// What is small is there after one round trip.
			const answer = await this.#options.redis.batch([range(start), ['LLEN', list], present]);
			const [first, listed, seen] = answer as [Buffer[], number, Buffer | null];
			const more: RedisCommand[] = [];
			for (let from = start + piecesInAnswer; from < listed; from += piecesInAnswer) more.push(range(from));
			const [last, ...rest] = more.length === 0 ? [seen] : (await this.#options.redis.batch([...more, present])).toReversed();
			// A switch in between took the rest away.
			if (String(last) !== version) continue;
			const pieces = [...first, ...(rest.toReversed() as Buffer[][]).flat()];
			// A failover of Redis may have lost what was read before.
			if (before && pieces[0]?.equals(before.last) !== true) continue;
			const data = Buffer.concat(before ? [before.data, ...pieces.slice(1)] : pieces);
			const end = pieces.at(-1);
			const length = start + pieces.length;
			if (keep && end) this.#kept.set(name, { version, length, data, last: end });
			// A failover may lose a part of it before the first append.
			if (!keep) this.#positions.set(name, { version, length });
			return data;
		}
	}

	async write(
		name: string,
		data: Uint8Array | readonly Uint8Array[],
		fence: string,
		onProgress: () => void = () => {},
	): Promise<void> {
		const version = randomBytes(9).toString('base64url');
		const groups = inPieces(data instanceof Uint8Array ? [data] : data);
		const first = groups.next().value as Uint8Array[];
		let length = first.length;
		let next = groups.next();
		if (next.done) await this.#run(this.#scripts.put, fence, [name, version, ...first]);
		else {
			await this.#run(this.#scripts.piece, fence, [name, version, ...first]);
			onProgress();
			for (; !next.done; next = groups.next()) {
				await this.#run(this.#scripts.piece, fence, [name, version, ...next.value]);
				onProgress();
				length += next.value.length;
			}
			await this.#run(this.#scripts.switchVersion, fence, [name, version, length]);
		}
		this.#positions.set(name, { version, length });
	}

	async append(name: string, data: Uint8Array, fence: string): Promise<void> {
		let position = this.#positions.get(name);
		if (!position) {
			position = await this.#position(name);
			this.#positions.set(name, position);
		}
		const created = randomBytes(9).toString('base64url');
		const [, version] = await this.#run(this.#scripts.append, fence, [name, position.version, position.length, data, created]);
		this.#positions.set(name, { version: version as string, length: position.length + 1 });
	}

	async remove(name: string, fence: string): Promise<void> {
		await this.#run(this.#scripts.remove, fence, [name]);
		this.#positions.set(name, { version: '', length: 0 });
	}

	async #run(script: RedisScript, fence: string, args: readonly RedisArgument[]): Promise<string[]> {
		if (!isFence(fence)) throw new ShardctlError('INTERNAL', `"${fence}" is not a fence`);
		const { redis, keys, guard } = this.#options;
		const common = guard
			? [...commonArguments(guard.identity(), guard.timings, randomBytes(8).toString('hex')), guard.node, guard.session, fence]
			: ['', '', 0, 0, 0, '', '', 0];
		const answer = (await redis.script(
			script,
			[keys.engine, keys.nodes, keys.table, keys.members, keys.records, this.#index],
			[...common, fence, this.#prefix, ...args],
			// So that what was lost is written again before the lease without it is over.
			guard && { timeoutMs: Math.min(mostWriteMs, guard.timings.leaseMs / 2) },
		)) as string[];
		switch (answer[0] ?? '') {
			case 'OK':
				return answer;
			case 'OLDER':
				throw fencedError(fence, answer[1] ?? '');
			case 'FENCED':
				throw fencedError(fence, answer[2] ?? '');
			case 'GAP':
				throw new ShardctlError(
					'SNAPSHOT_INVALID',
					`"${String(args[0])}" in Redis is not what was appended to before (${answer[2]} parts instead of ${String(args[2])}): ` +
						'a failover of Redis has lost writes; a new snapshot is needed',
				);
			case 'INCOMPLETE':
				throw new ShardctlError(
					'SNAPSHOT_INVALID',
					`Redis lost a part of "${String(args[0])}" while it was written; write it again`,
				);
			default:
				// ENGINE or UNSURE: not a replaced owner, but one that has to be confirmed first.
				throw new ShardctlError(
					'REDIS_REFUSED',
					'Redis was restarted or replaced, and has not yet confirmed who owns this session: try again after the next renewal',
					{ details: { reply: answer[0] } },
				);
		}
	}

	async #version(name: string): Promise<string | undefined> {
		const [version] = (await this.#options.redis.batch([['HGET', this.#index, `n:${name}`]])) as [Buffer | null];
		return version?.toString();
	}

	async #position(name: string): Promise<Position> {
		const version = await this.#version(name);
		if (version === undefined) return { version: '', length: 0 };
		const [length] = (await this.#options.redis.batch([['LLEN', `${this.#prefix}${name}:${version}`]])) as [number];
		return { version, length };
	}
}

/** Pieces of at most {@link pieceBytes}, a few at a time; at least one. */
function* inPieces(parts: readonly Uint8Array[]): Generator<Uint8Array[]> {
	let group: Uint8Array[] = [];
	let some = false;
	for (const part of parts) {
		for (let at = 0; at < part.length; at += pieceBytes) {
			group.push(part.subarray(at, at + pieceBytes));
			some = true;
			if (group.length < piecesAtOnce) continue;
			yield group;
			group = [];
		}
	}
	if (group.length > 0) yield group;
	if (!some) yield [new Uint8Array(0)];
}
