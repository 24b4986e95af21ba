// big_js_client.test.mjs - the real tus-js-client against workers that die, and big bodies that are cut.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import tus from 'tus-js-client';
import { check, completed, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { head, made, offsetOf, openPatch, patch } from './lib/tus.mjs';
import { assembled, download, metaFile, newSid, status } from './lib/wave.mjs';
import { bytes, pieces, sha256, sha256Of, sha256Range } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 4 } });
const MIB = 1 << 20;
const BIG = 200 * MIB;

// An HTTP stack that writes down what is sent and acknowledged for each URL, and notices acknowledged bytes being sent again.
class Ledger {
	constructor() {
		this.stack = new tus.DefaultHttpStack({ agent: false });
		this.acknowledged = new Map();
		this.sent = 0;
		this.again = 0;
		this.patches = 0;
		this.failed = 0;
		this.inBody = null;    // called once, when half of the next PATCH body is sent
	}

	// The body in two halves, with inBody between them.
	halves(body, act) {
		const half = body.length >> 1;
		const slow = Readable.from((async function* () {
			yield body.subarray(0, half);
			await act();
			yield body.subarray(half);
		})());
		slow.size = body.length;
		slow.on('error', () => {});
		return slow;
	}

	getName() { return 'Ledger'; }

	createRequest(method, url) {
		const req = this.stack.createRequest(method, url);
		const send = req.send.bind(req);
		req.send = async body => {
			const size = body?.size ?? body?.length ?? 0;
			if (method === 'PATCH') {
				const at = Number(req.getHeader('Upload-Offset'));
				this.patches++;
				this.sent += size;
				this.again += Math.max(0, Math.min((this.acknowledged.get(url) ?? 0) - at, size));
			}
			if (method === 'PATCH' && this.inBody) {
				body = this.halves(body, this.inBody);
				this.inBody = null;
			}
			try {
				const res = await send(body);
				const offset = Number(res.getHeader('Upload-Offset'));
				if ((method === 'PATCH' || method === 'HEAD') && res.getStatus() < 300 && Number.isInteger(offset))
					this.acknowledged.set(url, Math.max(offset, this.acknowledged.get(url) ?? 0));
				if (res.getStatus() >= 300) this.failed++;
				return res;
			} catch (e) {
				this.failed++;
				throw e;
			}
		};
		return req;
	}
}

const upload = (input, options) => new Promise((done, fail) => {
	const u = new tus.Upload(input, { retryDelays: [0, 100, 300, 1000, 2000, 3000, 3000], onError: fail, onSuccess: () => done(u), ...options });
	u.start();
});

check('session_of_forty_chunks_survives_the_death_of_all_workers', async t => {
	const sid = newSid();
	const n = 40;
	const chunk = i => bytes(sid, i * MIB, MIB);
	const ledger = new Ledger();
	let next = 0, done = 0, killed = null;
	const sender = async () => {
		while (next < n) {
			const i = next++;
			await upload(chunk(i), {
				endpoint: `${server.url}/files/${sid}/chunks/`,
				chunkSize: 512 * 1024,
				httpStack: ledger,
				metadata: { chunkIndex: String(i), totalChunks: String(n), recordingName: 'Big take', format: 'webm' },
			});
			if (++done === n / 2)
				ledger.inBody = async () => {
					await server.writing();
					killed = server.killWorkers('SIGKILL');
				};
		}
	};
	await Promise.all([sender(), sender(), sender()]);
	await server.waitWorkersBack(killed);
	t.diagnostic(`${ledger.patches} PATCHes, ${ledger.sent} body bytes sent for ${n * MIB}, ${ledger.failed} answers or connections failed, acknowledged bytes sent again: ${ledger.again}`);
	assert.ok(ledger.failed > 0, 'the kill hit a request');
	assert.equal(ledger.again, 0);
	assert.equal([...ledger.acknowledged.values()].reduce((a, b) => a + b, 0), n * MIB);
	const s = await assembled(server, sid);
	assert.equal(s.total_chunks, n);
	assert.equal(s.uploaded_chunks, n);
	assert.deepEqual(s.missing_chunks, []);
	assert.equal(s.recording_name, 'Big take');
	assert.equal(s.format, 'webm');
	const got = await download(server, sid, 'Big take.webm');
	assert.equal(got.status, 200);
	assert.equal(sha256(got.body), sha256Range(sid, 0, n * MIB));
	const m = metaFile(server, sid, 'Big take.webm');
	assert.equal(m.file_name, 'Big take.webm');
	assert.equal(m.session_id, sid);
	assert.equal(m.file_size_bytes, n * MIB);
	assert.equal(m.total_chunks, n);
	assert.deepEqual(m.missing_chunks, []);
	assert.equal(m.client_metadata.recordingName, 'Big take');
	assert.deepEqual(Object.keys(completed(server, sid)), ['Big take.webm']);
}, { timeout: 120000 });

