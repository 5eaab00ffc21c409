// A dispatch that is serialised once and sent to many sessions: only the sequence number differs, and it is spliced in, in the form
// that Discord uses: `{"t":"TYPE","s":` + seq + `,"op":0,"d":{…}}`
// Or one that is made each time, because it is large and can be.

/** An event that a session sends now and may send again on a resume. */
export interface Dispatch {
	readonly type: string;
	/** About how much memory it holds. */
	readonly sizeBytes: number;
	/** The frame that carries this event as number `seq` of a session. */
	frame(seq: number): string;
}

const comma = 44;
const [zero, nine] = [48, 57];

/** The text before the sequence number, by type; Discord has some eighty. */
const heads = new Map<string, string>();

function headOf(type: string): string {
	let head = heads.get(type);
	if (head === undefined) {
		head = `{"t":${JSON.stringify(type)},"s":`;
		heads.set(type, head);
	}
	return head;
}

/** What Discord writes between the sequence number and the data. */
const beforeData = ',"op":0,"d":';

export class EncodedDispatch implements Dispatch {
	readonly type: string;
	/** Exact for ASCII. */
	readonly sizeBytes: number;
	/** The whole frame as Discord sent it, or only what follows the sequence number. */
	readonly #text: string;
	/** Where in it that begins. */
	readonly #tailAt: number;
	/** The number in it; none of a session's where it is not the whole frame. */
	readonly #seq: number;

	private constructor(type: string, text: string, { head, tailAt, seq }: { head: string; tailAt: number; seq: number }) {
		this.type = type;
		this.sizeBytes = head.length + text.length - tailAt;
		this.#text = text;
		this.#tailAt = tailAt;
		this.#seq = seq;
	}

	/** Serialises the data of an event. */
	static of(type: string, data: unknown): EncodedDispatch {
		return EncodedDispatch.fromJson(type, JSON.stringify(data));
	}

	/** Takes data that is JSON already. */
	static fromJson(type: string, json: string): EncodedDispatch {
		return new EncodedDispatch(type, `${beforeData}${json}}`, { head: headOf(type), tailAt: 0, seq: -1 });
	}

	/**
	 * Takes the frame of a dispatch as Discord sent it; one of another form than Discord's is serialised again. The frame is kept as it
	 * is, because nearly every event goes out with the number that it came with.
	 */
	static fromFrame(frame: string, { t, d }: { t: string; d: unknown }): EncodedDispatch {
		const head = headOf(t);
		if (!frame.startsWith(head)) return EncodedDispatch.of(t, d);
		let at = head.length;
		let seq = 0;
		for (let code = frame.charCodeAt(at); code >= zero && code <= nine; code = frame.charCodeAt(++at))
			seq = 10 * seq + code - zero;
		return frame.charCodeAt(at) === comma ? new EncodedDispatch(t, frame, { head, tailAt: at, seq }) : EncodedDispatch.of(t, d);
	}

	frame(seq: number): string {
		return seq === this.#seq ? this.#text : headOf(this.type) + seq + this.#text.slice(this.#tailAt);
	}

	/** The data alone. */
	get dataJson(): string {
		return this.#text.startsWith(beforeData, this.#tailAt)
			? this.#text.slice(this.#tailAt + beforeData.length, -1)
			: JSON.stringify((JSON.parse(this.frame(0)) as { d: unknown }).d);
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
