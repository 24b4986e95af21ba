// clients_raw.test.mjs - clients that are not to be had here, played byte by byte: tus-java-client (also in tus-android-client) and TUSKit.
//
// Each is a small copy of how the real one behaves on the wire and of what it believes; a server that is happy with these is one for the real ones.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, useServer } from './lib/server.mjs';
import { connect, request, until } from './lib/http.mjs';
import { OFFSET_TYPE, made, offsetOf, patch } from './lib/tus.mjs';
import { b64, bytes, sha256, sha256Range } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 2 } });
const SIZE = 3 << 20, CUT = 700001;

async function sameFile(url, seed) {
	const got = await request(server, 'GET', url);
	assert.equal(got.status, 200, `${got}`);
	assert.equal(sha256(got.body), sha256Range(seed, 0, SIZE));
}

// What a client makes of an answer that it cannot use.
class Refused extends Error {
	constructor(what, res) { super(`${what}: ${res}`); this.status = res.status; }
}

// tus-java-client: a JRE that refuses PATCH sends POST with X-HTTP-Method-Override; bodies are always chunked, after 100 Continue and never without it;
// the answer must name exactly the offset up to which it counted; 5xx, 423 and broken connections are tried again, everything else is final.
class JavaClient {
	constructor(seed, { payload = 1 << 20, piece = 256 << 10, cutAt = -1, onCut } = {}) {
		Object.assign(this, { seed, payload, piece, cutAt, onCut, offset: 0, url: null, began: [], posts: 0 });
	}

	headers(more) {
		return { 'Tus-Resumable': '1.0.0', 'User-Agent': 'Java/17.0.1', Accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', ...more };
	}

	async create() {
		this.posts++;
		const res = await request(server, 'POST', '/files/', {
			headers: this.headers({ 'Upload-Length': SIZE, 'Upload-Metadata': `filename ${b64('java.bin')}`, 'Content-Length': 0 }),
		});
		if (res.status < 200 || res.status > 299 || !res.headers.location) throw new Refused('create', res);
		this.url = new URL(res.headers.location, `${server.url}/files/`).pathname;
		this.offset = 0;
	}

	async resume() {
		const res = await request(server, 'HEAD', this.url, { headers: this.headers() });
		if (res.status === 404) return this.create();
		if (res.status < 200 || res.status > 299 || !res.headers['upload-offset']) throw new Refused('resume', res);
		this.offset = Number(res.headers['upload-offset']);
	}

	// One request of at most `payload` bytes.
	async send() {
		const c = await connect(server);
		try {
			await c.sendHead('POST', this.url, this.headers({
				Host: new URL(server.url).host, Connection: 'keep-alive', 'X-HTTP-Method-Override': 'PATCH', 'Upload-Offset': this.offset,
				'Content-Type': OFFSET_TYPE, Expect: '100-continue', 'Transfer-Encoding': 'chunked',
			}));
			const first = await c.answer({ method: 'POST', informational: true, timeout: 5000 });
			if (first.status !== 100) throw new Refused('expectation', first);
			this.began.push(this.offset);
			const end = Math.min(SIZE, this.offset + this.payload);
			while (this.offset < end) {
				const n = Math.min(this.piece, end - this.offset, this.cutAt > this.offset ? this.cutAt - this.offset : Infinity);
				await c.sendChunked(bytes(this.seed, this.offset, n), { last: false });
				this.offset += n;
				if (this.offset === this.cutAt) {
					this.cutAt = -1;
					await server.arrived(this.offset);
					await this.onCut(c);
				}
			}
			await c.send('0\r\n\r\n');
			const res = await c.answer({ method: 'POST' });
			if (res.status < 200 || res.status > 299) throw new Refused('upload', res);
			assert.equal(res.headers['upload-offset'], String(this.offset), 'the offset up to which it counted');
		} finally {
			c.close();
		}
	}

	async attempt() {
		if (this.url) await this.resume();
		else await this.create();
		while (this.offset < SIZE) await this.send();
	}

	async upload() {
		for (const pause of [10, 100, 500, 1000, 0]) {
			try {
				return await this.attempt();
			} catch (e) {
				if (e instanceof assert.AssertionError || pause === 0) throw e;
				if (e instanceof Refused && e.status !== 423 && (e.status < 500 || e.status > 599)) throw e;
				await new Promise(done => setTimeout(done, pause));
			}
		}
	}
}

check('java_cut_in_a_chunked_body', async () => {
	const at = (1 << 20) + CUT;
	const client = new JavaClient('java', { cutAt: at, onCut: c => c.close() });
	await client.upload();
	assert.deepEqual(client.began, [0, 1 << 20, at, at + (1 << 20)]);
	assert.equal(client.posts, 1);
	await sameFile(client.url, 'java');
});

check('java_whole_file_in_one_request', async () => {
	const client = new JavaClient('java1', { payload: 10 << 20, cutAt: CUT, onCut: c => c.close() });
	await client.upload();
	assert.deepEqual(client.began, [0, CUT]);
	await sameFile(client.url, 'java1');
});

check('java_all_workers_killed', async () => {
	let dead;
	const client = new JavaClient('java2', { cutAt: (1 << 20) + CUT, onCut: () => { dead = server.killWorkers(); } });
	await client.upload();
	await server.waitWorkersBack(dead);
	assert.ok(client.began.slice(2).every(o => o >= 1 << 20), `${client.began}`);
	assert.ok(client.began.length > 3, 'the kill hit a request');
	assert.equal(client.posts, 1);
	await sameFile(client.url, 'java2');
});

// A PATCH that must fail: the answer comes as 100 and then the refusal; and only 404 makes it begin a new upload.
check('java_refusals', async () => {
	const client = new JavaClient('java3');
	await client.create();
	client.offset = 5;
	await assert.rejects(client.send(), { status: 409 });
	const old = client.url;
	client.url = '/files/_0000000000000000000000';
	await client.resume();
	assert.equal(client.posts, 2);
	assert.notEqual(client.url, old);
	await request(server, 'DELETE', client.url, { headers: client.headers() });
	await assert.rejects(client.resume(), { status: 410 }, 'gone is told to the app, not replaced');
});

// TUSKit: asks OPTIONS with Tus-Resumable and splits lists at commas without trimming; HEAD needs length and offset, and the length of its file; a
// background upload sends a file and takes Upload-Offset from an answer of any status for the place where to go on; no progress is an error; two retries.
class TusKit {
	constructor(seed, { chunk = SIZE } = {}) {
		Object.assign(this, { seed, chunk, uploaded: 0, began: [], file: path.join(server.dir, `${seed}.uploadData`) });
		fs.writeFileSync(this.file, bytes(seed, 0, SIZE));
	}

