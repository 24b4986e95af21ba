// draft.mjs - clients of the IETF draft with one upload each, in every interop version; now and then another one goes on by tus.
import { createHash } from 'node:crypto';
import { TUS, patchHeaders } from '../e2e/lib/tus.mjs';
import { Upload } from './uploads.mjs';

const VERSIONS = [3, 4, 5, 6, 7, 8, 0];     // 0: none is named

export class DraftUpload extends Upload {
	constructor(world, random, name, length) {
		super(world, random, name, length);
		this.version = random.pick(VERSIONS);
		this.mixed = random.chance(0.3);
		this.may = false;           // somebody has said, or means by his protocol, that it ends
		this.durable = true;        // at every level
		// Nobody fights for what is promised: other bytes would break the promise.
		this.promise = random.chance(0.3) ? `sha-256=:${createHash('sha256').update(this.content.bytes(0, 0, length)).digest('base64')}:` : null;
	}

	get named() { return this.version ? { 'Upload-Draft-Interop-Version': this.version } : {}; }

	flag(last) { return this.version === 3 ? { 'Upload-Incomplete': last ? '?0' : '?1' } : { 'Upload-Complete': last ? '?1' : '?0' }; }

	// Whether an answer says that the upload is complete.
	says(res) { return this.version === 3 ? res.headers['upload-incomplete'] === '?0' : res.headers['upload-complete'] === '?1'; }

	told(offset, by) {
		const wrong = this.content.told(offset, by);
		if (wrong) this.wrong(wrong);
		this.asked = Date.now();
	}

	ended(res, answered = false) {
		if (!this.says(res)) return;
		// An answer that is told again may leave it out.
		if (answered && this.promise && (res.headers['repr-digest'] ?? this.promise) !== this.promise) this.wrong(`it has the digest ${res.headers['repr-digest']}`);
		if (!this.may) this.wrong('it is complete, though nobody has said so');
		if (Number(res.headers['upload-offset']) !== this.length) this.wrong(`it is complete at ${res.headers['upload-offset']}`);
		this.complete = true;
	}

	creation({ deferred, first }) {
		const whole = first === this.length;
		this.may ||= whole;
		return { method: this.random.chance(0.3) ? 'PUT' : 'POST', deferred,
			headers: { ...this.named, ...this.flag(whole), ...(deferred ? {} : { 'Upload-Length': this.length }), 'Content-Disposition': `inline; filename="${this.name}.bin"`,
				...(this.promise ? { 'Repr-Digest': this.promise, 'Want-Repr-Digest': 'sha-256=3' } : {}), ...(first ? {} : { 'Content-Length': 0 }) } };
	}

	created(res) { this.ended(res, true); }

	get asking() { return { headers: this.named }; }

	// What HEAD has said, the client's or that of who looks at all.
	heard(res) {
		if (this.complete && !this.says(res)) this.wrong('it was complete and is not');
		this.told(Number(res.headers['upload-offset']));
		this.ended(res);
	}

	async head() {
		if (!this.mixed || !this.random.chance(0.2)) return super.head();
		// What has all its bytes is complete for tus.
		this.may ||= this.content.known === this.length || this.content.bodies.some(b => b.end === this.length);
		const res = await this.world.ask(this, 'HEAD', this.path, { headers: TUS });
		if (res?.status === 200) this.told(Number(res.headers['upload-offset']));
		else if (res && res.status !== 423) this.wrong(`HEAD of a living upload answered ${res}`);
		return this.content.known;
	}

	// The headers of an append of n bytes, by either protocol.
	appending(at, n) {
		if (this.mixed && this.random.chance(0.2)) {
			this.may ||= at + n === this.length;
			return patchHeaders(at, this.lengthHeader(at + n));
		}
		const last = at + n === this.length && this.random.chance(0.8);
		this.may ||= last;
		return { ...this.named, ...this.flag(last), 'Upload-Offset': at, 'Content-Type': 'application/partial-upload', ...this.lengthHeader(at + n) };
	}

	lengthHeader(end) { return this.deferred && (end === this.length || this.random.chance(0.3)) ? { 'Upload-Length': this.length } : {}; }

	succeeded(res) {
		if (res.status < 200 || res.status > 299) return false;
		this.ended(res, true);
		return true;
	}

	async fight(at, n) {
		if (!this.promise) return super.fight(at, n);
		const r = await this.patch(at, n);
		if (r?.ok) this.told(r.offset, r.body);
	}

	get mismatched() { return 400; }

	// All bytes are there, and that is said now; who is told that it was said before, asks.
	async last() {
		this.may = true;
		const res = await this.world.ask(this, 'PATCH', this.path, { headers: { ...this.named, ...this.flag(true), 'Upload-Offset': this.length, 'Content-Type': 'application/partial-upload', 'Content-Length': 0 } });
		if (res && this.succeeded(res)) {
			if (!this.complete) this.wrong(`the last append does not say that it is complete: ${res}`);
			return;
		}
		await super.head();
		if (res && !this.world.passes(res.status) && !(res.status === 400 && this.complete)) this.wrong(`PATCH answered ${res}`);
	}

	async step() {
		if (this.content.known < this.length || this.complete) return super.step();
		return this.last();
	}
}
