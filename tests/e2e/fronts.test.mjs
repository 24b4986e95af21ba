// fronts.test.mjs - the same core behind every web server that the project ships a configuration for: nothing of a cut body is lost, HEAD never
// fails, and what a web server answers by itself can be read by a page.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http2 from 'node:http2';
import { describe } from 'node:test';
import { answersForThePool, back, cut, fronts, ORIGIN, readableByPages, settings, SIZE, withoutPool, withoutProgram } from './lib/fronts.mjs';
import { noteStarted, ownSite, shipped, started } from './lib/shipped.mjs';
import { check, scratch, useServer } from './lib/server.mjs';
import { connect, request, until } from './lib/http.mjs';
import { head, made, offsetOf, openPatch, patch, remove, TUS } from './lib/tus.mjs';
import { complete, isRecording, newSid, sendChunk, status, tusChunk } from './lib/wave.mjs';
import { bytes, sha256 } from './lib/data.mjs';

async function isFile(server, url, data) {
	const got = await request(server, 'GET', url);
	assert.equal(got.status, 200, `${got}`);
	assert.equal(got.headers['content-length'], String(data.length));
	assert.equal(sha256(got.body), sha256(data));
}

const logged = (server, what) => server.log().split('\n').filter(l => l.includes(`"${what} `) && l.includes('HTTP/1.1"')).length;