check('big_file_cut_by_fin_and_by_sigkill_then_finished_by_the_client', async t => {
	const url = await made(server, { length: BIG });

	// FIN in the middle of a body: whatever nginx has handed on is kept.
	const sent = 60 * MIB + 12345;
	let c = await openPatch(server, url, 0, BIG);
	await c.send(pieces('big', 0, sent));
	await server.arrived(sent);
	c.close();
	await server.idle();
	const first = await offsetOf(server, url);
	t.diagnostic(`FIN: ${sent} bytes sent of ${BIG} declared, ${first} kept`);
	assert.equal(first, sent);

	// FIN right behind the last byte: nginx drops at most its own buffer (client_body_buffer_size 256k) of what it has not handed on.
	c = await openPatch(server, url, first, BIG - first);
	await c.send(pieces('big', first, 5 * MIB + 99));
	c.close();
	await server.idle();
	await until(async () => await offsetOf(server, url) > first, { what: 'bytes of the second cut' });
	const kept = await offsetOf(server, url);
	t.diagnostic(`FIN at once: ${5 * MIB + 99} bytes sent, ${kept - first} kept`);
	assert.ok(kept - first <= 5 * MIB + 99 && kept - first >= 5 * MIB + 99 - 256 * 1024, `${kept - first}`);

	// One acknowledged PATCH, then a worker dies in the middle of the next.
	const step = 10 * MIB;
	const res = await patch(server, url, kept, bytes('big', kept, step));
	assert.equal(res.status, 204, `${res}`);
	const acknowledged = Number(res.headers['upload-offset']);
	assert.equal(acknowledged, kept + step);
	c = await openPatch(server, url, acknowledged, BIG - acknowledged);
	const body = 50 * MIB + 777;
	await c.send(pieces('big', acknowledged, body));
	process.kill(await server.writing(), 'SIGKILL');
	await until(() => c.ended, { what: 'end of the connection', timeout: 5000 }).catch(() => {});
	c.close();
	const h = await until(async () => { const r = await head(server, url); return r.status < 300 && r; }, { what: 'HEAD after the kill' });
	const after = Number(h.headers['upload-offset']);
	t.diagnostic(`SIGKILL: last acknowledged offset ${acknowledged}, ${body} bytes more sent, HEAD says ${after}`);
	assert.ok(after >= acknowledged && after <= acknowledged + body);

	// RST: the kernel may drop what was not read; nothing acknowledged goes.
	c = await openPatch(server, url, after, BIG - after);
	await c.send(pieces('big', after, 5 * MIB));
	await server.writing();
	c.rst();
	await server.idle();
	const reset = await offsetOf(server, url);
	t.diagnostic(`RST: ${5 * MIB} bytes sent, ${reset - after} kept`);
	assert.ok(reset >= after && reset <= after + 5 * MIB);

	// The real client finishes from a file.
	const file = path.join(server.dir, 'big.bin');
	const out = fs.openSync(file, 'w');
	for (const p of pieces('big', 0, BIG)) fs.writeSync(out, p);
	fs.closeSync(out);
	const ledger = new Ledger();
	await upload(fs.createReadStream(file), { endpoint: `${server.url}/files/`, uploadUrl: server.url + url, httpStack: ledger });
	assert.equal(ledger.again, 0);
	assert.equal(await offsetOf(server, url), BIG);
	const id = url.split('/').at(-1);
	const [name] = Object.keys(completed(server, id));
	assert.equal(sha256Of(function* () {
		const fd = fs.openSync(completed(server, id)[name], 'r');
		const piece = Buffer.alloc(4 * MIB);
		for (let n; (n = fs.readSync(fd, piece)) > 0;) yield piece.subarray(0, n);
		fs.closeSync(fd);
	}()), sha256Range('big', 0, BIG));
	const tail = await request(server, 'GET', url, { headers: { Range: `bytes=${BIG - 100}-` } });
	assert.equal(tail.status, 206);
	assert.ok(tail.body.equals(bytes('big', BIG - 100, 100)));
}, { timeout: 180000 });

check('client_with_defaults_creates_resumes_and_terminates', async () => {
	const data = bytes('defaults', 0, 3 * MIB);
	for (const options of [{}, { chunkSize: 700000 }, { uploadDataDuringCreation: true }, { overridePatchMethod: true, chunkSize: MIB }]) {
		const u = await upload(data, { endpoint: `${server.url}/files/`, metadata: { filename: 'dëf.bin', empty: '' }, ...options });
		const got = await request(server, 'GET', new URL(u.url).pathname);
		assert.equal(got.status, 200, `${JSON.stringify(options)}: ${got}`);
		assert.equal(sha256(got.body), sha256(data));
		await tus.Upload.terminate(u.url);
		assert.ok([404, 410].includes((await head(server, new URL(u.url).pathname)).status));
	}
});

check('client_with_deferred_length', async () => {
	for (const size of [2 * MIB, 2 * MIB + 5]) {
		const u = await upload(Readable.from(pieces('deferred', 0, size, 65536)), { endpoint: `${server.url}/files/`, uploadLengthDeferred: true, chunkSize: MIB });
		const got = await request(server, 'GET', new URL(u.url).pathname);
		assert.equal(got.status, 200, `${size}: ${got}`);
		assert.equal(sha256(got.body), sha256Range('deferred', 0, size));
	}
});

check('status_while_chunks_are_under_way', async () => {
	const sid = newSid();
	await upload(bytes(sid, 0, 1000), { endpoint: `${server.url}/files/${sid}/chunks/`, metadata: { chunkIndex: '1', totalChunks: '3', recordingName: 'w', format: 'webm' } });
	const s = (await status(server, sid)).json;
	assert.deepEqual(s.missing_chunks, [0, 2]);
});
