// The changes of the table that should be made now: a pure function of what was read. Any node plans; the script `apply` makes a change
// only if the table is still the one that was read, and refuses what the lease rules do not allow.
import type { ClusterView, NodeRow, SessionRow } from '../table/cluster-view.js';

export type TableChange =
	/** Gives a session without an owner to a node. */
	| { readonly op: 'assign'; readonly session: number; readonly to: string }
	/** Takes a session from a node whose lease is over. */
	| { readonly op: 'take'; readonly session: number; readonly from: string; readonly renewals: number; readonly to: string }
	/** Begins a move, or gives one that is under way another target. */
	| { readonly op: 'move'; readonly session: number; readonly from: string; readonly to: string }
	| { readonly op: 'cancel'; readonly session: number; readonly from: string }
	/** Writes down how far a resharding is; the planner makes none. */
	| { readonly op: 'reshard'; readonly entry: string }
	/** Removes what is left of a node. */
	| { readonly op: 'forget'; readonly node: string };

export interface PlanInput {
	readonly view: ClusterView;
	/** The number of sessions of the layout. */
	readonly sessions: number;
	/** How many renewals a node had when it was last heard of, if this node has heard nothing from it for long enough. */
	silentSince(node: string): number | undefined;
	/** How long the set of live nodes, and what they say about themselves, has been the same, as the planner has seen it. */
	readonly stillMs: number;
	/** Weight of a session (default 1): its guilds, later its events. */
	weight?(session: number): number;
	/** Sessions that may be assigned before their predecessors are ready. */
	readonly assignAhead: number;
	/** Sessions that have an owner and are not ready yet. */
	readonly starting: number;
	/** Sessions can move without an IDENTIFY. Without it, nothing is rebalanced and a drain moves nothing. */
	readonly movable: boolean;
	/** Sessions with Discord in each session of the layout: more than one where it was replaced by several (default: 1). */
	readonly sessionsEach?: number;
	/** False while sessions are replaced: nothing is moved to even out the nodes then (default: true). */
	readonly mayRebalance?: boolean;
}

/** Rebalancing waits until the set of nodes was the same for this long. */
export const stillBeforeRebalanceMs = 10_000;
/** Sessions leave a node that cannot reach Discord only when the others have had this long to say the same: then nothing moves. */
export const stillBeforeLeavingMs = 3000;
/** Sessions on their way to one node. */
const atOnce = 2;
/** A node that is gone is forgotten after this. */
const forgetAfterMs = 10 * 60_000;

export function planChanges(input: PlanInput): TableChange[] {
	if (input.view.quietMs > 0) return [];
	const board = new Board(input);
	const urgent = [...takeovers(board), ...assignments(board)];
	const moves = movements(board);
	if (urgent.length > 0 || moves.length > 0) return [...urgent, ...moves];
	return [...rebalance(board), ...forgotten(board)];
}

/** The loads as the changes planned so far will have made them. */
class Board {
	readonly input: PlanInput;
	readonly sessions: readonly SessionRow[];
	readonly #nodes: Map<string, NodeRow>;
	readonly #load = new Map<string, number>();
	readonly #count = new Map<string, number>();

	constructor(input: PlanInput) {
		this.input = input;
		const rows = new Map(input.view.sessions.map((row) => [row.session, row]));
		this.sessions = Array.from(
			{ length: input.sessions },
			(_, session) =>
				rows.get(session) ?? { session, owner: undefined, epoch: 0, phase: 'held', target: undefined, unsure: true },
		);
		this.#nodes = new Map(input.view.nodes.map((row) => [row.node, row]));
		for (const { session, owner, phase, target } of this.sessions) {
			const place = phase === 'held' ? owner : target;
			if (place !== undefined) this.#add(place, this.weight(session), 1);
		}
	}

	weight(session: number): number {
		return this.input.weight?.(session) ?? 1;
	}

