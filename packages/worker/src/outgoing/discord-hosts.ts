// The names under which Discord's gateway and its REST API are reached.

export function isGatewayHost(host: string): boolean {
	return /^(?:[\w-]+\.)?discord\.gg$/.test(host);
}

export function isApiHost(host: string): boolean {
	return /^(?:(?:canary|ptb)\.)?discord(?:app)?\.com$/.test(host);
}
