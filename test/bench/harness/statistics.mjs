// The few statistics that this benchmark uses.

export function quantile(numbers, share) {
	const sorted = [...numbers].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function median(numbers) {
	return quantile(numbers, 0.5);
}

export function mean(numbers) {
	return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
