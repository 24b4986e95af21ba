// fronts.mjs - what the tests of the web servers share: what each of them can do, and how to take away what stands behind one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { request, until } from './http.mjs';
import { head, offsetOf, openPatch, patch, remove, TUS } from './tus.mjs';

export const ORIGIN = 'https://app.example.test';
export const settings = { WORKERS: 2, CORS_ORIGINS: ORIGIN };
export const SIZE = 1000000;

// What each front can do. pool: a socket on which others listen; program: what is started for a request, or several. spools: a body comes
// to the application when all of it is there, so nothing of a cut one is kept. chunked: the status of a body without a length.
// silent: a client that stopped is told nothing before it has sent so many more bytes. lag: bytes that may lie between a client and the application while
// the client is silent. early: which refusals come before the Origin is read.
const HEADLESS = ['a nonsense version', 'a long line', 'a bad path'];
export const fronts = [
	{ name: 'nginx', pool: true, early: HEADLESS },
	{ name: 'nginx-tls', pool: true, early: HEADLESS },
	{ name: 'apache-proxy', pool: true, silent: 1, early: [...HEADLESS, 'a long header'] },
	{ name: 'apache-fcgid', program: 'tus-fcgi', spools: true, early: [...HEADLESS, 'a long header'] },
	{ name: 'apache-cgi', program: 'upload.cgi', silent: SIZE, early: [...HEADLESS, 'a long header'] },
	{ name: 'lighttpd', pool: true, chunked: 411, early: [...HEADLESS, 'a long header'] },
	{ name: 'lighttpd-cgi', program: 'upload.cgi', chunked: 411, early: [...HEADLESS, 'a long header'] },
	{ name: 'fcgiwrap', pool: true, lag: 4095, silent: SIZE, program: 'upload.cgi', early: HEADLESS },
];

// A file in the folder that scripts/run made for what the web server must reach, if it made one.
export function near(server, name) {
	const folder = fs.readFileSync(path.join(server.runDir, 'socket-folder'), 'utf8').trim();
	return path.join(folder || server.runDir, name);
}

// Runs fn while nobody, or `responder` (called with each connection), listens where the pool should.
export async function withoutPool(server, responder, fn) {
	const name = near(server, 'tus.sock');
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

// Runs fn while the program is not there, or (text) is a script.
export async function withoutProgram(server, program, text, fn) {
	const name = near(server, program);
	fs.renameSync(name, `${name}.aside`);
	try {
		if (text) {
			fs.writeFileSync(`${name}.new`, text, { mode: 0o755 });
			fs.renameSync(`${name}.new`, name);
		}
		for (const pid of server.workers()) try { process.kill(pid, 'SIGKILL'); } catch { /* already gone */ }
		await fn();
	} finally {
		fs.renameSync(`${name}.aside`, name);
	}
}

// The offset when the pool is back. lighttpd asks a pool that was away again in the next second only.
export const back = (server, url) => until(async () => { const at = await offsetOf(server, url); return at !== -423 && at; }, { what: 'pool', timeout: 5000 });

export function readableByPages(res, what) {
	assert.equal(res.headers['access-control-allow-origin'], ORIGIN, `${what}: ${res}`);
	assert.equal(res.headers['access-control-allow-credentials'], 'true', `${what}: ${res}`);
	assert.equal(res.headers['x-content-type-options'], 'nosniff', `${what}: ${res}`);
	assert.match(res.headers.vary ?? '', /^Origin$/i, `${what}: ${res}`);
	assert.equal(res.list.filter(([k]) => k === 'access-control-allow-origin').length, 1, `${what}: ${res}`);
}

export async function answersForThePool(server, url) {
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
export async function cut({ server, lag }, url, data, from, length, sent, end) {
	const c = await openPatch(server, url, from, length);
	await c.send(data.subarray(from, from + sent));
	await server.grown(from + sent - lag);
	c[end]();
	await server.idle();
}
