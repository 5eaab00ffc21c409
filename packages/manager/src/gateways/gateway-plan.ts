// Which gateway process holds which shards. Pure.

/** Groups workers' slices, in order, into gateways of at most `shardsPerGateway` shards; a slice is never divided. */
export function planGateways(slices: readonly (readonly number[])[], shardsPerGateway: number): number[][] {
	const gateways: number[][] = [];
	for (const slice of slices) {
		const last = gateways.at(-1);
		if (last && last.length + slice.length <= shardsPerGateway) last.push(...slice);
		else gateways.push([...slice]);
	}
	return gateways;
}
