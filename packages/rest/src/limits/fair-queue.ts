// A queue that takes turns between its sources: however much one of them has queued, each of the others gets every nth place.

export class FairQueue<Source, Item> {
	/** Sources that wait, the next one first; each with its items in order. */
	readonly #waiting = new Map<Source, Set<Item>>();
	#size = 0;

	get size(): number {
		return this.#size;
	}

	push(source: Source, item: Item): void {
		const items = this.#waiting.get(source);
		if (items) items.add(item);
		else this.#waiting.set(source, new Set([item]));
		this.#size++;
	}

	/** The next item; its source comes last from now on. */
	shift(): Item | undefined {
		for (const [source, items] of this.#waiting) {
			const [item] = items as Set<Item> & Iterable<Item>;
			this.#waiting.delete(source);
			items.delete(item as Item);
			if (items.size > 0) this.#waiting.set(source, items);
			this.#size--;
			return item;
		}
		return undefined;
	}

	/** Takes an item out; nothing where it is not in here. */
	remove(source: Source, item: Item): void {
		const items = this.#waiting.get(source);
		if (!items?.delete(item)) return;
		this.#size--;
		if (items.size === 0) this.#waiting.delete(source);
	}
}
