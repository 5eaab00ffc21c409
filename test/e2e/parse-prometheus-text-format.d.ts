// The package brings no types.
declare module 'parse-prometheus-text-format' {
	interface MetricFamily {
		name: string;
		help: string;
		type: 'GAUGE' | 'COUNTER' | 'UNTYPED';
		metrics: { value: string; labels?: Record<string, string> }[];
	}
	const parse: (text: string) => MetricFamily[];
	export = parse;
}