	headers(more) { return { 'TUS-Resumable': '1.0.0', 'User-Agent': 'TUSKitExample/1 CFNetwork/1490 Darwin/23', ...more }; }

	async serverInfo() {
		const res = await request(server, 'OPTIONS', '/files/', { headers: this.headers() });
		assert.ok([200, 204].includes(res.status), `${res}`);
		return {
			version: res.headers['tus-resumable'], maxSize: Number(res.headers['tus-max-size']), extensions: res.headers['tus-extension'].split(','),
			versions: res.headers['tus-version'].split(','), algorithms: (res.headers['tus-checksum-algorithm'] ?? '').split(','),
		};
	}

	async create() {
		const res = await request(server, 'POST', '/files/', {
			headers: this.headers({
				'Upload-Extension': 'creation', 'Upload-Length': SIZE, 'Upload-Metadata': `filetype ${b64('video/mp4')}, filename ${b64('IMG_0001.MOV')}`, 'Content-Length': 0,
			}),
		});
		if (!res.headers.location) throw new Refused('no location', res);
		this.url = new URL(res.headers.location, `${server.url}/files/`).pathname;
	}

	async status() {
		const res = await request(server, 'HEAD', this.url, { headers: this.headers() });
		const length = Number(res.headers['upload-length']), offset = Number(res.headers['upload-offset']);
		if (!Number.isInteger(length) || !Number.isInteger(offset)) throw new Refused('no status', res);
		assert.equal(length, SIZE);
		this.uploaded = offset;
	}

	// One background upload of a range of the file. cutAt: at so many bytes of it act(connection) is called.
	async task({ cutAt = -1, act } = {}) {
		const from = this.uploaded, body = fs.readFileSync(this.file).subarray(from, Math.min(SIZE, from + this.chunk));
		this.began.push(from);
		const c = await connect(server);
		try {
			await c.sendHead('PATCH', this.url, this.headers({
				Host: new URL(server.url).host, Connection: 'keep-alive', 'Content-Type': OFFSET_TYPE, 'Upload-Offset': from, 'Content-Length': body.length,
			}));
			if (cutAt >= 0) {
				await c.send(body.subarray(0, cutAt));
				await server.arrived(from + cutAt);
				await act(c);
			}
			await c.send(body.subarray(Math.max(cutAt, 0)));
			const res = await c.answer({ method: 'PATCH' });
			const offset = Number(res.headers['upload-offset']);
			if (!Number.isInteger(offset)) throw new Refused('no offset', res);
			this.uploaded = offset;
			if (offset === from && offset !== SIZE) throw new Refused('no progress', res);
			return res;
		} finally {
			c.close();
		}
	}

