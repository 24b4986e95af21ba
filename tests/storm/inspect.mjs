// inspect.mjs - looks at a server at rest: every row and every byte against what clients were told. The numbers name the invariants (tests/README.md).
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { build } from '../e2e/lib/server.mjs';
import { request } from '../e2e/lib/http.mjs';
import { Recording } from './sessions.mjs';
import { Whole } from './wholes.mjs';

export function rowsOf(server) {
	const r = spawnSync(path.join(build, 'tests/rows'), [path.join(server.data, 'tus_sessions/tus.db')], { maxBuffer: 1 << 28, encoding: 'utf8' });
	if (r.status !== 0) throw new Error(`rows: ${r.stderr}`);
	const out = { u: [], c: [], s: [], p: [], r: [] };
	for (const l of r.stdout.split('\n')) if (l) { const o = JSON.parse(l); out[Object.keys(o)[0]].push(o); }
	return out;
}

export const partPath = (server, file) => path.join(server.partsDir, 'parts', `shard_${String(Math.floor(file / 1000)).padStart(4, '0')}`, `${file}.part`);

// Bytes of a part file; null if it is not there.
export function stored(server, file, base, n) {
	if (n === 0) return Buffer.alloc(0);
	let fd;
	try { fd = fs.openSync(partPath(server, file), 'r'); } catch { return null; }
	const b = Buffer.alloc(n), got = fs.readSync(fd, b, 0, n, base);
	fs.closeSync(fd);
	return b.subarray(0, got);
}

const bitsSet = hex => [...(hex ?? '')].reduce((n, c) => n + [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4][parseInt(c, 16)], 0);

function sessions(rows, world) {
	for (const s of rows.s) {
		if (s.state === 4) continue;
		if (s.done !== s.noted || s.done !== bitsSet(s.bits) || ([0, 1].includes(s.state) && s.done !== s.chunks))
			world.violations.push(`5: take ${s.sid}/${s.take}: done ${s.done}, noted ${s.noted}, bits ${bitsSet(s.bits)}, rows ${s.chunks}`);
	}
}

// 1, 2: bytes below the row's offset are what was sent, and the offset is not below what was told; unless the power was cut at a level that allows it.
function upload(server, rows, u, rollback) {
	const row = u.chunk ? rows.u.find(r => r.sid === u.chunk.recording.sid && r.idx === u.chunk.idx) : rows.u.find(r => r.id === u.path?.split('/').pop());
	if (!row) {
		if (u.path && !u.chunk && !u.removed) u.wrong('9: it has no row');
		return;
	}
	if (u.removed) {
		server.looked.gone++;
		if (row.state !== 3) u.wrong(`9: it was removed, its row has state ${row.state}`);
		return;
	}
	// A complete part keeps its bytes, wherever they are now.
	if ((row.state !== 0 && !(row.state === 2 && row.concat === 1)) || u.gone) return;
	const have = stored(server, row.file, row.base, row.offset);
	server.looked.told++;
	if (rollback && !u.durable && row.offset < u.content.known) {
		server.looked.back++;
		u.content.rollback(row.offset);
	}
	const wrong = have ? u.content.compare(have) : row.offset > 0 ? 'its part file is missing' : '';
	if (wrong) u.wrong(`1: ${wrong} (row ${row.n}, file ${row.file}, base ${row.base}, offset ${row.offset})`);
}

// 1: what is joined are the bytes of the parts, in their order; and nobody waits for what is not there.
function whole(server, rows, w) {
	const row = rows.u.find(r => r.id === w.path?.split('/').pop());
	if (!row) return void (w.path && !w.removed && w.wrong('9: it has no row'));
	if (w.removed && row.state !== 3) w.wrong(`9: it was removed, its row has state ${row.state}`);
	if (w.removed || w.gone || row.state !== 0) return;
	const have = stored(server, row.file, 0, row.offset);
	const wrong = !have || have.length < row.offset ? 'its bytes are missing' : w.compare(have);
	if (wrong) w.wrong(`1: ${wrong} (row ${row.n}, file ${row.file}, offset ${row.offset})`);
}

function partRows(rows, world) {
	for (const p of rows.p)
		if (p.waits !== 0 || p.whole !== 2 || p.concat !== 1 || ![0, 2, 3].includes(p.state) || (p.state === 2 && p.own === 0))
			world.violations.push(`9: a part: ${JSON.stringify(p)}`);
	for (const u of rows.u)
		if (u.concat !== 0 && u.own !== 0 && u.state === 3 && !rows.p.some(p => p.upload === u.n)) world.violations.push(`9: kept for nobody: ${JSON.stringify(u)}`);
}

