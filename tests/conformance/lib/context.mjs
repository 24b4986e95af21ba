// context.mjs - what a check is given (`t`): the server under test, short calls, and words to judge its answers.
import assert from 'node:assert/strict';
import { open, request, sleep, until } from './http.mjs';
import { OFFSET_TYPE, TUS, patchHeaders } from './tus.mjs';
import { bytes, sha256 } from './data.mjs';

// Thrown by a check that does not apply here.
export class NotApplicable extends Error {}

export const GONE = [404, 410];
export const FINE = [200, 204];
const DOWNLOAD = 64;

const list = text => (text ?? '').split(',').map(x => x.trim()).filter(Boolean);

export class Context {
	// common: headers of every request, as pairs. control: see README.md. origin: the page that CORS is asked for.
	constructor({ base, common = [], control = {}, origin }) {
		Object.assign(this, { base, common, control });
		this.origin = origin ?? new URL(base).origin;
		this.mine = [];
		this.sleep = sleep;
		this.until = until;
		this.bytes = bytes;
	}

	// The same for another server, which is taken to be able to do the same.
	at(base) {
		return Object.assign(Object.create(Object.getPrototypeOf(this)), this, { base });
	}

	// ---- requests

	headers(given) {
		const pairs = Array.isArray(given) ? given : Object.entries(given ?? {});
		const has = new Set(pairs.map(([k]) => k.toLowerCase()));
		return [...pairs, ...this.common.filter(([k]) => !has.has(k.toLowerCase()))];
	}

	http(method, url, { headers, ...rest } = {}) {
		return request(this.base, method, url, { timeout: 15000, headers: this.headers(headers), ...rest });
	}

	// The head of a request only; the check sends the body over the Connection that it gets.
	open(method, url, { headers, ...rest } = {}) {
		return open(this.base, method, url, { headers: this.headers(headers), ...rest });
	}

	// meta: Upload-Metadata as it is sent. With a body: creation-with-upload.
	async create({ length, meta, headers, body, ...rest } = {}) {
		const res = await this.http('POST', this.base, {
			headers: {
				...TUS,
				...(length === undefined ? {} : { 'Upload-Length': length }),
				...(meta === undefined ? {} : { 'Upload-Metadata': meta }),
				...(body === undefined ? { 'Content-Length': 0 } : { 'Content-Type': OFFSET_TYPE }),
				...headers,
			},
			body,
			...rest,
		});
		if (res.status < 300 && res.headers.location) this.mine.push(this.url(res));
		return res;
	}

	// The absolute URL that an answer's Location means.
	url(res) { return new URL(res.headers.location, this.base).href; }

	// Creates and gives the URL.
	async made(options) {
		this.need('creation');
		const res = await this.create(options);
		this.status(res, 201, 'creation');
		assert.ok(res.headers.location, `creation without Location: ${res}`);
		return this.url(res);
	}

	// An upload whose first n bytes are there.
	async begun(length, n, seed = 'upload') {
		const url = await this.made({ length });
		if (n) this.status(await this.patch(url, 0, bytes(seed, 0, n)), 204, 'first bytes');
		return url;
	}

	head(url, headers = TUS) { return this.http('HEAD', url, { headers }); }
	remove(url, headers = TUS) { return this.http('DELETE', url, { headers }); }
	options(url = this.base, headers = {}) { return this.http('OPTIONS', url, { headers }); }
	patch(url, offset, body = '', { headers, ...rest } = {}) {
		return this.http('PATCH', url, { headers: patchHeaders(offset, headers), body, ...rest });
	}
	// A PATCH whose length is not told: the second piece is sent when the first one has arrived, so that no front can count them together.
	async patchInTwo(url, offset, first, second) {
		const c = await this.open('PATCH', url, { headers: patchHeaders(offset), chunked: true });
		await c.sendChunked(first, { last: false });
		const refused = until(() => c.buffer.length || c.ended, { what: 'early answer' });
		await Promise.any([this.arrived(offset + first.length), refused]);
		c.sendChunked(second);
		try {
			return await c.answer({ timeout: 30000 });
		} finally {
			c.close();
		}
	}
	openPatch(url, offset, length, headers) {
		return this.open('PATCH', url, { headers: patchHeaders(offset, headers), length });
	}

	// The offset that HEAD tells, or -status.
	async offset(url) {
		const res = await this.head(url);
		return FINE.includes(res.status) ? Number(res.headers['upload-offset']) : -res.status;
	}

	// A URL that looks like an upload's and is none.
	async unknown() {
		const url = await this.made({ length: 1 });
		const at = url.lastIndexOf('/') + 1;
		return url.slice(0, at) + url.slice(at).replace(/[A-Za-z0-9](?=[A-Za-z0-9._-]*$)/g, c => (c === 'a' ? 'b' : 'a')).replace(/^[ab](?=.)/, url[at]);
	}

