// time.mjs - what clients leave behind, and what time makes of it: expired uploads go, recordings become files under recovered names, also if the reaper is
// killed at whatever it does; and who comes back late goes on.
import fs from 'node:fs';
import { sleep, until } from '../e2e/lib/http.mjs';
import { completed } from '../e2e/lib/server.mjs';
import { inspect, partPath, rowsOf } from './inspect.mjs';
import { Chunk, Recording } from './sessions.mjs';
import { Upload, downloaded } from './uploads.mjs';
import { leaveParts } from './wholes.mjs';

const DAY = 86400, GONE = 3, RECOVERED = 3;   // states of an upload and of a session

async function leaveUpload(world, random, name) {
	const u = new Upload(world, random, name, random.size(2, 1 << 20));
	if (!await u.create()) return;
	for (let i = random.int(0, 2); i > 0 && u.content.known < u.length - 1; i--) {
		const at = u.content.known, r = await u.patch(at, random.int(1, u.length - 1 - at));
		if (r?.ok) u.told(r.offset, r.body);
		else if (await u.head() < 0) return;
	}
	world.left.push(u);
}

async function leaveRecording(world, random, name) {
	const count = random.int(1, 6), r = new Recording(world, random, name, count, 0);
	r.hole = count >= 3 && random.chance(0.5) ? random.int(0, count - 2) : -1;
	for (const c of r.chunks) if (c.idx !== r.hole && !await r.form(c, { v: 0, n: random.size(1, 100000) })) return;
	world.left.push(r);
}

// A client that begins something and never comes back.
export const leave = (world, random, name) => random.pick([leaveUpload, leaveUpload, leaveRecording, leaveRecording, leaveRecording, leaveParts])(world, random, name);

// Runs of chunks without a hole, as bytes.
function runs(r) {
	const out = [];
	let now = [];
	for (const c of r.chunks) {
		if (c.acked) now.push(c.bytes(c.acked));
		else if (now.length) out.push(now.splice(0));
	}
	if (now.length) out.push(now);
	return out.map(list => Buffer.concat(list));
}

// Whether time has done its work on it.
function settled(server, rows, t) {
	if (t instanceof Upload) {
		const row = rows.u.find(x => x.id === t.path.split('/').pop());
		return !row || (row.state === GONE && !fs.existsSync(partPath(server, row.file)));
	}
	if (t.hole < 0) return rows.s.find(s => s.sid === t.sid)?.state === RECOVERED;
	return rows.r.filter(x => x.sid === t.sid).length >= runs(t).length;
}

// Every run is a file, and there is no other file.
function judgeRuns(server, r) {
	const files = Object.values(completed(server, r.sid)).map(f => fs.readFileSync(f));
	const missing = runs(r).filter(want => !files.some(f => f.equals(want)));
	if (missing.length || files.length !== runs(r).length) r.wrong(`9.14: ${missing.length} of ${runs(r).length} runs are in none of ${files.length} files`);
}

async function fileOf(r) {
	const url = await r.assembled();
	if (url) await downloaded(r, url, f => r.judge(f));
}

// It was recovered; its recorder comes back, sends what is missing, and completes.
async function late(r) {
	r.touched = Date.now();
	if (r.hole < 0) r.chunks.push(new Chunk(r, r.chunks.length));
	for (const c of r.chunks) if (!c.acked && !await r.form(c, { v: 0, n: r.random.size(1, 100000) })) return;
	if (await r.complete(`late ${r.sid}.webm`)) await fileOf(r);
}

async function after(world, r) {
	r.touched = Date.now();
	if (r.hole < 0) await fileOf(r);
	else judgeRuns(world.server, r);
	if (r.random.chance(0.5)) {
		world.count.late++;
		await late(r);
	}
}

// Two days later. strike(): one more kill, if it can. Gives {expired, recovered, runs}.
export async function pass(world, strike) {
	const { server } = world, seen = { expired: 0, recovered: 0, runs: 0 };
	for (const t of world.left) {
		t.gone = true;       // no client counts on its chunks or its offset any more, only on the bytes
		t.touched = Date.now();
	}
	// the reaper begins at once
	let over = false;
	const striking = (async () => { while (!over) { await strike(); await sleep(world.random.int(0, 50)); } })();
	await server.restart({ ...server.settings, TEST_CLOCK_OFFSET: 2 * DAY, REAP_INTERVAL: 1 });
	const work = async () => {
		const waiting = new Set(world.left);
		for (const began = Date.now(); waiting.size && Date.now() - began < world.patience; await sleep(100)) {
			const rows = rowsOf(server);
			for (const t of [...waiting]) if (settled(server, rows, t)) waiting.delete(t);
		}
		for (const t of waiting) t.wrong('wedged: time does nothing to it');
		const kept = world.left.filter(t => t instanceof Recording);
		for (const t of world.left) if (t instanceof Upload) { t.removed = true; seen.expired++; }
		for (const t of kept) seen[t.hole < 0 ? 'recovered' : 'runs']++;
		await Promise.all(kept.map(r => after(world, r)));
	};
	await work().finally(() => { over = true; });
	await striking;
	await until(() => server.workers().length === Number(server.settings.WORKERS), { what: 'workers', timeout: 30000 });
	await server.idle();
	await inspect(world);
	return seen;
}
