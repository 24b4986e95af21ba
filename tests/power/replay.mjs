// replay.mjs - a power cut without a disk: what a pool under load does to its files is written down, and at many moments a disk is made as it might have been left.
//
//   node tests/power/replay.mjs [--seconds N] [--states N] [--level full|normal] [--order strict|journal] [--seed N] [--first] [--keep]
//
// On each such disk our own programs must find everything that clients had been told by then. Level normal: offsets inside unfinished uploads may be lower. Needs no
// root. Without --level and --order all four. Exit 1 on any violation.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { build, start } from '../e2e/lib/server.mjs';
import { open, request, sleep } from '../e2e/lib/http.mjs';
import { TUS, create, patchHeaders, remove } from '../e2e/lib/tus.mjs';
import { complete, sendChunk, tusChunk } from '../e2e/lib/wave.mjs';
import { bytes, metadata } from '../e2e/lib/data.mjs';
import { randomOf } from '../storm/world.mjs';
import { Tape, mark, read } from './tape.mjs';

const text = (name, otherwise) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? otherwise : process.argv[i + 1];
};
const seconds = Number(text('seconds', 3)), states = Number(text('states', 60)), seed = Number(text('seed', Date.now() % 1000000));
const levels = text('level') ? [text('level')] : ['full', 'normal'], orders = text('order') ? [text('order')] : ['strict', 'journal'];
const first = process.argv.includes('--first');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'replay-'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// ---- recording

const data = (name, n) => bytes(name, 0, n);

// The protocols: headers of requests, and whether an answer says that all is over.
const tus = {
	create,
	asking: TUS,
	appending: at => patchHeaders(at),
	ended: (res, length) => Number(res.headers['upload-offset']) === length,
};
const draft = {
	create: (server, { length }) => request(server, 'POST', '/files/', { headers: { 'Upload-Complete': '?0', 'Upload-Length': length, 'Content-Length': 0 } }),
	asking: { 'Upload-Draft-Interop-Version': 8 },
	appending: (at, n, length) => ({ 'Content-Type': 'application/partial-upload', 'Upload-Offset': at, 'Upload-Complete': at + n === length ? '?1' : '?0' }),
	ended: res => res.headers['upload-complete'] === '?1',
};

class Client {
	constructor(server, log, random, name) { Object.assign(this, { server, log, random, name, number: 0, ending: false }); }

	told(what) { mark(this.log, what); }

	async run() {
		while (!this.ending) {
			const name = `${this.name}-${this.number++}`;
			if (this.random.chance(0.5)) await this.upload(name);
			else await this.recording(name);
		}
	}

	// By tus, by the IETF draft, or by both in turn. What the draft has told is sure at every level, and so is what is told after the draft has appended.
	async upload(name) {
		const length = this.random.size(1, 120000), all = data(name, length), by = this.random.pick([[tus], [tus], [draft], [tus, draft]]);
		const res = await this.random.pick(by).create(this.server, { length, meta: metadata({ filename: `${name}.bin` }) });
		if (res.status !== 201) throw new Error(`${res}`);
		const url = new URL(res.headers.location, 'http://localhost').pathname, id = url.split('/').pop();
		const u = { upload: id, name, length, offset: 0, sure: 0, complete: false };
		let always = res.headers['upload-complete'] !== undefined;
		this.told(u);
		while (!u.complete) {
			const at = u.offset, n = Math.min(length - at, this.random.size(1, 60000)), p = this.random.pick(by);
			let r;
			if (at + n === length) this.told({ ending: id });
			if (this.random.chance(0.15) && n > 1) {
				const c = await open(this.server, 'PATCH', url, { headers: p.appending(at, length - at, length), length: length - at });
				await c.send(all.subarray(at, at + n - 1));
				c.close();
			} else {
				r = await request(this.server, 'PATCH', url, { headers: p.appending(at, n, length), body: all.subarray(at, at + n) });
				always ||= r.status < 300 && p === draft && n > 0;
			}
			if (!(r?.status < 300)) r = await request(this.server, 'HEAD', url, { headers: p.asking });
			if (r.status < 300) {
				u.offset = Number(r.headers['upload-offset']);
				if (always || p === draft) u.sure = u.offset;
				u.complete = p.ended(r, length);
				this.told(u);
			}
			if (this.random.chance(0.04)) return this.removed(url, id);
		}
		if (this.random.chance(0.2)) await this.removed(url, id);
	}

	async removed(url, id) {
		this.told({ removing: id });
		const r = await remove(this.server, url, TUS);
		if (r.status === 204) this.told({ removed: id });
	}

