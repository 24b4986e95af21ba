// fronts.test.mjs - the same core behind every web server that the project ships a configuration for: nothing of a cut body is lost, HEAD never
// fails, and what a web server answers by itself can be read by a page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { check, useServer } from './lib/server.mjs';
import { connect, request, until } from './lib/http.mjs';
import { head, made, offsetOf, openPatch, patch, remove, TUS } from './lib/tus.mjs';
import { complete, isRecording, newSid, sendChunk, status, tusChunk } from './lib/wave.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const ORIGIN = 'https://app.example.test';
const settings = { WORKERS: 2, CORS_ORIGINS: ORIGIN };
const fronts = ['nginx', 'apache-proxy', 'lighttpd'].map(name => ({ name, server: useServer({ front: name, settings }) }));
const SIZE = 1000000;

// The file name of the socket: in the folder that scripts/run made for it, if it made one.
function socketOf(server) {
	const folder = fs.readFileSync(path.join(server.runDir, 'socket-folder'), 'utf8').trim();
	return path.join(folder || server.runDir, 'tus.sock');
}

// Runs fn while nobody, or `responder` (called with each connection), listens where the pool should.
async function withoutPool(server, responder, fn) {
	const name = socketOf(server);
	const aside = `${name}.aside`;
	fs.renameSync(name, aside);
	let stand;
	try {
		if (responder) {
			stand = net.createServer(responder);
			await new Promise((done, fail) => stand.once('error', fail).listen(name, done));
			fs.chmodSync(name, 0o660);
		}
		await fn();
	} finally {
		if (stand) await new Promise(done => stand.close(done));
		fs.renameSync(aside, name);
	}
}

// The offset when the pool is back. lighttpd asks a pool that was away again in the next second only.
const back = (server, url) => until(async () => { const at = await offsetOf(server, url); return at !== -423 && at; }, { what: 'pool', timeout: 5000 });

function readableByPages(res, what) {
	assert.equal(res.headers['access-control-allow-origin'], ORIGIN, `${what}: ${res}`);
	assert.equal(res.headers['access-control-allow-credentials'], 'true', `${what}: ${res}`);
	assert.equal(res.headers['x-content-type-options'], 'nosniff', `${what}: ${res}`);
	assert.match(res.headers.vary ?? '', /^Origin$/i, `${what}: ${res}`);
	assert.equal(res.list.filter(([k]) => k === 'access-control-allow-origin').length, 1, `${what}: ${res}`);
}

async function answersForThePool(server, url) {
	const headers = { ...TUS, Origin: ORIGIN };
	const h = await head(server, url, headers);
	assert.equal(h.status, 423, `${h}`);
	readableByPages(h, 'HEAD');
	assert.ok(Number(h.headers['retry-after']) > 0, `${h}`);
	assert.equal(h.headers['tus-resumable'], '1.0.0', `${h}`);
	assert.match(h.headers['access-control-expose-headers'] ?? '', /Retry-After/);
	for (const res of [
		await patch(server, url, 10, 'more', { headers: { Origin: ORIGIN } }), await remove(server, url, headers),
		await request(server, 'GET', '/health', { headers: { Origin: ORIGIN } }),
		await request(server, 'OPTIONS', url, { headers: { Origin: ORIGIN } }),
	]) {
		assert.ok([502, 503].includes(res.status), `${res}`);
		readableByPages(res, 'others');
		assert.ok(Number(res.headers['retry-after']) > 0, `${res}`);
	}
	const foreign = await head(server, url, { ...TUS, Origin: 'https://elsewhere.example' });
	assert.equal(foreign.status, 423);
	assert.equal(foreign.headers['access-control-allow-origin'], undefined);
	assert.equal(foreign.headers['x-content-type-options'], 'nosniff');
}

// A PATCH of `length` bytes at `from` that breaks off after `sent`, when these have arrived.
async function cut(server, url, data, from, length, sent, end) {
	const c = await openPatch(server, url, from, length);
	await c.send(data.subarray(from, from + sent));
	await server.arrived(from + sent);
	c[end]();
	await server.idle();
}

async function isFile(server, url, data) {
	const got = await request(server, 'GET', url);
	assert.equal(got.status, 200, `${got}`);
	assert.equal(got.headers['content-length'], String(data.length));
	assert.equal(sha256(got.body), sha256(data));
}

