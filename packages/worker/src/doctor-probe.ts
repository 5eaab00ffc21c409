// `shardctl doctor` runs a bot without a manager, and looks here for the clients that the bot attached.

/** The doctor's own module makes the set, and cannot import this one: the bot may have another copy of it. */
const attachedKey = Symbol.for('shardctl.doctor.attached');
const registry = globalThis as { [attachedKey]?: Set<object> };

/** The clients attached so far; undefined where no doctor watches. */
export function watchedByDoctor(): Set<object> | undefined {
	return registry[attachedKey];
}