	// Live in order, or with a total in the reverse order, so that its chunks are parked and joined.
	async recording(sid) {
		const live = this.random.chance(0.6), count = this.random.int(2, 8), order = [...Array(count).keys()];
		if (!live) order.reverse();
		for (const i of order) {
			const n = this.random.chance(0.2) ? this.random.int(66000, 90000) : this.random.int(1, 20000), name = `${sid} ${i}`;
			if (!live && this.random.chance(0.4)) await tusChunk(this.server, sid, i, count, data(name, n));
			else if ((await sendChunk(this.server, sid, i, data(name, n), { ...(live ? {} : { total_chunks: count }), recording_name: sid, format: 'webm' })).status !== 200) throw new Error('a chunk was refused');
			this.told({ chunk: sid, idx: i, name, n });
		}
		if (live && (await complete(this.server, sid, `${sid}.webm`, {})).status === 200) this.told({ closed: sid, count });
	}
}

async function record(level, dir) {
	const root = path.join(dir, 'data'), tape = path.join(dir, 'tape');
	fs.mkdirSync(root);
	const log = fs.openSync(tape, 'a');
	Object.assign(process.env, { LD_PRELOAD: path.join(build, 'tests/shim.so'), SHIM: 'record', SHIM_LOG: tape,
		SHIM_ROOT: ['tus_uploads', 'tus_sessions', 'uploaded_data'].map(d => path.join(root, d)).join(':') });
	const server = await start({ dataDir: root, settings: { WORKERS: 3, TUS_DURABILITY: level, REAP_INTERVAL: 0, RUN_DIR: path.join(dir, 'run'), LOG_LEVEL: 'warning' } });
	process.env.LD_PRELOAD = '';
	const clients = Array.from({ length: 6 }, (_, i) => new Client(server, log, randomOf(seed * 10 + i), `rp${seed}-${i}`));
	const all = Promise.all(clients.map(c => c.run()));
	await Promise.race([all, sleep(seconds * 1000)]);
	for (const c of clients) c.ending = true;
	await all;
	await server.stop();
	fs.closeSync(log);
	return { root, records: read(tape) };
}

// ---- judging

function told(marks) {
	const t = { uploads: new Map(), removing: new Set(), removed: new Set(), ending: new Set(), chunks: new Map(), closed: new Map() };
	for (const m of marks) {
		if (m.upload) t.uploads.set(m.upload, m);
		else if (m.removing) t.removing.add(m.removing);
		else if (m.ending) t.ending.add(m.ending);
		else if (m.removed) t.removed.add(m.removed);
		else if (m.chunk) t.chunks.set(m.chunk, [...(t.chunks.get(m.chunk) ?? []), m]);
		else if (m.closed) t.closed.set(m.closed, m.count);
	}
	return t;
}

function program(name, args, at) {
	const r = spawnSync(path.join(build, name), args, { encoding: 'utf8', maxBuffer: 1 << 28, env: { PATH: process.env.PATH, DATA_DIR: at, RUN_DIR: `${at}-run`, LOG_LEVEL: 'error' } });
	return { code: r.status, out: r.stdout, err: r.stderr };
}

function rowsAt(at) {
	const r = program('tests/rows', [path.join(at, 'tus_sessions/tus.db')], at), out = { u: [], c: [], s: [], r: [] };
	if (r.code !== 0) return null;
	for (const l of r.out.split('\n')) if (l) { const o = JSON.parse(l); out[Object.keys(o)[0]].push(o); }
	return out;
}

function part(at, file, base, n) {
	const p = path.join(at, 'tus_uploads/parts', `shard_${String(Math.floor(file / 1000)).padStart(4, '0')}`, `${file}.part`);
	try { return fs.readFileSync(p).subarray(base, base + n); } catch { return Buffer.alloc(0); }
}

function finished(at, rows, sid) {
	const r = rows.r.find(x => x.sid === sid);
	try { return r && fs.readFileSync(path.join(at, 'uploaded_data', sid, 'completed', r.disk)); } catch { return undefined; }
}

function judgeUpload(at, rows, m, t, level) {
	const row = rows.u.find(r => r.id === m.upload);
	if (t.removed.has(m.upload)) return row && row.state !== 3 ? 'it was removed and is there' : '';
	if (!row) return 'its creation is forgotten';
	if (row.state === 3) return t.removing.has(m.upload) ? '' : 'it is gone';
	if (row.state !== 0 && !t.ending.has(m.upload)) return 'it is complete, though nobody has said so';
	if (row.state !== 0) return finished(at, rows, m.upload)?.equals(data(m.name, m.length)) || t.removing.has(m.upload) ? '' : `its finished file is wrong or missing (state ${row.state})`;
	if (m.complete) return 'it was complete and is not';
	const least = level === 'full' ? m.offset : m.sure;
	if (row.offset < least) return `offset ${row.offset}, ${least} was told`;
	return part(at, row.file, row.base, row.offset).equals(data(m.name, m.length).subarray(0, row.offset)) ? '' : `the bytes below its offset ${row.offset} are wrong`;
}

