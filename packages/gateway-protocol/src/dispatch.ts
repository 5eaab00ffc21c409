// A dispatch that is serialised once and sent to many sessions: only the sequence number differs, and it is spliced in.
// `{"op":0,"s":` + seq + `,"t":"TYPE","d":{…}}`
// Or one that is made anew each time, because it is large and can be.

/** An event that a session sends now and may send again on a resume. */
export interface Dispatch {
	readonly type: string;
	/** About how much memory it holds. */
	readonly sizeBytes: number;
	/** The frame that carries this event as number `seq` of a session. */
	frame(seq: number): string;
}

const head = '{"op":0,"s":';

/** What stands before the data in a frame: type, number and opcode in any order. */
const beforeData = /^\{(?:"(?:t|s|op)":(?:"[A-Z_]+"|\d+),){3}"d":/;

export class EncodedDispatch implements Dispatch {
	readonly type: string;
	/** Everything after the sequence number. */
	readonly #tail: string;

	private constructor(type: string, data: string) {
		this.type = type;
		this.#tail = `,"t":${JSON.stringify(type)},"d":${data}}`;
	}

	/** Serialises the data of an event. */
	static of(type: string, data: unknown): EncodedDispatch {
		return new EncodedDispatch(type, JSON.stringify(data));
	}

	/** Takes data that is JSON already. */
	static fromJson(type: string, json: string): EncodedDispatch {
		return new EncodedDispatch(type, json);
	}

	/** Takes the frame of a dispatch as Discord sent it; one of another form than Discord's is serialised anew. */
	static fromFrame(frame: string, { t, d }: { t: string; d: unknown }): EncodedDispatch {
		const begin = frame.endsWith('}') ? beforeData.exec(frame)?.[0].length : undefined;
		return begin === undefined ? EncodedDispatch.of(t, d) : new EncodedDispatch(t, frame.slice(begin, -1));
	}

	frame(seq: number): string {
		return head + seq + this.#tail;
	}

	/** Exact for ASCII. */
	get sizeBytes(): number {
		return this.#tail.length;
	}
}

/** Keeps only how its data is made, which must give the same each time: a resume sends again what was sent. */
export class RebuiltDispatch implements Dispatch {
	readonly type: string;
	readonly sizeBytes = 128;
	readonly #build: () => unknown;

	constructor(type: string, build: () => unknown) {
		this.type = type;
		this.#build = build;
	}

	frame(seq: number): string {
		return EncodedDispatch.of(this.type, this.#build()).frame(seq);
	}
}
