// Something that others wait for, and whoever decides it.

export interface Decision<Value> {
	promise: Promise<Value>;
	resolve(value: Value): void;
}

export function decision<Value>(): Decision<Value> {
	let resolve!: (value: Value) => void;
	const promise = new Promise<Value>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}
