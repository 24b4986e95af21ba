// sessions.mjs - clients with recordings in chunks: by tus and by form, in any order, sent again, replaced, completed, renamed, cancelled.
import { sleep } from '../e2e/lib/http.mjs';
import { chunkForm, multipart } from '../e2e/lib/multipart.mjs';
import { bytes } from '../e2e/lib/data.mjs';
import { chunkMeta } from '../e2e/lib/wave.mjs';
import { Thing } from './world.mjs';
import { Upload, downloaded } from './uploads.mjs';

class Chunk {
	constructor(recording, idx) {
		this.recording = recording;
		this.idx = idx;
		this.acked = null;      // what the client was told is there: {v, n}
		this.maybe = [];        // sent, and not answered: may be there as well, now or later
	}

	bytes({ v, n }) { return bytes(`${this.recording.sid} ${this.idx} v${v}`, 0, n); }
	versions() { return [...(this.acked ? [this.acked] : []), ...this.maybe]; }
}

class Recording extends Thing {
	constructor(world, random, sid, count, total) {
		super(world, sid);
		Object.assign(this, { random, sid, total, gone: false, file: null, touched: Date.now() });
		this.chunks = Array.from({ length: count }, (_, i) => new Chunk(this, i));
		world.things.add(this);
	}

	get wedged() { return Date.now() - this.touched > this.world.patience; }

	// A chunk by form. Again until the server has answered that it has these bytes.
	async form(chunk, version) {
		const data = chunk.bytes(version);
		const fields = { session_id: this.sid, chunk_index: chunk.idx, ...(this.total ? { total_chunks: this.total } : {}), format: 'webm', recording_name: 'storm' };
		const { body, headers } = chunkForm(fields, data);
		for (;;) {
			if (this.random.chance(0.1)) {
				// a form without its end: nothing of it may stay
				await this.world.cut(this, 'POST', '/upload/chunk', headers, body, this.random.int(0, body.length - 8), this.random);
				continue;
			}
			chunk.maybe.push(version);
			const res = await this.world.ask(this, 'POST', '/upload/chunk', { headers, body });
			if (res) chunk.maybe.splice(chunk.maybe.lastIndexOf(version), 1);
			if (res?.status === 200) {
				chunk.acked = version;
				this.touched = Date.now();
				return true;
			}
			if (res && !this.world.passes(res.status)) { this.wrong(`chunk ${chunk.idx} answered ${res}`); return false; }
			// an error may have come after the work was done, and a broken connection says nothing
			chunk.maybe.push(version);
			if (this.wedged) { this.wrong(`wedged: chunk ${chunk.idx} is not taken`); return false; }
			await sleep(this.random.int(10, 150));
		}
	}

	// A chunk by tus; the upload is judged like any other while it is on its way.
	async tus(chunk, version) {
		const u = new Upload(this.world, this.random, `${this.sid} ${chunk.idx}`, version.n);
		u.content.bytes = (v, at, n) => bytes(`${this.sid} ${chunk.idx} v${v === 0 ? version.v : 100 + v}`, at, n);
		u.chunk = chunk;
		if (!await u.create({ path: `/files/${this.sid}/chunks/`, meta: chunkMeta(chunk.idx, this.total || undefined) })) return false;
		const ok = await u.finish();
		this.world.things.delete(u);
		if (ok) {
			// a fight may have left another version in places: what was told is what must be there
			chunk.acked = version;
			chunk.content = u.content;
			this.touched = Date.now();
		}
		return ok;
	}

	async verified(chunk) {
		const res = await this.world.ask(this, 'GET', `/api/verify/${this.sid}/${chunk.idx}`);
		if (res?.status === 200 && res.json.exists !== true) this.wrong(`chunk ${chunk.idx} was acknowledged, verify says ${res.text}`);
	}

	async complete(name) {
		const { body, headers } = multipart(Object.entries({ session_id: this.sid, file_name: name, metadata: '{}' }).map(([k, value]) => ({ name: k, value })));
		for (;;) {
			const res = await this.world.ask(this, 'POST', '/recording/complete', { headers, body });
			if (res?.status === 200) return true;
			// 409 would say that chunks are missing
			if (res && (res.status === 409 || !this.world.passes(res.status))) { this.wrong(`complete answered ${res}`); return false; }
			if (this.wedged) { this.wrong(`wedged: it cannot be completed: ${res}`); return false; }
			await sleep(this.random.int(20, 150));
		}
	}