// [what, bytes of the request]: what a web server refuses by itself. %O: the Origin line.
const long = n => 'x'.repeat(n);
const refused = [
	['TRACE', 'TRACE /files/ HTTP/1.1\r\nHost: localhost\r\n%O\r\n'],
	['no Host', 'GET /health HTTP/1.1\r\n%O\r\n'],
	['a nonsense version', 'GET /health HTTP/7.3\r\nHost: localhost\r\n%O\r\n'],
	['a bad length', 'POST /files/ HTTP/1.1\r\nHost: localhost\r\n%OContent-Length: 1x\r\n\r\n'],
	['an unknown coding', 'POST /files/ HTTP/1.1\r\nHost: localhost\r\n%OTransfer-Encoding: braille\r\n\r\n'],
	['a long line', `GET /${long(140000)} HTTP/1.1\r\nHost: localhost\r\n%O\r\n`],
	['a long header', `GET /health HTTP/1.1\r\nHost: localhost\r\n%OX-Long: ${long(140000)}\r\n\r\n`],
	['a bad path', 'GET /files/%zz%00 HTTP/1.1\r\nHost: localhost\r\n%O\r\n'],
	['a bad chunk', 'POST /upload/file HTTP/1.1\r\nHost: localhost\r\n%OTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
];

for (const front of fronts) describe(front.name, () => {
	const { name, lag = 0 } = front;
	const server = useServer({ front: name, settings });

	check(`${name}: create, PATCH, HEAD and download`, async () => {
		noteStarted(server);
		const data = bytes(name, 0, SIZE);
		const url = await made(server, { length: SIZE, body: data.subarray(0, 1000) });
		await server.grown(1000);   // in its own data folder: the settings have arrived
		const on = await patch(server, url, 1000, data.subarray(1000, 5000), { headers: { Origin: ORIGIN } });
		assert.deepEqual([on.status, on.headers['access-control-allow-origin']], [204, ORIGIN], `${on}`);
		assert.equal(await offsetOf(server, url), 5000);
		const last = await patch(server, url, 5000, data.subarray(5000));
		assert.equal(last.headers['upload-offset'], String(SIZE), `${last}`);
		await isFile(server, url, data);
		assert.equal((await patch(server, url, 10, 'x')).status, 409);
		assert.equal((await remove(server, url)).status, 204);
		assert.ok([404, 410].includes((await head(server, url)).status));
	});

	if (!front.spools) check(`${name}: cut bodies are kept to the last byte and gone on from`, async () => {
		const data = bytes(`${name} cut`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		let at = 0;
		for (const [end, sent] of [['close', 300000], ['rst', 200000], ['fin', 123456]]) {
			await cut({ server, lag }, url, data, at, SIZE - at, sent, end);
			at += sent;
			assert.equal(await offsetOf(server, url), at, `after ${end}`);
		}
		assert.equal((await patch(server, url, at, data.subarray(at))).status, 204);
		await isFile(server, url, data);
	});

	else check(`${name}: nothing of a cut body is kept, and it is gone on from the last whole one`, async () => {
		const data = bytes(`${name} cut`, 0, SIZE);
		const url = await made(server, { length: SIZE, body: data.subarray(0, 1000) });
		for (const end of ['close', 'rst', 'fin']) {
			const before = logged(server, 'PATCH');
			const c = await openPatch(server, url, 1000, SIZE - 1000);
			await c.send(data.subarray(1000, 300000));
			c[end]();
			await until(() => logged(server, 'PATCH') > before, { what: `end of the request after ${end}` });
			assert.equal(await offsetOf(server, url), 1000, `after ${end}`);
		}
		assert.equal((await patch(server, url, 1000, data.subarray(1000))).status, 204);
		await isFile(server, url, data);
	});

	check(`${name}: what a client says arrives, and what it is told`, async () => {
		const note = Buffer.from(long(2800)).toString('base64');
		const url = await made(server, { length: 10, meta: `filename ${Buffer.from('a b.webm').toString('base64')},note ${note}` });
		const h = await head(server, url);
		assert.match(h.headers['upload-metadata'] ?? '', new RegExp(`note ${note}$`), `${h}`);
		assert.equal(h.headers['upload-length'], '10');
		const before = (await request(server, 'GET', '/api/config')).status;
		const denied = await request(server, 'GET', '/api/config', { headers: { Authorization: 'Bearer nobody' } });
		assert.deepEqual([before, denied.status], [200, 401], `${denied}`);
		const asked = await request(server, 'OPTIONS', '/files/');
		assert.equal(asked.headers['tus-version'], '1.0.0', `${asked}`);
		const over = await request(server, 'POST', url, { headers: { ...TUS, 'X-HTTP-Method-Override': 'DELETE', 'Content-Length': 0 } });
		assert.equal(over.status, 204, `${over}`);
		assert.equal((await request(server, 'GET', '/files/a%2Fb')).headers['x-request-id'] !== undefined, true, 'a path is the application\'s affair');
	});

	check(`${name}: bodies without a length, and refused ones`, async () => {
		const data = bytes(`${name} chunked`, 0, 300000);
		const url = await made(server, { length: data.length });
		const res = await patch(server, url, 0, data, { chunked: true });
		assert.equal(res.status, front.chunked ?? 204, `${res}`);
		assert.equal(await offsetOf(server, url), front.chunked ? 0 : data.length);
		const big = Buffer.alloc(5000000);
		const other = await made(server, { length: big.length });
		const early = await patch(server, other, 7, big);
		assert.equal(early.status, 409, `${early}`);
		assert.equal(await offsetOf(server, other), 0);
	});

	if (!front.spools) check(`${name}: HEAD and PATCH take over from a silent client`, async () => {
		const data = bytes(`${name} silent`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		const holders = [];
		for (let i = 0, at = 0; i < 2; i++) {
			const c = await openPatch(server, url, at, SIZE - at);
			const more = at + 100000;
			await c.send(data.subarray(at, more));
			await server.grown(more - lag);
			holders.push([c, SIZE - more]);
			at = i ? more : await offsetOf(server, url);
			assert.ok(at <= more && at >= more - lag, `HEAD: ${at}`);
		}
		// Nothing was told of the second holder's bytes: who comes next has the last word on where it goes on.
		const at = lag ? await offsetOf(server, url) : 200000;
		assert.equal((await patch(server, url, at, data.subarray(at))).status, 204);
		// The second one displaced gets 423.
		for (const [c, left] of holders) {
			await c.send(Buffer.alloc(Math.min(front.silent ?? 0, left)));
			const res = await c.answer().catch(() => ({ status: 0 }));
			assert.ok([0, 409, 423, 503].includes(res.status), `${res}`);
			c.close();
		}
		await isFile(server, url, data);
	});

	else check(`${name}: a silent client holds nothing`, async () => {
		const data = bytes(`${name} silent`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		const c = await openPatch(server, url, 0, SIZE);
		await c.send(data.subarray(0, 100000));
		assert.equal(await offsetOf(server, url), 0);
		assert.equal((await patch(server, url, 0, data)).status, 204);
		await c.send(data.subarray(100000));
		assert.equal((await c.answer()).status, 409);
		c.close();
		await isFile(server, url, data);
	});

	check(`${name}: chunks by form and by tus become a recording`, async () => {
		const sid = newSid();
		const piece = i => bytes(`${sid} ${i}`, 0, 50000);
		for (const i of [0, 2]) assert.equal((await sendChunk(server, sid, i, piece(i))).status, 200);
		await tusChunk(server, sid, 1, undefined, piece(1));
		assert.equal((await status(server, sid)).json.uploaded_chunks, 3);
		assert.equal((await complete(server, sid, 'front.webm')).status, 200);
		await isRecording(server, sid, 'front.webm', Buffer.concat([0, 1, 2].map(piece)));
	});

	if (front.pool) check(`${name}: HEAD is 423 while nobody listens, and all goes on afterwards`, async () => {
		const data = bytes(`${name} down`, 0, 5000);
		const url = await made(server, { length: 5000, body: data.subarray(0, 10) });
		await withoutPool(server, null, () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
		assert.equal((await patch(server, url, 10, data.subarray(10))).status, 204);
		await isFile(server, url, data);
	});

	if (front.pool) check(`${name}: HEAD is 423 while the responder dies on each request`, async () => {
		const url = await made(server, { length: 5000, body: 'x'.repeat(10) });
		await withoutPool(server, c => c.on('error', () => {}).once('data', () => c.destroy()), () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
	});

	if (front.program) check(`${name}: HEAD is 423 while there is no program, or one that dies`, async () => {
		const data = bytes(`${name} gone`, 0, 5000);
		const url = await made(server, { length: 5000, body: data.subarray(0, 10) });
		await withoutProgram(server, front.program, null, () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
		await withoutProgram(server, front.program, '#!/bin/sh\nexit 1\n', () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
		assert.equal((await patch(server, url, 10, data.subarray(10))).status, 204);
		await isFile(server, url, data);
	});

	check(`${name}: killed workers and a killed server lose nothing`, async () => {
		const data = bytes(`${name} killed`, 0, SIZE);
		const url = await made(server, { length: SIZE, body: data.subarray(0, 1000) });
		const told = [1000];
		for (let i = 0; i < 2; i++) {
			const c = await openPatch(server, url, told[0], SIZE - told[0]);
			await c.send(data.subarray(told[0], told[0] + 400000));
			if (!front.spools) await server.grown(told[0] + 400000 - lag);
			if (i === 0) told.unshift(await offsetOf(server, url));   // which ends the writer
			if (i === 1 || front.pool && !front.program) {
				const old = server.killWorkers();
				if (front.program) await until(() => !server.workers().some(pid => old.includes(pid)), { what: 'end of the killed' });
				else await server.waitWorkersBack(old);
			}
			c.close();
			const at = await back(server, url);
			assert.ok(at >= told[0] && at <= told[0] + 400000, `${at} after ${told}`);
			told.unshift(at);
		}
		assert.ok(front.spools ? told[0] === 1000 : told[0] >= 401000 - lag, `${told}`);
		const family = [server.web(), server.pids().supervisor];
		for (const pid of front.program ? [server.pids().run] : server.pool()) try { process.kill(pid, 'SIGKILL'); } catch { /* went with the supervisor */ }
		await server.exited;
		await until(() => !server.family(family).length, { what: `end of ${name}`, timeout: 15000 });
		await server.restart();
		assert.equal(await offsetOf(server, url), told[0]);
		assert.equal((await patch(server, url, told[0], data.subarray(told[0]))).status, 204);
		await isFile(server, url, data);
	});

	if (name === 'nginx-tls') check(`${name}: HTTP/2 uploads, is cut, goes on, and is refused`, async () => {
		const data = bytes(name, 0, SIZE);
		const url = await made(server, { length: SIZE });
		const session = http2.connect(server.url, { ca: server.ca });
		const ask = (method, headers = {}) => session.request({ ':method': method, ':path': url, ...TUS, ...headers });
		const answer = async (stream, body) => {
			const said = once(stream, 'response');
			stream.end(body).resume();
			return (await said)[0];
		};
		const piece = at => ({ 'upload-offset': at, 'content-type': 'application/offset+octet-stream' });
		try {
			const cutOff = ask('PATCH', piece(0));
			cutOff.on('error', () => {}).write(data.subarray(0, 300000));
			await server.arrived(300000);
			cutOff.close(http2.constants.NGHTTP2_CANCEL);
			await server.idle();
			assert.equal((await answer(ask('HEAD')))['upload-offset'], '300000');
			assert.equal((await answer(ask('PATCH', piece(7)), 'x'))[':status'], 409);
			assert.equal((await answer(ask('PATCH', piece(300000)), data.subarray(300000)))[':status'], 204);
		} finally {
			session.close();
		}
		await isFile(server, url, data);
	});

	check(`${name}: its own errors can be read by a page and are not sniffed`, async t => {
		const seen = [];
		for (const [what, text] of refused) {
			const c = await connect(server);
			await c.send(text.replace('%O', `Origin: ${ORIGIN}\r\n`));
			const res = await c.answer();
			c.close();
			seen.push(`${what} ${res.status}${'x-request-id' in res.headers ? ' (application)' : ''}`);
			if (front.early.includes(what)) assert.equal(res.headers['x-content-type-options'], 'nosniff', `${what}: ${res}`);
			else readableByPages(res, what);
		}
		t.diagnostic(`${name}: ${seen.join(', ')}`);
	});
});

describe('a site of one\'s own', () => {
	const server = useServer({ front: 'nginx', settings: { ...settings, SENDFILE: 'x-accel-redirect' } });

	check('tus-locations.conf: uploads, keeps what was cut, downloads, and protects HEAD', async () => {
		const dir = scratch();
		const site = await ownSite(server, dir);
		try {
			const data = bytes('own site', 0, SIZE);
			const meta = `filename ${Buffer.from('a b.bin').toString('base64')},note ${Buffer.from(long(2800)).toString('base64')}`;
			const url = await made(site, { length: SIZE, meta });
			const c = await openPatch(site, url, 0, SIZE);
			await c.send(data.subarray(0, 300000));
			await server.arrived(300000);
			c.close();
			await server.idle();
			assert.equal(await offsetOf(site, url), 300000);
			await withoutPool(server, null, () => answersForThePool(site, url));
			assert.equal((await patch(site, url, 300000, data.subarray(300000))).status, 204);
			await isFile(site, url, data);
			const page = await request(site, 'GET', url, { headers: { Origin: ORIGIN } });
			assert.equal(page.headers['access-control-allow-origin'], ORIGIN, `${page}`);
			assert.equal((await request(site, 'GET', '/')).headers['x-request-id'], undefined, 'the rest of the site is not the application\'s');
		} finally {
			await site.stop();
		}
		fs.rmSync(dir, { recursive: true });
	});
});

check('every shipped configuration file is started by a test', () => {
	assert.deepEqual(shipped.filter(f => !started.has(f)), []);
	assert.ok(shipped.length >= 10, `${shipped}`);
});
