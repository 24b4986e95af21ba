// uploads.mjs - clients with one tus upload each: whole ones and chunks. Cuts, fights, deferred lengths, removals.
import { createHash } from 'node:crypto';
import { sleep } from '../e2e/lib/http.mjs';
import { TUS, patchHeaders, OFFSET_TYPE } from '../e2e/lib/tus.mjs';
import { metadata } from '../e2e/lib/data.mjs';
import { Content } from './content.mjs';
import { Thing } from './world.mjs';

export const checksum = body => ({ 'Upload-Checksum': `sha256 ${createHash('sha256').update(body).digest('base64')}` });

export class Upload extends Thing {
	constructor(world, random, name, length) {
		super(world, name);
		this.random = random;
		this.length = length;
		this.content = new Content(name);
		this.path = null;
		this.complete = false;
		this.gone = false;
		this.asked = Date.now();
	}

	told(offset, by) {
		const wrong = this.content.told(offset, by);
		if (wrong) this.wrong(wrong);
		this.asked = Date.now();
		if (offset === this.length) this.complete = true;
	}

	get wedged() { return Date.now() - this.asked > this.world.patience; }

	// Method and headers of its creation with the first bytes.
	creation({ meta, deferred, first }) {
		return { method: 'POST', headers: { ...TUS, ...(deferred ? { 'Upload-Defer-Length': 1 } : { 'Upload-Length': this.length }), ...(meta ? { 'Upload-Metadata': meta } : {}),
			...(first ? { 'Content-Type': OFFSET_TYPE } : { 'Content-Length': 0 }) } };
	}

	created() {}

	// Creates it, however often that takes. Who got no answer may have made an upload that nobody knows: that is no loss.
	async create({ path = '/files/', meta, deferred = false, withData = false } = {}) {
		// the last byte brings the length with it
		const first = withData ? this.random.int(1, this.length - (deferred ? 1 : 0)) : 0;
		for (;;) {
			const body = withData ? this.content.bytes(0, 0, first) : undefined;
			const { method, headers } = this.creation({ meta, deferred, first });
			const res = await this.world.ask(this, method, method === 'PUT' ? `/upload/${this.name}` : path, { headers, body });
			if (res?.status === 201) {
				this.path = new URL(res.headers.location, 'http://localhost').pathname;
				this.deferred = deferred;
				this.known = true;
				const sent = this.content.sending(0, first);
				if (res.headers['upload-offset'] !== undefined) this.told(Number(res.headers['upload-offset']), sent);
				this.created(res);
				this.world.things.add(this);
				return true;
			}
			if (res && !this.world.passes(res.status)) {
				this.wrong(`creation answered ${res}`);
				return false;
			}
			if (this.wedged) { this.wrong('wedged: it cannot be created'); return false; }
			await sleep(this.random.int(5, 100));
		}
	}

	get asking() { return { headers: TUS }; }

	heard(res) { this.told(Number(res.headers['upload-offset'])); }

	// Where it goes on. -1: gone.
	async head() {
		for (;;) {
			const res = await this.world.ask(this, 'HEAD', this.path, this.asking);
			if (res && res.status >= 200 && res.status < 300) {
				this.heard(res);
				return this.content.known;
			}
			if (res && this.gone && [404, 410].includes(res.status)) return -1;
			if (res && res.status !== 423) { this.wrong(`HEAD of a living upload answered ${res}`); return -1; }
			if (this.wedged) { this.wrong('wedged: HEAD gives nothing'); return -1; }
			await sleep(this.random.int(10, 150));
		}
	}

	lengthHeader(end) { return this.deferred && (end === this.length || this.random.chance(0.3)) ? { 'Upload-Length': this.length } : {}; }

	appending(at, n) { return patchHeaders(at, this.lengthHeader(at + n)); }

	succeeded(res) { return res.status === 204; }

	get mismatched() { return 460; }

	async patch(at, n, v = 0) {
		const checked = this.random.chance(0.3);
		const body = this.content.sending(at, n, v, checked), sent = this.content.bytes(v, at, n);
		const res = await this.world.ask(this, 'PATCH', this.path, { headers: { ...this.appending(at, n), ...(checked ? checksum(sent) : {}) }, body: sent });
		if (!res) return null;
		if (this.succeeded(res)) return { ok: true, offset: Number(res.headers['upload-offset']), body, sent };
		if (!this.world.passes(res.status)) this.wrong(`PATCH answered ${res}`);
		return { ok: false, status: res.status };
	}

	// Other bytes than its checksum announces: none of them may ever be found.
	async mismatch(at, n) {
		const res = await this.world.ask(this, 'PATCH', this.path, { headers: { ...this.appending(at, n), ...checksum(this.content.bytes(0, at, n)) }, body: this.content.bytes(2, at, n) });
		const refused = [460, this.mismatched].includes(res?.status);
		if (res && !refused && !this.world.passes(res.status)) this.wrong(`PATCH with a wrong checksum answered ${res}`);
		if (refused) this.world.count.mismatches++;
	}

