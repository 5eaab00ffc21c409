// Takes pictures of the page: of fleets that are made up, in both themes, on a desktop and on a phone; the colours, the page and the control
// API are real.
//
// node test/dashboard/screenshots.mjs [folder] [scene]    after `pnpm build`; needs Chromium. All of them into reports/screenshots
// node test/dashboard/screenshots.mjs --readme            the three of the README into apps/dashboard/images
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { openScene } from './open-scene.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sizes = { desktop: { width: 1360, height: 850 }, phone: { width: 390, height: 844 } };
const themes = ['light', 'dark'];

/** Per scene: what is selected first. */
const selected = { degraded: 'Shard 10:', nodes: 'Shard 21:' };
const scenes = ['healthy', 'start-up', 'degraded', 'deploy', 'nodes', 'large'];
const readme = [
	{ file: 'degraded', scene: 'degraded', size: 'desktop', theme: 'light' },
	{ file: 'healthy', scene: 'healthy', size: 'desktop', theme: 'dark' },
	{ file: 'phone', scene: 'degraded', size: 'phone', theme: 'dark' },
];

const isForReadme = process.argv[2] === '--readme';
const folder = isForReadme ? join(root, 'apps/dashboard/images') : (process.argv[2] ?? join(root, 'reports/screenshots'));
const only = process.argv[3];
mkdirSync(folder, { recursive: true });
const executablePath = (process.env.PATH ?? '')
	.split(delimiter)
	.map((place) => join(place, 'chromium'))
	.find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
try {
	for (const scene of scenes) {
		if (only !== undefined && scene !== only) continue;
		const wanted = isForReadme
			? readme.filter((each) => each.scene === scene)
			: Object.keys(sizes).flatMap((size) => themes.map((theme) => ({ file: `${scene}-${size}-${theme}`, scene, size, theme })));
		if (wanted.length === 0) continue;
		const opened = await openScene(scene);
		try {
			for (const each of wanted) await take(opened, each);
		} finally {
			await opened.close();
		}
	}
} finally {
	await browser.close();
}

async function take(opened, { file, scene, size, theme }) {
	const context = await browser.newContext({ viewport: sizes[size], locale: 'en-GB', timezoneId: 'UTC', colorScheme: theme });
	try {
		const page = await context.newPage();
		await page.goto(await opened.login());
		await page.getByRole('button', { name: /^Shard 0:/ }).waitFor();
		await page.locator('.uplot').first().waitFor();
		if (selected[scene] && (size === 'desktop' || !isForReadme)) {
			await page.getByRole('button', { name: selected[scene] }).click();
			await page.locator('.details .uplot').first().waitFor();
			await page.evaluate('scrollTo(0, 0)');
		}
		// The second figures: rates are known then.
		await page.waitForTimeout(2200);
		const png = await page.screenshot(isForReadme ? {} : wholePage(size));
		if (isForReadme) writeFileSync(join(folder, `${file}.webp`), await compressed(context, png));
		else writeFileSync(join(folder, `${file}.png`), png);
	} finally {
		await context.close();
	}
}

/** To look at; on a phone it is long. */
function wholePage(size) {
	return size === 'phone' ? { fullPage: true, clip: { x: 0, y: 0, width: sizes.phone.width, height: 2400 } } : { fullPage: true };
}

/** As WebP, which is a third of the size. */
async function compressed(context, png) {
	const page = await context.newPage();
	const encoded = await page.evaluate(async (base64) => {
		const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
		const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
		const canvas = new OffscreenCanvas(image.width, image.height);
		canvas.getContext('2d').drawImage(image, 0, 0);
		const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 });
		const characters = Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte));
		return btoa(characters.join(''));
	}, png.toString('base64'));
	return Buffer.from(encoded, 'base64');
}