	async assembled() {
		for (;;) {
			const res = await this.world.ask(this, 'GET', `/files/${this.sid}/status`);
			if (res?.status === 200 && res.json.assembled) return res.json.file_url;
			if (res && res.status !== 200 && !this.world.passes(res.status)) { this.wrong(`status answered ${res}`); return null; }
			if (this.wedged) { this.wrong(`wedged: it is not assembled: ${res?.text}`); return null; }
			await sleep(30);
		}
	}

	// Whether these bytes are the chunks one after the other, each in a version that may be there.
	judge(file) {
		let places = [0];
		for (const c of this.chunks) {
			const next = new Set();
			for (const at of places)
				for (const end of this.ends(c, file, at)) next.add(end);
			places = [...next];
			if (!places.length) return `chunk ${c.idx} of ${this.chunks.length} is not what was sent`;
		}
		return places.includes(file.length) ? '' : `${file.length} bytes, chunks end at ${places}`;
	}

	ends(c, file, at) {
		const out = [];
		for (const v of c.versions()) {
			const have = file.subarray(at, at + v.n);
			if (have.length === v.n && (have.equals(c.bytes(v)) || (c.content && v === c.acked && !c.content.compare(have)))) out.push(at + v.n);
		}
		return out;
	}
}

const length = random => (random.chance(0.3) ? random.size(60000, 400000) : random.size(1, 30000));

async function oneChunk(r, chunk, byTus) {
	const version = { v: 0, n: length(r.random) };
	const ok = byTus ? await r.tus(chunk, version) : await r.form(chunk, version);
	if (!ok) return false;
	if (r.random.chance(0.2)) await r.verified(chunk);
	// Other bytes for a finished recording begin a new take: only while another chunk is missing, and nobody else is about to bring it.
	if (!byTus && r.alone && !r.last(chunk) && r.random.chance(0.2)) {
		const again = r.random.chance(0.5) ? version : { v: 2, n: r.random.chance(0.5) ? version.n : length(r.random) };
		r.world.count.replaced++;
		return r.form(chunk, again);
	}
	return true;
}

// sid is new. live: no total is known, chunks come in order, as from a recorder.
export async function recording(world, random, sid) {
	const live = random.chance(0.4), count = random.int(1, 7), byTus = !live && random.chance(0.6);
	const r = new Recording(world, random, sid, count, live ? 0 : count);
	const order = live ? [...r.chunks] : random.shuffle([...r.chunks]);
	r.last = chunk => !live && r.chunks.every(c => c === chunk || c.acked || c.maybe.length);
	if (random.chance(0.1)) return cancelled(r, order, byTus);
	const lanes = live ? 1 : random.int(1, 3);
	r.alone = lanes === 1;
	const lane = async () => {
		for (let c; (c = order.shift());) if (!await oneChunk(r, c, byTus && random.chance(0.8))) return false;
		return true;
	};
	const ok = (await Promise.all(Array.from({ length: lanes }, lane))).every(Boolean);
	if (!ok) return;
	const name = `${sid}.webm`;
	if ((live || random.chance(0.3)) && !await r.complete(name)) return;
	const url = await r.assembled();
	if (!url) return;
	r.file = true;
	await downloaded(r, url, f => r.judge(f));
	const rename = random.chance(0.2);
	if (rename) world.files?.delete(r);
	if (rename && await r.complete(`again ${sid}.webm`)) {
		const renamed = await r.assembled();
		if (renamed) await downloaded(r, renamed, f => r.judge(f));
	}
	world.things.delete(r);
}

// A live recorder: small chunks one after the other until it is told to stop.
export async function recorder(world, random, sid, stop) {
	const r = new Recording(world, random, sid, 0, 0);
	do {
		const chunk = new Chunk(r, r.chunks.length);
		r.chunks.push(chunk);
		if (!await r.form(chunk, { v: 0, n: random.int(1, 20000) })) return;
	} while (!stop());
	if (!await r.complete(`${sid}.webm`)) return;
	const url = await r.assembled();
	r.file = true;
	if (url) await downloaded(r, url, f => r.judge(f));
	world.things.delete(r);
}

async function cancelled(r, order, byTus) {
	const known = r.chunks.length > 1 && await oneChunk(r, order[0], byTus);
	r.gone = true;
	for (let first = true; ; first = false) {
		const res = await r.world.ask(r, 'DELETE', `/files/${r.sid}`);
		if (res && (res.status === 200 || ((!known || !first) && [404, 410].includes(res.status)))) break;
		if (res && !r.world.passes(res.status)) r.wrong(`cancel answered ${res}`);
		if (r.wedged) { r.wrong('wedged: it cannot be cancelled'); break; }
		await sleep(50);
	}
	r.removed = true;
	r.world.count.removed++;
}
export { Chunk, Recording };