	// One step of a client that knows the offset.
	async step() {
		const at = this.content.known, left = this.length - at, n = Math.min(left, this.random.size(1, 1 << 20));
		if (this.random.chance(0.2)) {
			const all = this.random.chance(0.5) ? left : n;
			this.content.sending(at, all);
			await this.world.cut(this, 'PATCH', this.path, this.appending(at, all), this.content.bytes(0, at, all), this.random.int(0, all), this.random);
		} else if (this.random.chance(0.12)) {
			await this.fight(at, n);
		} else if (this.random.chance(0.08)) {
			await this.mismatch(at, n);
		} else {
			const r = await this.patch(at, n);
			if (r?.ok) return void this.told(r.offset, r.body);
		}
		this.world.count.resumes++;
		await this.head();
	}

	// Two clients at one offset with different bytes: at most one of them may be told that it won.
	async fight(at, n) {
		this.world.count.fights++;
		const cuts = this.world.powerCuts;
		const second = async () => {
			await sleep(this.random.int(0, 15));
			return this.patch(at, Math.max(1, this.random.int(Math.floor(n / 2), n)), 1);
		};
		const both = await Promise.all([this.patch(at, n, 0), second()]);
		if (cuts !== this.world.powerCuts) return;   // what one was told before is not true for the other afterwards
		const won = both.filter(r => r?.ok);
		this.world.count.displaced += both.filter(r => r && !r.ok && r.status === 409).length;
		// A byte or two may be the same by chance: then the second one is told of a complete chunk that it has these bytes, which is true.
		const same = won.length > 1 && won[0].offset === this.length && won[0].sent.equals(won[1].sent);
		if (same) return void this.told(won[0].offset, won[0].body);
		if (won.length > 1) this.wrong(`two clients were told that they had written at ${at}`);
		if (won.length === 1 && won[0].offset !== won[0].body.end) this.wrong(`a success with offset ${won[0].offset}, expected ${won[0].body.end}`);
		if (won.length === 1) this.told(won[0].offset, won[0].body);
	}

	async finish() {
		while (!this.complete && !this.wedged) {
			const before = this.content.known;
			await this.step();
			if (this.gone) return false;
			if (this.content.known > before) this.asked = Date.now();
		}
		if (!this.complete) this.wrong(`wedged at ${this.content.known} of ${this.length}`);
		return this.complete;
	}

	async remove() {
		for (let first = true; ; first = false) {
			const res = await this.world.ask(this, 'DELETE', this.path, this.asking);
			this.gone = true;
			if (res && (res.status === 204 || (!first && [404, 410].includes(res.status)))) break;
			if (res && !this.world.passes(res.status)) this.wrong(`DELETE answered ${res}`);
			if (this.wedged) { this.wrong('wedged: it cannot be removed'); break; }
			await sleep(this.random.int(10, 100));
		}
		this.removed = true;
		this.world.count.removed++;
	}
}

// A whole upload, from creation to the comparison of the download.
export async function wholeUpload(world, random, name, kind = Upload) {
	const u = new kind(world, random, name, random.size(1, 3 << 20));
	if (!await u.create({ deferred: u.length > 1 && random.chance(0.25), withData: random.chance(0.25), meta: metadata({ filename: `${name}.bin` }) })) return;
	if (random.chance(0.15)) {
		if (!u.complete) await u.step();
		await u.remove();
		return;   // it stays among the things: nobody may ever find it again
	}
	if (await u.finish()) await downloaded(u, u.path, stored => u.content.compare(stored));
	world.things.delete(u);
}

// A file that has its digest already tells the right one. '' or what is wrong.
function digested(world, res) {
	const told = res.headers['repr-digest'];
	if (told === undefined) return '';
	world.count.digests++;
	const right = `sha-256=:${createHash('sha256').update(res.body).digest('base64')}:`;
	return told === right ? '' : `Repr-Digest ${told} of a file that has ${right}`;
}

// Asks for the file until it is there; judge: '' or what is wrong with it.
export async function downloaded(thing, path, judge) {
	for (const began = Date.now(); ;) {
		const res = await thing.world.ask(thing, 'GET', path);
		if (res?.status === 200) {
			const wrong = judge(res.body) || digested(thing.world, res);
			if (wrong) thing.wrong(`download: ${wrong}`);
			else thing.world.count.finished++;
			thing.world.files?.set(thing, { thing, path, judge });
			return;
		}
		if (res && !thing.world.passes(res.status)) return void thing.wrong(`download answered ${res}`);
		if (Date.now() - began > thing.world.patience) return void thing.wrong(`wedged: no file, ${res}`);
		await sleep(50);
	}
}
