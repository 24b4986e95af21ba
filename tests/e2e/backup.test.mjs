// backup.test.mjs - a backup in the middle of uploads, restored elsewhere: every byte that was acknowledged before it began is there. And the start of a
// pool that ends what a killed one had begun.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { bytes } from './lib/data.mjs';
import { request, until } from './lib/http.mjs';
import { build, check, everything, scratch, start } from './lib/server.mjs';
import { head, made, patch, remove } from './lib/tus.mjs';
import { assembled, complete, download, newSid, sendChunk, status, verify } from './lib/wave.mjs';

const settings = { TUS_EXPIRATION: '86400', REAP_INTERVAL: '1' };
const tusctl = (data, ...args) => new Promise(done => {
	const p = spawn(path.join(build, 'tusctl'), ['--data', data, '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', err = '';
	p.stdout.on('data', d => { out += d; });
	p.stderr.on('data', d => { err += d; });
	p.on('close', code => done({ code, out, err, json: () => JSON.parse(out) }));
});

const PIECE = 50000;

// Clients that note what they were told, until they are stopped.
class Load {
	constructor(server) {
		this.server = server;
		this.going = true;
		this.uploads = new Map();      // path -> {seed, length, offset, deleted}
		this.chunks = new Map();       // sid/index -> {seed, length}
		this.finished = new Map();     // sid -> {chunks, name}
		this.errors = [];
		this.seed = 1;
	}

	async tus() {
		while (this.going) {
			const u = { seed: this.seed++, length: PIECE * (1 + this.seed % 6), offset: 0, deleted: false };
			const at = await made(this.server, { length: u.length });
			this.uploads.set(at, u);
			while (this.going && u.offset < u.length) {
				const res = await patch(this.server, at, u.offset, bytes(u.seed, u.offset, Math.min(PIECE, u.length - u.offset)));
				if (res.status !== 204) throw new Error(`PATCH answered ${res}`);
				u.offset = Number(res.headers['upload-offset']);
				if (u.seed % 7 === 0 && u.offset > PIECE) {
					u.deleted = true;
					await remove(this.server, at);
					break;
				}
			}
		}
	}

	async recorder() {
		while (this.going) {
			const sid = newSid();
			const n = 3 + this.seed % 5, order = [...Array(n).keys()];
			if (this.seed % 2) order.reverse();        // parked, and joined in the end
			const seeds = [];
			for (const i of order) {
				if (!this.going) return;
				const c = { seed: this.seed++, length: 1000 + this.seed % 90000 };
				const res = await sendChunk(this.server, sid, i, bytes(c.seed, 0, c.length));
				if (res.status >= 300) throw new Error(`chunk answered ${res}`);
				this.chunks.set(`${sid}/${i}`, c);
				seeds[i] = c;
			}
			const res = await complete(this.server, sid, 'Take.webm');
			if (res.status >= 300) throw new Error(`complete answered ${res}`);
			await assembled(this.server, sid);
			this.finished.set(sid, seeds);
		}
	}

	begin() {
		this.running = [this.tus(), this.tus(), this.tus(), this.recorder(), this.recorder(), this.recorder()].map(p => p.catch(e => this.errors.push(e)));
	}

	// What was acknowledged by now; what is deleted later may be gone.
	known() {
		return { uploads: [...this.uploads].map(([at, u]) => ({ at, seed: u.seed, length: u.length, offset: u.offset })).filter(u => !this.uploads.get(u.at).deleted),
			chunks: [...this.chunks], finished: [...this.finished] };
	}

	async end() {
		this.going = false;
		await Promise.all(this.running);
		if (this.errors.length) throw this.errors[0];
	}
}

const joined = seeds => Buffer.concat(seeds.map(c => Buffer.from(bytes(c.seed, 0, c.length))));

async function compare(server, known, load) {
	for (const u of known.uploads) {
		if (load.uploads.get(u.at).deleted) continue;
		const res = await head(server, u.at);
		assert.equal(res.status, 200, `${u.at}: ${res}`);
		let offset = Number(res.headers['upload-offset']);
		assert.ok(offset >= u.offset, `${u.at}: ${offset} of ${u.offset} acknowledged bytes`);
		// It goes on from there to its end, and is what was sent.
		if (offset < u.length) offset = Number((await patch(server, u.at, offset, bytes(u.seed, offset, u.length - offset))).headers['upload-offset']);
		assert.equal(offset, u.length);
		const whole = await until(async () => { const r = await request(server, 'GET', u.at); return r.status === 200 && r; }, { what: 'the file' });
		assert.ok(Buffer.from(bytes(u.seed, 0, u.length)).equals(whole.body), `${u.at} has other bytes`);
	}
	for (const [key] of known.chunks) {
		const [sid, i] = key.split('/');
		assert.equal((await verify(server, sid, i)).exists, true, `chunk ${key}`);
	}
	for (const [sid, seeds] of known.finished)
		assert.ok(joined(seeds).equals((await download(server, sid, 'Take.webm')).body), `${sid} has other bytes`);
}

check('a_backup_under_load_has_all_that_was_acknowledged', async t => {
	const server = await start({ settings });
	const dir = scratch();
	let again;
	try {
		const load = new Load(server);
		load.begin();
		const rounds = everything ? 5 : 2, known = [];
		for (let i = 0; i < rounds; i++) {
			await until(() => load.finished.size > 5 * (i + 1) && load.uploads.size > 8 * (i + 1) || load.errors.length, { what: 'something to back up', timeout: 30000 });
			known.push(load.known());
			const res = await tusctl(server.data, 'backup', path.join(dir, `b${i}`));
			assert.equal(res.code, 0, res.err + res.out);
			const said = res.json();
			t.diagnostic(`backup ${i}: ${said.uploads} uploads, ${said.sessions} sessions, ${said.recordings} files, ${said.vanished} vanished meanwhile`);
			assert.equal(said.damaged, 0);
		}
		await load.end();
		const sound = await tusctl(server.data, 'check');
		assert.equal(sound.code, 0, sound.out);
		for (let i = 0; i < rounds; i++) {
			const data = path.join(dir, `r${i}`);
			const res = await tusctl(data, 'restore', path.join(dir, `b${i}`));
			assert.equal(res.code, 0, res.err + res.out);
			const clean = await tusctl(data, 'check');
			assert.equal(clean.code, 0, clean.out);
			again = await start({ settings, dataDir: data });
			await compare(again, known[i], load);
			await again.stop();
			again = undefined;
			const after = await tusctl(data, 'check');
			assert.equal(after.code, 0, after.out);
		}
	} finally {
		if (again) await again.stop();
		await server.stop();
	}
	fs.rmSync(dir, { recursive: true, force: true });
}, { timeout: 120000 });

check('a_start_ends_what_killed_processes_had_begun', async t => {
	const server = await start({ settings: { REAP_INTERVAL: '0' } });
	try {
		const sid = newSid(), name = path.join(server.doneDir, sid, 'completed', 'Late.webm');
		for (const i of [1, 0]) await sendChunk(server, sid, i, bytes(i + 1, 0, 5000));
		// Its folder cannot be made: the recording is closed, but gets no file.
		fs.writeFileSync(path.join(server.doneDir, sid), '');
		await complete(server, sid, 'Late.webm');
		await until(async () => (await status(server, sid)).text.includes('"finishing"'), { what: 'a recording that is being finished' });
		fs.rmSync(path.join(server.doneDir, sid));
		const began = Date.now();
		await server.waitWorkersBack(server.killWorkers());
		await until(() => fs.existsSync(name), { what: 'the finished file', timeout: 8000 });
		t.diagnostic(`finished ${Date.now() - began} ms after the kill`);
		assert.ok(Buffer.concat([Buffer.from(bytes(1, 0, 5000)), Buffer.from(bytes(2, 0, 5000))]).equals(fs.readFileSync(name)));
	} finally {
		await server.stop();
	}
});
