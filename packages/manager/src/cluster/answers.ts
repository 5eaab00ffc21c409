// Whether the network leads to a gateway. Any answer to a plain HTTP request says so, and no connection has to identify for it.

const timeoutMs = 5000;

export async function answers(gatewayUrl: string): Promise<boolean> {
	try {
		const response = await fetch(gatewayUrl.replace(/^ws/, 'http'), {
			redirect: 'manual',
			signal: AbortSignal.timeout(timeoutMs),
		});
		await response.body?.cancel();
		return true;
	} catch {
		return false;
	}
}
