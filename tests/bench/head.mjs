// head.mjs - with every body slot of the pool taken by a silent client: how quickly HEAD of other uploads answers, behind each web server.
import fs from 'node:fs';
import { start } from '../e2e/lib/server.mjs';
import { sleep } from '../e2e/lib/http.mjs';
import { head, made, openPatch, patch } from '../e2e/lib/tus.mjs';
import { summary } from './figures.mjs';

const WORKERS = 2;
const OTHERS = 50;              // uploads that are asked for
const LENGTH = 1000000;
const SETTLE_MS = 300;          // whoever got no slot by then has been refused

// Bodies that the pool receives: its open part files.
function bodies(server) {
	let n = 0;
	for (const pid of server.workers())
		for (const fd of fs.readdirSync(`/proc/${pid}/fd`))
			try { if (fs.readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('.part')) n++; } catch { /* closed meanwhile */ }
	return n;
}

// Silent clients until every slot is taken. A process without a slot refuses a body while another one has some left, so some are refused.
async function fill(server, slots) {
	const silent = [];
	let refused = 0;
	for (let have = 0; have < slots;) {
		if (refused > 20 * slots) throw new Error(`only ${have} of ${slots} slots could be filled`);
		const c = await openPatch(server, await made(server, { length: LENGTH }), 0, LENGTH);
		await c.send('x');
		const until = Date.now() + SETTLE_MS;
		while (bodies(server) === have && !c.buffer.length && !c.ended && Date.now() < until) await sleep(1);
		if (bodies(server) > have) {
			have = bodies(server);
			silent.push(c);
		} else {
			refused++;
			c.close();
		}
	}
	return { silent, refused };
}

// Silent clients that come although nothing is left, all at once, right before the tries.
async function crowd(server, n) {
	const url = await made(server, { length: LENGTH });
	const all = await Promise.all(Array.from({ length: n }, () => openPatch(server, url, 0, LENGTH)));
	await Promise.all(all.map(c => c.send('x')));
	return all;
}

// One server, one figure: {front, slots, extra, refused, tries, p50, p99, max, bad: {status: n}, full}.
export async function measureHead(front, { slots = 200, extra = 0, tries = 1000 } = {}) {
	const reserve = 16;
	const server = await start({ front, settings: { WORKERS, RESERVE_THREADS: reserve, THREADS: slots / WORKERS + reserve, LOG_LEVEL: 'warning' } });
	try {
		const others = [];
		for (let i = 0; i < OTHERS; i++) others.push(await made(server, { length: 1000, body: 'y'.repeat(i) }));
		const { silent, refused } = await fill(server, slots);
		// the proof that nothing is left: short bodies are refused, whichever process they meet
		const probes = [];
		for (let i = 0; i < 20; i++) probes.push((await patch(server, others[i], i, 'z')).status);
		silent.push(...await crowd(server, extra));
		const ms = [];
		const bad = {};
		for (let i = 0; i < tries; i++) {
			const at = i % OTHERS;
			const from = process.hrtime.bigint();
			const res = await head(server, others[at]).catch(e => ({ status: e.message, headers: {} }));
			ms.push(Number(process.hrtime.bigint() - from) / 1e6);
			const right = res.status === 200 && res.headers['upload-offset'] === String(at);
			if (!right) bad[res.status] = (bad[res.status] ?? 0) + 1;
		}
		const full = probes.every(s => s === 503) && bodies(server) === slots;
		for (const c of silent) c.close();
		return { bench: 'head', front, slots, extra, refused, full, ...summary(ms), bad };
	} finally {
		await server.stop();
	}
}
