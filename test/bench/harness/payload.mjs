/** An object like those that bots send, about this many bytes as JSON: ids, names, numbers, nested lists. */
export function payload(bytes) {
	const guilds = [];
	for (let i = 0, length = 14; length < bytes; i++) {
		const guild = { id: `1000000000000${10_000 + i}`, name: `Guild number ${i}`, memberCount: i * 3, tags: ['a', i, true] };
		guilds.push(guild);
		length += JSON.stringify(guild).length + 1;
	}
	return { guilds };
}