function judgeRecording(at, rows, sid, chunks, closed) {
	const take = rows.s.find(s => s.sid === sid);
	if (!take) return 'its chunks are forgotten';
	if (take.state === 2) {
		const file = finished(at, rows, sid);
		const want = Buffer.concat([...chunks].sort((a, b) => a.idx - b.idx).map(c => data(c.name, c.n)));
		// the last chunk's answer may not have been heard
		return file && (file.equals(want) || (!closed && file.length > want.length)) ? '' : 'its finished file is wrong or missing';
	}
	if (closed) return `it was completed, its state is ${take.state}`;
	for (const c of chunks) {
		const row = rows.c.find(x => x.session === take.n && x.idx === c.idx);
		if (!row) return `chunk ${c.idx} is forgotten`;
		if (!part(at, row.file, row.base, row.length).equals(data(c.name, c.n))) return `the bytes of chunk ${c.idx} are wrong`;
	}
	return take.done === take.noted && take.done === take.chunks ? '' : `done ${take.done}, noted ${take.noted}, rows ${take.chunks}`;
}

// What is wrong with a disk, by our own programs; first interrupted finishing is ended as at a start.
function judge(at, t, level) {
	const out = [], reaped = program('tusctl', ['reap', '--json'], at);
	if (reaped.code !== 0) out.push(`tusctl reap: ${reaped.err.slice(0, 300)}`);
	const check = program('tusctl', ['check', '--json'], at);
	if (check.code !== 0 && !/"findings":\[(\{[^{}]*(orphan|without|unlisted)[^{}]*\},?)*\]/.test(check.out)) out.push(`tusctl check: ${check.out.slice(0, 500)} ${check.err.slice(0, 300)}`);
	const rows = rowsAt(at);
	if (!rows) return [...out, 'the ledger cannot be read'];
	for (const m of t.uploads.values()) { const w = judgeUpload(at, rows, m, t, level); if (w) out.push(`upload ${m.upload}: ${w}`); }
	for (const [sid, chunks] of t.chunks) { const w = judgeRecording(at, rows, sid, chunks, t.closed.get(sid)); if (w) out.push(`recording ${sid}: ${w}`); }
	return out;
}

async function replay(level, order) {
	const dir = path.join(scratch, `${level}-${order}`), random = randomOf(seed);
	fs.mkdirSync(dir);
	const { root, records } = await record(level, dir);
	const marks = records.map((r, i) => (r.kind === 'mark' ? i : -1)).filter(i => i >= 0);
	// moments in the order of time: the tape is played once
	const moments = Array.from({ length: states }, () => random.int(marks[0], records.length)).sort((a, b) => a - b);
	const tape = new Tape(records, root, order === 'journal');
	let bad = 0, looked = 0;
	for (const [i, moment] of moments.entries()) {
		while (tape.at < moment) tape.step();
		const at = path.join(dir, `state-${i}`), t = told(tape.marks), keep = random.pick([0, 0.3, 0.7, 0.95]);
		fs.mkdirSync(at);
		tape.state(at, random, keep);
		const wrong = judge(at, t, level);
		looked += t.uploads.size + t.chunks.size;
		bad += wrong.length;
		for (const w of wrong.slice(0, 5)) console.log(`VIOLATION ${level} ${order}, record ${moment} of ${records.length}, kept ${keep}: ${w}`);
		if (!wrong.length) fs.rmSync(at, { recursive: true });
		fs.rmSync(`${at}-run`, { recursive: true, force: true });
		if (bad && first) break;
	}
	console.log(`${level}, ${order}: seed ${seed}, ${records.length} records, ${marks.length} answers, ${states} states, ${looked} uploads and recordings looked at, ${bad} violations`);
	return bad;
}

let code = 1;
try {
	let bad = 0;
	for (const level of levels) for (const order of orders) bad += await replay(level, order);
	code = bad ? 1 : 0;
} catch (e) {
	console.log(e);
} finally {
	if (code === 0 && !process.argv.includes('--keep')) fs.rmSync(scratch, { recursive: true, force: true });
	else console.log(`scratch folder kept: ${scratch}`);
	process.exit(code);
}
