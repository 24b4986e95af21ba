// wholes.mjs - clients whose uploads are made of uploads: final ones before and after their parts are complete, several of the same parts, deletions of either.
import { sleep } from '../e2e/lib/http.mjs';
import { metadata } from '../e2e/lib/data.mjs';
import { TUS } from '../e2e/lib/tus.mjs';
import { Thing } from './world.mjs';
import { Upload, downloaded } from './uploads.mjs';

const PARTIAL = { 'Upload-Concat': 'partial' };

// What a client knows of a final upload. It owes nothing any more (gone) once it was removed, or a part that it waited for was.
export class Whole extends Thing {
	constructor(world, random, name, parts) {
		super(world, name);
		Object.assign(this, { random, parts, path: null, complete: false, gone: false, removed: false, asked: Date.now() });
		this.length = parts.reduce((n, p) => n + p.length, 0);
	}

	get wedged() { return Date.now() - this.asked > this.world.patience; }

	get asking() { return { headers: TUS }; }

	async create() {
		const list = `final;${this.parts.map(p => p.path).join(' ')}`;
		for (;;) {
			const headers = { ...TUS, 'Upload-Concat': list, 'Upload-Metadata': metadata({ filename: `${this.name}.bin` }), 'Content-Length': 0 };
			const res = await this.world.ask(this, 'POST', '/files/', { headers });
			if (res?.status === 201) {
				this.path = new URL(res.headers.location, 'http://localhost').pathname;
				this.world.things.add(this);
				return true;
			}
			if (res && !this.world.passes(res.status)) { this.wrong(`a final upload answered ${res}`); return false; }
			if (this.wedged) { this.wrong('wedged: it cannot be created'); return false; }
			await sleep(this.random.int(5, 100));
		}
	}

	// What a HEAD says of it. Complete is for ever, and there is no offset but the last one.
	heard(res) {
		if (this.gone && [404, 410].includes(res.status)) return;
		const offset = res.headers['upload-offset'];
		if (res.status !== 200) this.wrong(`HEAD of a final upload answered ${res}`);
		else if (offset === undefined ? this.complete : Number(offset) !== this.length) this.wrong(`it has offset ${offset} of ${this.length}${this.complete ? ', and was complete' : ''}`);
		this.complete ||= offset !== undefined;
	}

	// By itself, whoever dies meanwhile.
	async wait() {
		for (this.asked = Date.now(); !this.complete && !this.wedged; await sleep(this.random.int(20, 200))) {
			const res = await this.world.ask(this, 'HEAD', this.path, this.asking);
			if (res && res.status !== 423) this.heard(res);
			if (this.gone) return false;
		}
		if (!this.complete) this.wrong('wedged: it is not made of its parts');
		return this.complete;
	}

	// '' or what is wrong with these bytes, which may end in the middle.
	compare(stored) {
		let at = 0;
		for (const p of this.parts) {
			const have = stored.subarray(at, at + p.length);
			if (have.length === 0) break;
			const wrong = have.length === p.length ? p.content.compare(have) : p.begins(have);
			if (wrong) return `in part ${p.name} at ${at}: ${wrong}`;
			at += p.length;
		}
		return stored.length > this.length ? `${stored.length} bytes of ${this.length}` : '';
	}

	judge(stored) { return stored.length === this.length ? this.compare(stored) : `${stored.length} bytes of ${this.length}`; }
}
Whole.prototype.remove = Upload.prototype.remove;

class Part extends Upload {
	creation(how) {
		const { method, headers } = super.creation(how);
		return { method, headers: { ...headers, ...PARTIAL } };
	}

	// '' if these are the first of its bytes.
	begins(have) {
		let at = 0;
		for (const s of this.content.segs) {
			const part = have.subarray(s.from, Math.min(s.to, have.length));
			if (part.length && !s.versions.some(v => part.equals(this.content.bytes(v, s.from, part.length)))) return `bytes [${s.from}, ${s.from + part.length}) are nobody's`;
			at = s.to;
		}
		return have.length > at ? `${have.length} bytes, ${at} are known` : '';
	}
}

async function makeParts(world, random, name) {
	const parts = Array.from({ length: random.int(2, 4) }, (_, i) => new Part(world, random, `${name}p${i}`, random.size(1, 1 << 19)));
	const made = await Promise.all(parts.map(p => p.create({ deferred: p.length > 1 && random.chance(0.2), withData: random.chance(0.25) })));
	return made.every(Boolean) ? parts : [];
}

// Sends them all; one may be removed as soon as it is complete, if its final upload has its name already.
async function sendParts(random, parts, named) {
	const victim = named && random.chance(0.3) ? random.pick(parts) : null;
	await Promise.all(parts.map(async p => { if (await p.finish() && p === victim) await p.remove(); }));
}

// A part that still runs is removed: what waits for it goes, and the others stay.
async function breakOff(random, whole) {
	const running = whole.parts.filter(p => !p.complete);
	if (!running.length) return false;
	whole.gone = true;
	await random.pick(running).remove();
	for (const began = Date.now(); Date.now() - began < whole.world.patience; await sleep(random.int(20, 200))) {
		const res = await whole.world.ask(whole, 'HEAD', whole.path, whole.asking);
		if (res && [404, 410].includes(res.status)) return true;
	}
	whole.wrong('wedged: it waits for a part that was removed');
	return true;
}

async function end(random, parts, wholes) {
	for (const w of wholes) if (w.complete) await downloaded(w, w.path, b => w.judge(b));
	const all = random.shuffle([...parts, ...wholes.filter(w => w.complete)]).filter(t => !t.removed && random.chance(0.6));
	for (const t of all) {
		t.world.files?.delete(t);
		await t.remove();
	}
	// Who still lives still gives its bytes.
	for (const w of wholes) if (w.complete && !w.removed) await downloaded(w, w.path, b => w.judge(b));
}

// Final ones of these parts, made of them and compared.
async function makeWholes(world, random, name, parts, wholes) {
	const early = random.chance(0.5), first = new Whole(world, random, `${name}w`, parts);
	wholes.push(first);
	if (early && !await first.create()) return;
	if (early && random.chance(0.1) && await breakOff(random, first)) return;
	await sendParts(random, parts, early);
	if (!parts.some(p => p.removed) && random.chance(0.4))
		wholes.push(new Whole(world, random, `${name}x`, Array.from({ length: random.int(1, 4) }, () => random.pick(parts))));
	const made = await Promise.all(wholes.map(w => w.path || w.create()));
	if (!made.every(Boolean)) return;
	await Promise.all(wholes.map(w => w.wait()));
	world.count.joined += wholes.length;
	await end(random, parts, wholes);
}

// Parts, from their creation to what is left of them and of what was made of them. Those that were removed stay among the things: nobody may ever find them again.
export async function madeOfParts(world, random, name) {
	const parts = await makeParts(world, random, name), wholes = [];
	if (parts.length) await makeWholes(world, random, name, parts, wholes);
	for (const t of [...parts, ...wholes]) if (!t.removed) world.things.delete(t);
}

// Parts that nobody asks for any more, of a final upload that is there.
export async function leaveParts(world, random, name) {
	const parts = await makeParts(world, random, name);
	if (!parts.length) return;
	await sendParts(random, parts, false);
	const whole = new Whole(world, random, `${name}w`, parts);
	if (!await whole.create() || !await whole.wait()) return;
	await downloaded(whole, whole.path, b => whole.judge(b));
	world.left.push(...parts);
}
