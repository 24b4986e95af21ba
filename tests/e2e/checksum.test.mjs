// checksum.test.mjs - bodies with a checksum, through real web servers: what clients read of a mismatch, and what is left when a process dies in the middle.
import assert from 'node:assert/strict';
import net from 'node:net';
import { createHash } from 'node:crypto';
import { check, start, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { made, offsetOf, openPatch, patch, patchHeaders } from './lib/tus.mjs';
import { bytes } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 2 } });
const LENGTH = 12 << 20;        // an unchecked one is published on its way

const digest = (body, name = 'sha256') => createHash(name).update(body).digest('base64');
const checksum = (body, name = 'sha256') => ({ 'Upload-Checksum': `${name} ${digest(body, name)}` });

// The status line as it comes.
function status_line(s, path, headers, body) {
	return new Promise((done, fail) => {
		const socket = net.connect(s.port, '127.0.0.1');
		let text = '';
		const lines = Object.entries({ Host: '127.0.0.1', Connection: 'close', 'Content-Length': body.length, ...headers }).map(([k, v]) => `${k}: ${v}\r\n`);
		socket.on('error', fail);
		socket.on('data', d => { text += d; });
		socket.on('end', () => { socket.destroy(); done(text.slice(0, text.indexOf('\r\n'))); });
		socket.write(`PATCH ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
		socket.write(body);
	});
}

// lighttpd leaves out the phrase of a status that it does not know (RFC 9112 4 allows none), and refuses bodies without a length (411).
for (const [front, phrase] of [['nginx', 'Checksum Mismatch'], ['apache-proxy', 'Checksum Mismatch'], ['lighttpd', '']])
	check(`mismatch_has_its_status_behind_${front}`, async () => {
		const s = await start({ front, settings: { WORKERS: 1 } });
		try {
			const url = await made(s, { length: 20 });
			assert.equal(await status_line(s, url, patchHeaders(0, checksum('other bytes')), Buffer.from('some bytes')), `HTTP/1.1 460 ${phrase}`);
			const res = await patch(s, url, 0, 'some bytes', { headers: checksum('other bytes') });
			assert.equal(res.json.code, 'checksum_mismatch', `${res}`);
			assert.equal(await offsetOf(s, url), 0);
			assert.equal((await patch(s, url, 0, 'some bytes', { headers: checksum('some bytes', 'sha1') })).status, 204);
			assert.equal((await patch(s, url, 10, 'more bytes', { headers: checksum('more bytes', 'md5'), chunked: front !== 'lighttpd' })).status, 204);
			assert.equal((await request(s, 'GET', url)).text, 'some bytesmore bytes');
		} finally {
			await s.stop();
		}
	});

check('a_process_that_dies_in_a_checked_body_leaves_the_old_offset', async () => {
	const url = await made(server, { length: LENGTH + 10, body: bytes('checked', 0, 10) });
	const body = bytes('checked', 10, LENGTH);
	const c = await openPatch(server, url, 10, LENGTH, checksum(body));
	await c.send(body.subarray(0, LENGTH - (1 << 20)));
	await server.writing();
	// What nginx keeps to itself comes with more; most of it is on the disk by then, and more than is published of a body that is not checked.
	await server.grown(10 << 20);
	await server.waitWorkersBack(server.killWorkers());
	c.close();
	assert.equal(await offsetOf(server, url), 10);
	assert.equal((await patch(server, url, 10, body, { headers: checksum(body.subarray(1)) })).status, 460);
	assert.equal(await offsetOf(server, url), 10);
	const res = await patch(server, url, 10, body, { headers: checksum(body) });
	assert.equal(res.status, 204, `${res}`);
	const got = await request(server, 'GET', url);
	assert.equal(digest(got.body), digest(Buffer.concat([bytes('checked', 0, 10), body])));
});

// Every download of a finished file tells the digest of the whole, whoever sends it; what is no download of it does not.
for (const SENDFILE of ['none', 'x-accel-redirect'])
	check(`whole_file_digest_sent_by_${SENDFILE}`, async () => {
		const s = await start({ settings: { WORKERS: 1, FILE_DIGEST: 'sha256', SENDFILE } });
		try {
			const data = bytes('whole', 0, 3 << 20), right = `sha-256=:${digest(data)}:`;
			const url = await made(s, { length: data.length, body: data });
			const told = async (headers, method = 'GET') => {
				const res = await request(s, method, url, { headers });
				return [res.status, res.headers['repr-digest'], res.headers.etag];
			};
			// its digest is made after the answer
			const [, , etag] = await until(async () => { const got = await told({}); return got[1] && got; }, { what: 'Repr-Digest' });
			assert.deepEqual((await told({})).slice(0, 2), [200, right]);
			assert.deepEqual((await told({ Range: 'bytes=100-199' })).slice(0, 2), [206, right]);
			assert.deepEqual((await told({ 'If-None-Match': etag })).slice(0, 2), [304, right]);
			// nginx finds that out after it has put the header there
			if (SENDFILE === 'none') assert.deepEqual((await told({ Range: `bytes=${data.length}-` })).slice(0, 2), [416, undefined]);
			assert.deepEqual((await told({ 'Want-Repr-Digest': 'sha-256=0' })).slice(0, 2), [200, undefined]);
			const { recordings } = (await request(s, 'GET', '/recordings/')).json;
			assert.equal(recordings[0].sha256, createHash('sha256').update(data).digest('hex'));
			assert.equal((await request(s, 'GET', `${recordings[0].url}.meta.json`)).json.sha256, recordings[0].sha256);
		} finally {
			await s.stop();
		}
	});

check('the_reaper_makes_the_digests_that_a_dead_process_owes', async () => {
	const s = await start({ settings: { WORKERS: 1, REAP_INTERVAL: 1 } });
	try {
		const data = bytes('owed', 0, 2 << 20);
		const url = await made(s, { length: data.length, body: data });
		assert.equal((await request(s, 'GET', url)).headers['repr-digest'], undefined);
		await s.restart({ ...s.settings, FILE_DIGEST: 'sha256' });
		const told = await until(async () => (await request(s, 'GET', url)).headers['repr-digest'], { what: 'Repr-Digest' });
		assert.equal(told, `sha-256=:${digest(data)}:`);
	} finally {
		await s.stop();
	}
});