	async run(once) {
		for (let tries = 0; this.uploaded < SIZE;) {
			try {
				await this.task(once);
			} catch (e) {
				if (++tries > 2) throw e;
				await until(() => this.status().then(() => true, () => false), { what: 'status' });
			}
			once = undefined;
		}
	}
}

check('tuskit_server_info', async () => {
	const info = await new TusKit('info').serverInfo();
	assert.equal(info.version, '1.0.0');
	assert.deepEqual(info.versions, ['1.0.0']);
	assert.ok(info.maxSize > SIZE);
	for (const e of ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'expiration', 'checksum', 'concatenation'])
		assert.ok(info.extensions.includes(e), `${e} in ${JSON.stringify(info.extensions)}`);
	assert.ok(info.algorithms.includes('sha1'), `${info.algorithms}`);
});

check('tuskit_background_upload_cut_and_resumed', async () => {
	const client = new TusKit('tuskit');
	await client.create();
	await client.run({ cutAt: CUT, act: c => c.close() });
	assert.deepEqual(client.began, [0, CUT]);
	await sameFile(client.url, 'tuskit');
	const res = await request(server, 'HEAD', client.url, { headers: client.headers() });
	assert.match(res.headers['upload-metadata'], new RegExp(`^filetype ${b64('video/mp4')}, ?filename ${b64('IMG_0001.MOV')}$`));
});

check('tuskit_all_workers_killed', async () => {
	const client = new TusKit('tuskit1', { chunk: 1 << 20 });
	await client.create();
	await client.task();
	let dead;
	await client.run({ cutAt: CUT, act: () => { dead = server.killWorkers(); } });
	await server.waitWorkersBack(dead);
	assert.ok(client.began.slice(1).every(o => o >= 1 << 20), `${client.began}`);
	assert.ok(client.began.length > 3, 'the kill hit a request');
	await sameFile(client.url, 'tuskit1');
});

// The app was ended and begun again while the system went on with the upload: what the app knows is old. It is told so once, by a refusal, and goes on there.
check('tuskit_believes_the_offset_of_a_refusal', async () => {
	for (const ahead of [CUT, (1 << 20) + CUT]) {
		const client = new TusKit(`ahead${ahead}`, { chunk: 1 << 20 });
		await client.create();
		assert.equal((await patch(server, client.url, 0, bytes(client.seed, 0, ahead))).status, 204);
		const res = await client.task();
		assert.equal(res.status, 409);
		assert.equal(client.uploaded, ahead);
		await client.run();
		assert.equal(client.began[1], ahead, 'no HEAD was needed');
		await sameFile(client.url, client.seed);
	}
});

// An offset in an answer is the true one, whatever the status; else there is none.
check('tuskit_is_told_no_wrong_offset', async () => {
	const url = await made(server, { length: SIZE });
	assert.equal((await patch(server, url, 0, bytes('none', 0, CUT))).status, 204);
	const gone = await made(server, { length: SIZE });
	await request(server, 'DELETE', gone, { headers: { 'Tus-Resumable': '1.0.0' } });
	const body = Buffer.alloc(1000);
	const rows = [
		[409, url, 0, body, {}], [409, url, CUT + 1, body, {}], [415, url, CUT, body, { 'Content-Type': 'text/plain' }], [412, url, CUT, body, { 'Tus-Resumable': '0.2.2' }],
		[400, url, 'x', body, {}], [400, url, CUT, body, { 'Upload-Length': 5 }], [413, url, CUT, Buffer.alloc(SIZE), {}],
		[460, url, CUT, body, { 'Upload-Checksum': 'sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }], [400, url, CUT, body, { 'Upload-Checksum': 'sum 2jmj' }],
		[404, '/files/_0000000000000000000000', CUT, body, {}], [410, gone, CUT, body, {}],
	];
	for (const [status, to, at, data, headers] of rows) {
		const res = await patch(server, to, at, data, { headers });
		assert.equal(res.status, status, `${to} ${at} ${JSON.stringify(headers)}: ${res}`);
		assert.ok([undefined, ...(to === url ? [String(CUT)] : [])].includes(res.headers['upload-offset']), `${res}`);
		if (status === 409) assert.equal(res.headers['upload-offset'], String(CUT));
	}
	assert.equal(await offsetOf(server, url), CUT);
});
