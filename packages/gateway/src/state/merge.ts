// How what an event says is laid over what is known. Only the keys of the top are assigned; what hangs below them is replaced and
// never changed in place, so objects may be shared between the state and the dispatches they came with.
import { jsonEqual } from './json-equal.js';
import type { RawObject } from './raw.js';

/** A key that JSON can have and no object of Discord's has. To assign it would change what the object inherits. */
export const prototypeKey = '__proto__';

/** Assigns every key of `source`, but for those of `except`. */
export function mergeKeys(target: RawObject, source: RawObject, except?: ReadonlySet<string>): void {
	for (const key of Object.keys(source)) {
		if (!except?.has(key) && key !== prototypeKey) target[key] = source[key];
	}
}

/** Whether {@link mergeKeys} would change anything. */
export function wouldChange(target: RawObject, source: RawObject): boolean {
	for (const key of Object.keys(source)) {
		if (target[key] !== source[key] && !jsonEqual(target[key], source[key])) return true;
	}
	return false;
}

/** A copy without the keys that only the event had. Not by `delete`, which makes slow and large objects of what is kept for long. */
export function without(source: RawObject, ...keys: string[]): RawObject {
	const copy: RawObject = {};
	for (const key of Object.keys(source)) {
		if (!keys.includes(key) && key !== prototypeKey) copy[key] = source[key];
	}
	return copy;
}

/** Lays an object over the one of its id, or adds it. The map keeps a copy, never `source` itself. */
export function upsert(map: Map<string, RawObject>, id: string, source: RawObject): RawObject {
	const known = map.get(id);
	if (known) {
		mergeKeys(known, source);
		return known;
	}
	const added = { ...source };
	map.set(id, added);
	return added;
}
