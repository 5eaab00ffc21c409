// One picture of a run: how each peer compares to shardctl in each row, on a logarithmic axis. Right of the line is worse than
// shardctl, left of it better; a bar spans the rounds, a dot is their median.
import { ratio } from '../harness/measurements.mjs';

const colours = {
	node: '#8b8b8b',
	'node detached': '#444',
	'discord.js': '#5865f2',
	'hybrid-sharding': '#e0791b',
	direct: '#2a9d5c',
	'ws relay': '#b33a8c',
};
const rowHeight = 22;
const left = 430;
const width = 1100;
const top = 84;
const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

export function plot({ rows, about }) {
	const shown = rows.filter((row) => row.values.shardctl && Object.keys(colours).some((peer) => row.values[peer]));
	const height = top + shown.length * rowHeight + 30;
	const x = (value) => {
		const [low, high] = [Math.log(ticks[0]), Math.log(ticks.at(-1))];
		const within = Math.min(high, Math.max(low, Math.log(value)));
		return left + ((within - low) / (high - low)) * (width - left - 30);
	};
	const parts = [
		text(16, 28, 'Beside shardctl: how many times worse each peer is', { size: 17, weight: 600 }),
		text(16, 48, `${about.node}, ${about.cores} cores, ${about.peers.join(', ')}; ${about.at.slice(0, 10)}`, { fill: '#666' }),
		...Object.entries(colours).map(([peer, fill], index) => {
			const at = left + index * 150;
			return `<circle cx="${at}" cy="64" r="5" fill="${fill}"/>${text(at + 10, 68, peer)}`;
		}),
		...ticks.map((tick) => {
			const line = `<line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 8}" y2="${height - 24}" stroke="${tick === 1 ? '#222' : '#ddd'}"/>`;
			return `${line}${text(x(tick), height - 8, `${tick}×`, { anchor: 'middle', fill: '#666' })}`;
		}),
		...shown.flatMap((row, index) => {
			const y = top + index * rowHeight + rowHeight / 2;
			const label = text(left - 14, y + 4, `${row.title} (${row.unit})`, { anchor: 'end' });
			return [label, ...Object.entries(colours).map(([peer, fill]) => mark({ row, peer, fill, x, y }))];
		}),
	];
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.filter(Boolean).join('\n')}
</svg>
`;
}

function mark({ row, peer, fill, x, y }) {
	const worse = row.better === 'lower' ? ratio(row, peer, 'shardctl') : ratio(row, 'shardctl', peer);
	if (!worse || !(worse.median > 0) || !Number.isFinite(worse.median)) return '';
	const bar = `<line x1="${x(worse.min)}" x2="${x(worse.max)}" y1="${y}" y2="${y}" stroke="${fill}" stroke-width="3" opacity="0.4"/>`;
	return `${bar}<circle cx="${x(worse.median)}" cy="${y}" r="4.5" fill="${fill}"/>`;
}

function text(x, y, content, { anchor = 'start', fill = '#222', size = 12, weight = 400 } = {}) {
	const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
	return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}" font-size="${size}" font-weight="${weight}">${safe}</text>`;
}