	// Until the server has got n bytes of an upload whose body is on the way. From outside only time tells; the numbers of the checks are all different.
	arrived(n) { return this.control.arrived ? this.control.arrived(n) : sleep(700); }

	// The offset once a connection has been cut and its bytes are dealt with: told twice the same.
	async settled(url) {
		let before = -1;
		return (await until(async () => {
			const now = await this.offset(url), same = now >= 0 && now === before;
			before = now;
			return same && { now };
		}, { what: 'offset that stays', every: 150 })).now;
	}

	// The same URL, or the one given, at another process.
	async elsewhere(url = this.base) {
		const other = await this.controlled('baseOther')();
		return new URL(new URL(url).pathname, other).href;
	}

	// A server whose uploads expire within seconds: this one, or one of the control module's.
	async hasty() {
		this.need('expiration');
		const res = await this.create({ length: 1 });
		if (Date.parse(res.headers['upload-expires']) - Date.now() < 10000) return this;
		return this.at(await this.controlled('baseHasty')());
	}

	// ---- judging

	skip(reason) { throw new NotApplicable(reason); }

	need(extension) { if (!this.caps.extensions.includes(extension)) this.skip(`${extension} is not announced`); }

	// A function or value of the control module.
	controlled(name) {
		if (this.control[name] === undefined) this.skip(`needs control.${name}`);
		return this.control[name];
	}

	status(res, wanted, what) {
		assert.ok([wanted].flat().includes(res.status), `${what ? `${what}: ` : ''}expected ${[wanted].flat().join(' or ')}, got ${res}`);
		return res;
	}

	// One of several cases of a check; its name goes into the complaint.
	async case(name, fn) {
		try {
			return await fn();
		} catch (e) {
			if (!(e instanceof NotApplicable)) e.message = `${name}: ${e.message}`;
			throw e;
		}
	}

	// Each of the values as a case.
	async each(values, fn) {
		for (const v of values) await this.case(JSON.stringify(v), () => fn(v));
	}

	// A creation that is refused, and has no URL.
	async refused(statuses, options, what = '') {
		const res = this.status(await this.create(options), statuses, what);
		assert.equal(res.headers.location, undefined, `${what} Location of a refused creation`);
		return res;
	}

	// Fails if anything was stored meanwhile; without a control module nobody knows.
	async storesNothing(fn) {
		const names = () => [...this.control.files?.().keys() ?? []];
		const before = names();
		const out = await fn();
		const after = names(), missing = (a, b) => a.filter(n => !b.includes(n)).join(' ');
		assert.deepEqual({ made: missing(after, before), removed: missing(before, after) }, { made: '', removed: '' }, `files on the disk: made ${missing(after, before)}, removed ${missing(before, after)}`);
		return out;
	}

	// Downloading is outside of tus; where it works, it shows the bytes that are really there.
	async whole(url, length, seed = 'upload') {
		if (!this.caps.download) return;
		const got = await this.http('GET', url);
		this.status(got, 200, 'download');
		assert.equal(got.body.length, length, 'bytes downloaded');
		assert.equal(sha256(got.body), sha256(bytes(seed, 0, length)), 'digest of the bytes downloaded');
	}

	// The offset is n, the rest of the bytes completes the upload, and then it has exactly the right bytes.
	async agrees(url, n, length, seed = 'upload') {
		assert.equal(await this.offset(url), n, 'offset that HEAD tells');
		const res = await this.patch(url, n, bytes(seed, n, length - n));
		this.status(res, 204, 'rest of the bytes');
		assert.equal(res.headers['upload-offset'], String(length), 'offset after the rest');
		await this.whole(url, length, seed);
	}
}

// What the server says of itself, and whether finished uploads can be downloaded from their URL.
export async function probe(options) {
	const t = new Context(options);
	const res = await t.options();
	t.caps = {
		status: res.status,
		version: list(res.headers['tus-version']),
		extensions: list(res.headers['tus-extension']),
		maxSize: res.headers['tus-max-size'] === undefined ? undefined : Number(res.headers['tus-max-size']),
		algorithms: list(res.headers['tus-checksum-algorithm']),
		download: false,   // of finished uploads, by GET of their URL
		cors: false,
	};
	const data = bytes('probe', 0, DOWNLOAD);
	const made = await t.create({ length: DOWNLOAD, headers: { Origin: t.origin } });
	t.caps.cors = made.headers['access-control-allow-origin'] !== undefined;
	if (made.status === 201 && made.headers.location) {
		await t.patch(t.url(made), 0, data);
		const got = await t.http('GET', t.url(made)).catch(() => null);
		t.caps.download = got?.status === 200 && got.body.equals(data);
	}
	return t;
}