	isLive(node: string | undefined): boolean {
		return node !== undefined && (this.#nodes.get(node)?.leaseMs ?? 0) > 0;
	}

	member(node: string | undefined) {
		return node === undefined ? undefined : this.#nodes.get(node)?.member;
	}

	/** Live nodes that may receive sessions. */
	get eligible(): NodeRow[] {
		const open = [...this.#nodes.values()].filter(({ node, member }) => this.isLive(node) && member && !member.draining);
		const connected = open.filter(({ member }) => member?.reachesDiscord);
		// When no node reaches Discord, nothing moves for it.
		return connected.length > 0 ? connected : open;
	}

	/** A live node that has to give away what it has. */
	isLeaving(node: string): boolean {
		const member = this.member(node);
		if (!this.isLive(node) || !member || this.eligible.length === 0) return false;
		if (this.eligible.some((other) => other.node === node)) return false;
		return member.draining || this.input.stillMs >= stillBeforeLeavingMs;
	}

	count(node: string): number {
		return this.#count.get(node) ?? 0;
	}

	/** Whether a node may get one more session. */
	hasRoom(node: string): boolean {
		return (this.count(node) + 1) * (this.input.sessionsEach ?? 1) <= (this.member(node)?.capacity ?? 0);
	}

	load(node: string): number {
		return (this.#load.get(node) ?? 0) / (this.member(node)?.capacity || 1);
	}

	/** The eligible node with the least load for its capacity that has room; of equals the first by name. */
	leastLoaded(except?: string): string | undefined {
		let best: string | undefined;
		for (const { node } of this.eligible) {
			if (node === except || !this.hasRoom(node)) continue;
			if (best === undefined || this.load(node) < this.load(best)) best = node;
		}
		return best;
	}

	place(session: number, to: string, from?: string): void {
		if (from !== undefined) this.#add(from, -this.weight(session), -1);
		this.#add(to, this.weight(session), 1);
	}

	#add(node: string, weight: number, count: number): void {
		this.#load.set(node, (this.#load.get(node) ?? 0) + weight);
		this.#count.set(node, (this.#count.get(node) ?? 0) + count);
	}
}

/** Sessions of nodes whose lease is over: to the target of their move, to the node that restarted under the name, else by load. */
function* takeovers(board: Board): Generator<TableChange> {
	for (const { session, owner, phase, target } of board.sessions) {
		if (owner === undefined || board.isLive(owner)) continue;
		const renewals = board.input.silentSince(owner);
		if (renewals === undefined) continue;
		const namesake = board.eligible.find(({ member }) => member?.name === board.member(owner)?.name && member !== undefined);
		const to = phase === 'prepared' && board.isLive(target) ? target : (namesake?.node ?? board.leastLoaded());
		if (to === undefined) continue;
		board.place(session, to, phase === 'held' ? owner : target);
		yield { op: 'take', session, from: owner, renewals, to };
	}
}

/** Sessions without an owner. Those that need an IDENTIFY are not assigned before it is their turn; those that a node has just left are resumed. */
function* assignments(board: Board): Generator<TableChange> {
	let room = board.input.assignAhead - board.input.starting;
	const areLeft = board.input.movable && board.input.view.nodes.some(({ leaseMs, member }) => leaseMs > 0 && member?.draining);
	for (const { session, owner, epoch } of board.sessions) {
		if (owner !== undefined) continue;
		if (!(areLeft && epoch > 0) && room-- <= 0) continue;
		const to = board.leastLoaded();
		if (to === undefined) return;
		board.place(session, to);
		yield { op: 'assign', session, to };
	}
}

/** Drains, moves whose target is gone, and moves away from nodes that cannot reach Discord. */
function movements(board: Board): TableChange[] {
	const changes: TableChange[] = [];
	for (const { session, owner, phase, target } of board.sessions) {
		if (owner === undefined || !board.isLive(owner) || board.member(owner)?.abandoned) continue;
		const under = phase !== 'held';
		if (under && board.isLive(target) && !board.isLeaving(target as string)) continue;
		if (!under && !(board.isLeaving(owner) && board.input.movable)) continue;
		const to = board.leastLoaded(owner);
		if (to !== undefined && board.input.movable && (!under || board.isLeaving(owner))) {
			board.place(session, to, under ? target : owner);
			changes.push({ op: 'move', session, from: owner, to });
		} else if (under) {
			board.place(session, owner, target);
			changes.push({ op: 'cancel', session, from: owner });
		}
	}
	return changes;
}

/**
 * Moves from the fullest to the emptiest node: those of least weight first, and at a time one away from a node, two to a node, and a tenth of
 * all, or two. A node that has joined gets its part twice as fast from two others, each of which has one session on the move.
 */
function* rebalance(board: Board): Generator<TableChange> {
	const { movable, mayRebalance = true, stillMs } = board.input;
	if (!movable || !mayRebalance || stillMs < stillBeforeRebalanceMs) return;
	if (board.sessions.some(({ owner, phase }) => owner === undefined || phase !== 'held' || !board.isLive(owner))) return;
	const nodes = board.eligible.map(({ node }) => node);
	const gives = new Set<string>();
	const gets = new Map<string, number>();
	for (let left = Math.max(atOnce, Math.floor(board.sessions.length / 10)); left > 0; left--) {
		const byCount = nodes.toSorted((a, b) => board.count(a) - board.count(b) || (a < b ? -1 : 1));
		const emptiest = byCount.find((node) => !gives.has(node) && (gets.get(node) ?? 0) < atOnce);
		const fullest = byCount.findLast((node) => !gives.has(node) && !gets.has(node));
		if (emptiest === undefined || fullest === undefined || !board.hasRoom(emptiest)) return;
		const difference = board.count(fullest) - board.count(emptiest);
		if (difference <= Math.max(1, Math.floor(board.count(fullest) / 10))) return;
		const [lightest] = board.sessions
			.filter(({ owner }) => owner === fullest)
			.sort((a, b) => board.weight(a.session) - board.weight(b.session) || a.session - b.session);
		if (!lightest) return;
		board.place(lightest.session, emptiest, fullest);
		gives.add(fullest);
		gets.set(emptiest, (gets.get(emptiest) ?? 0) + 1);
		yield { op: 'move', session: lightest.session, from: fullest, to: emptiest };
	}
}

function* forgotten(board: Board): Generator<TableChange> {
	for (const { node, leaseMs } of board.input.view.nodes) {
		if (leaseMs > -forgetAfterMs) continue;
		if (board.sessions.some(({ owner, target }) => owner === node || target === node)) continue;
		yield { op: 'forget', node };
	}
}