// [what, bytes of the request, who has not read the Origin when it refuses]: what a web server refuses by itself. %O: the Origin line.
const ALL = fronts.map(f => f.name);
const long = n => 'x'.repeat(n);
const refused = [
	['TRACE', 'TRACE /files/ HTTP/1.1\r\nHost: localhost\r\n%O\r\n'],
	['no Host', 'GET /health HTTP/1.1\r\n%O\r\n'],
	['a nonsense version', 'GET /health HTTP/7.3\r\nHost: localhost\r\n%O\r\n', ALL],
	['a bad length', 'POST /files/ HTTP/1.1\r\nHost: localhost\r\n%OContent-Length: 1x\r\n\r\n'],
	['an unknown coding', 'POST /files/ HTTP/1.1\r\nHost: localhost\r\n%OTransfer-Encoding: braille\r\n\r\n'],
	['a long line', `GET /${long(140000)} HTTP/1.1\r\nHost: localhost\r\n%O\r\n`, ALL],
	['a long header', `GET /health HTTP/1.1\r\nHost: localhost\r\n%OX-Long: ${long(140000)}\r\n\r\n`, ['apache-proxy', 'lighttpd']],
	['a bad path', 'GET /files/%zz%00 HTTP/1.1\r\nHost: localhost\r\n%O\r\n', ALL],
	['a bad chunk', 'POST /upload/file HTTP/1.1\r\nHost: localhost\r\n%OTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
];

for (const { name, server } of fronts) {
	check(`${name}: create, PATCH, HEAD and download`, async () => {
		const data = bytes(name, 0, SIZE);
		const url = await made(server, { length: SIZE, body: data.subarray(0, 1000) });
		assert.equal((await patch(server, url, 1000, data.subarray(1000, 5000))).status, 204);
		assert.equal(await offsetOf(server, url), 5000);
		const last = await patch(server, url, 5000, data.subarray(5000));
		assert.equal(last.headers['upload-offset'], String(SIZE), `${last}`);
		await isFile(server, url, data);
		assert.equal((await patch(server, url, 10, 'x')).status, 409);
		assert.equal((await remove(server, url)).status, 204);
		assert.ok([404, 410].includes((await head(server, url)).status));
	});

	check(`${name}: cut bodies are kept to the last byte and gone on from`, async () => {
		const data = bytes(`${name} cut`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		let at = 0;
		for (const [end, sent] of [['close', 300000], ['rst', 200000], ['fin', 123456]]) {
			await cut(server, url, data, at, SIZE - at, sent, end);
			at += sent;
			assert.equal(await offsetOf(server, url), at, `after ${end}`);
		}
		assert.equal((await patch(server, url, at, data.subarray(at))).status, 204);
		await isFile(server, url, data);
	});

	check(`${name}: HEAD and PATCH take over from a silent client`, async () => {
		const data = bytes(`${name} silent`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		const holders = [];
		for (let i = 0, at = 0; i < 2; i++, at += 100000) {
			const c = await openPatch(server, url, at, SIZE - at);
			await c.send(data.subarray(at, at + 100000));
			await server.arrived(at + 100000);
			holders.push(c);
			if (i === 0) assert.equal(await offsetOf(server, url), 100000, 'HEAD');
			else assert.equal((await patch(server, url, 200000, data.subarray(200000))).status, 204);
		}
		// The second one displaced gets 423. Apache tells a silent client nothing before it speaks again or is timed out.
		for (const c of holders) {
			if (name === 'apache-proxy') await c.send(data.subarray(0, 1));
			const res = await c.answer().catch(() => ({ status: 0 }));
			assert.ok([0, 409, 423, 503].includes(res.status), `${res}`);
			c.close();
		}
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

	check(`${name}: HEAD is 423 while nobody listens, and all goes on afterwards`, async () => {
		const data = bytes(`${name} down`, 0, 5000);
		const url = await made(server, { length: 5000, body: data.subarray(0, 10) });
		await withoutPool(server, null, () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
		assert.equal((await patch(server, url, 10, data.subarray(10))).status, 204);
		await isFile(server, url, data);
	});

	check(`${name}: HEAD is 423 while the responder dies on each request`, async () => {
		const url = await made(server, { length: 5000, body: 'x'.repeat(10) });
		await withoutPool(server, c => c.on('error', () => {}).once('data', () => c.destroy()), () => answersForThePool(server, url));
		assert.equal(await back(server, url), 10);
	});

	check(`${name}: killed workers and a killed pool lose nothing`, async () => {
		const data = bytes(`${name} killed`, 0, SIZE);
		const url = await made(server, { length: SIZE });
		const c = await openPatch(server, url, 0, SIZE);
		await c.send(data.subarray(0, 400000));
		await server.arrived(400000);
		const before = await offsetOf(server, url);   // which ends the writer
		await server.waitWorkersBack(server.killWorkers());
		c.close();
		assert.equal(await offsetOf(server, url), before);
		assert.equal(before, 400000);
		const web = Object.entries(server.pids()).find(([n]) => ['nginx', 'apache', 'lighttpd'].includes(n))[1];
		for (const pid of server.pool()) try { process.kill(pid, 'SIGKILL'); } catch { /* went with the supervisor */ }
		await server.exited;
		await until(() => !fs.existsSync(`/proc/${web}`), { what: `end of ${name}` });
		await server.restart();
		assert.equal(await offsetOf(server, url), before);
		assert.equal((await patch(server, url, before, data.subarray(before))).status, 204);
		await isFile(server, url, data);
	});

	check(`${name}: its own errors can be read by a page and are not sniffed`, async t => {
		const seen = [];
		for (const [what, text, early = []] of refused) {
			const c = await connect(server);
			await c.send(text.replace('%O', `Origin: ${ORIGIN}\r\n`));
			const res = await c.answer();
			c.close();
			seen.push(`${what} ${res.status}${'x-request-id' in res.headers ? ' (application)' : ''}`);
			if (early.includes(name)) assert.equal(res.headers['x-content-type-options'], 'nosniff', `${what}: ${res}`);
			else readableByPages(res, what);
		}
		t.diagnostic(`${name}: ${seen.join(', ')}`);
	});
}