// 4: acknowledged chunks are there with their bytes.
function recording(server, rows, r) {
	if (r.removed || r.gone || r.file) return;
	const take = rows.s.filter(s => s.sid === r.sid).sort((a, b) => b.take - a.take)[0];
	for (const c of r.chunks) {
		if (!c.acked) continue;
		if (!take) return void r.wrong('4: acknowledged chunks, but no session');
		const row = rows.c.find(x => x.session === take.n && x.idx === c.idx);
		if (!row) { r.wrong(`4: chunk ${c.idx} was acknowledged and has no row (state ${take.state})`); continue; }
		server.looked.chunks++;
		if (take.state !== 0) continue;   // its bytes are on their way to the finished file, which is compared as a whole
		const have = stored(server, row.file, row.base, row.length);
		if (!have || !r.ends(c, have, 0).includes(row.length)) r.wrong(`4: chunk ${c.idx} (file ${row.file}, base ${row.base}, ${row.length} bytes) is not what was sent`);
	}
}

async function answers(world, thing) {
	if (thing instanceof Recording || !thing.path || thing.chunk) return;
	const res = await request(world.server, 'HEAD', thing.path, thing.asking);
	if (thing.removed ? ![404, 410].includes(res.status) : !thing.gone && ![200, 204].includes(res.status)) thing.wrong(`3: HEAD at rest answered ${res}`);
	else if (!thing.removed && !thing.gone) thing.heard(res);
}

// What a kill between a commit and the removal of a file leaves behind: space, but no lie. It is counted and told; `tusctl check --repair` is for it.
const SCRAP = ['file-unlisted', 'note-alone', 'leftover', 'orphan-part'];

function tusctl(world) {
	const r = spawnSync(path.join(build, 'tusctl'), ['check', '--json'], { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, LD_PRELOAD: '', ...world.server.settings, DATA_DIR: world.server.data } });
	let findings;
	try { ({ findings } = JSON.parse(r.stdout)); } catch { /* it could not look */ }
	for (const f of findings ?? []) if (SCRAP.includes(f.what)) world.scrap.set(`${f.what} ${f.where}`, f.what);
	const lies = findings?.filter(f => !SCRAP.includes(f.what));
	if (r.status !== 0 && (!findings?.length || lies.length))
		world.violations.push(`8: tusctl check: ${(lies ? JSON.stringify(lies) : r.stdout).slice(0, 2000)} ${r.stderr.slice(0, 500)}`);
}

function bounds(world) {
	const wal = path.join(world.server.data, 'tus_sessions/tus.db-wal');
	const size = fs.existsSync(wal) ? fs.statSync(wal).size : 0;
	if (size > 64 << 20) world.violations.push(`10: the WAL has ${size} bytes`);
	for (const pid of world.server.workers()) {
		let n = 0;
		try { n = fs.readdirSync(`/proc/${pid}/fd`).length; } catch { /* it ended */ }
		if (n > 160) world.violations.push(`10: worker ${pid} has ${n} descriptors at rest`);
	}
	return size;
}

// 4: what was finished and compared once is there still.
async function files(world) {
	for (const f of world.files?.values() ?? []) {
		const res = await request(world.server, 'GET', f.path);
		const wrong = res.status === 200 ? f.judge(res.body) : `it answered ${res}`;
		world.count.checked++;
		if (wrong) f.thing.wrong(`4: a finished file: ${wrong}`);
	}
}

// The world stands still. Looks at everything; what it finds becomes violations. rollback: offsets of unfinished uploads may have gone back.
export async function inspect(world, { rollback = false } = {}) {
	const rows = rowsOf(world.server);
	world.server.looked = world.count;
	sessions(rows, world);
	partRows(rows, world);
	for (const t of world.things)
		if (t instanceof Whole) whole(world.server, rows, t);
		else if (t instanceof Recording) recording(world.server, rows, t);
		else upload(world.server, rows, t, rollback);
	for (const t of [...world.things]) await answers(world, t);
	await files(world);
	tusctl(world);
	return { wal: bounds(world), uploads: rows.u.length, sessions: rows.s.length };
}
