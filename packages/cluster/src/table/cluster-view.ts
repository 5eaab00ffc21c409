// The cluster as it was at one moment, read in one step: what planners plan from and commands show.
import { pairs } from '../lease/renewal-wire.js';

export type SessionPhase = 'held' | 'moving' | 'prepared';

export interface SessionRow {
	readonly session: number;
	/** A node; undefined while no node owns it. */
	readonly owner: string | undefined;
	readonly epoch: number;
	readonly phase: SessionPhase;
	/** Where a move leads. */
	readonly target: string | undefined;
	/** The engine that runs now has not confirmed the owner. */
	readonly unsure: boolean;
}

/** What a node says about itself. */
export interface Member {
	readonly name: string;
	/** Of shardctl. */
	readonly version: string;
	readonly pid: number;
	/** Epoch ms. */
	readonly startedAt: number;
	/** Sessions at most. */
	readonly capacity: number;
	/** Receives no sessions, and gives away those that it has. */
	readonly draining: boolean;
	/** May decide that the cluster is resharded. */
	readonly autoReshard?: boolean;
	/** Its manager is gone. It gives nothing away; its other processes release what they have. */
	readonly abandoned?: boolean;
	/** False when it could not reach Discord for a while. */
	readonly reachesDiscord: boolean;
}

export interface NodeRow {
	readonly node: string;
	/** Undefined after Redis lost it, until the node registers again. */
	readonly member: Member | undefined;
	/** Until the lease ends, by Redis' clock; below 0 when it has ended. */
	readonly leaseMs: number;
	readonly renewals: number;
}

export interface ClusterView {
	readonly identity: string;
	readonly version: number;
	readonly quietMs: number;
	readonly layout: string | undefined;
	/** The resharding that runs, or the last one, as the manager has written it. */
	readonly reshard: string | undefined;
	readonly nodes: readonly NodeRow[];
	/** Those that the table has; all others have no owner. */
	readonly sessions: readonly SessionRow[];
	/** Session → what its next owner needs. */
	readonly records: ReadonlyMap<number, string>;
}

/** @internal From the answer of the script `read`. */
export function clusterView(answer: unknown): ClusterView {
	const [time, identity, quiet, nodes, table, members, records] = answer as [
		string,
		string,
		string,
		string[],
		string[],
		string[],
		string[],
	];
	const now = Number(time);
	const facts = new Map(pairs(nodes));
	const fields = new Map(pairs(table));
	const registered = new Map(pairs(members).map(([node, json]) => [node, JSON.parse(json) as Member]));
	const names = new Set([...registered.keys(), ...[...facts.keys()].map((field) => field.slice(2))]);
	return {
		identity,
		version: Number(fields.get('version') ?? 0),
		quietMs: Math.max(0, Number(quiet) - now),
		layout: fields.get('layout'),
		reshard: fields.get('reshard'),
		nodes: [...names].sort().map((node) => ({
			node,
			member: registered.get(node),
			leaseMs: Number(facts.get(`d:${node}`) ?? 0) - now,
			renewals: Number(facts.get(`c:${node}`) ?? 0),
		})),
		sessions: [...fields]
			.filter(([field]) => field.startsWith('s:'))
			.map(([field, text]) => sessionRow(Number(field.slice(2)), text, identity))
			.sort((a, b) => a.session - b.session),
		records: new Map(pairs(records).map(([session, record]) => [Number(session), record])),
	};
}

export function sessionRow(session: number, text: string, identity: string): SessionRow {
	const [owner, epoch, phase, target, sure] = text.split(' ') as [string, string, SessionPhase, string, string];
	return {
		session,
		owner: owner === '-' ? undefined : owner,
		epoch: Number(epoch),
		phase,
		target: target === '-' ? undefined : target,
		unsure: sure !== identity,
	};
}
