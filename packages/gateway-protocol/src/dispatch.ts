// A dispatch that is serialised once and sent to many sessions: only the sequence number differs, and it is spliced in.
// `{"op":0,"s":` + seq + `,"t":"TYPE","d":{…}}`

const head = '{"op":0,"s":';

export class EncodedDispatch {
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

	/** The frame that carries this event as number `seq` of a session. */
	frame(seq: number): string {
		return head + seq + this.#tail;
	}

	/** About how much memory it holds; exact for ASCII. */
	get sizeBytes(): number {
		return this.#tail.length;
	}
}
