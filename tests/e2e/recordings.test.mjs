// recordings.test.mjs - finished recordings: list, download with ranges and validators, types, names, removal, internal redirect.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, completed, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { TUS, made } from './lib/tus.mjs';
import { assembled, complete, download, isRecording, newSid, sendChunk, status } from './lib/wave.mjs';
import { b64, bytes, sha256 } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3 } });
const accel = useServer({ settings: { WORKERS: 2, SENDFILE: 'x-accel-redirect' } });
const SIZE = 300000;

async function recording(name, { s = server, size = SIZE, meta } = {}) {
	const sid = newSid();
	const data = bytes(sid, 0, size);
	assert.equal((await sendChunk(s, sid, 0, data)).status, 200);
	const res = await complete(s, sid, name, meta);
	assert.equal(res.status, 200, `${res}`);
	await assembled(s, sid);
	const disk = await until(() => Object.keys(completed(s, sid))[0]);
	return { sid, data, disk };
}

const list = async s => {
	const res = await request(s, 'GET', '/recordings');
	assert.equal(res.status, 200, `${res}`);
	return Array.isArray(res.json) ? res.json : res.json.recordings;
};

check('list', async () => {
	const r = await recording('Listed.webm');
	const entry = (await list(server)).find(e => e.session_id === r.sid);
	assert.ok(entry, 'in the list');
	assert.equal(entry.file_name, 'Listed.webm');
	assert.equal(entry.size ?? entry.file_size_bytes, SIZE);
	assert.ok(!JSON.stringify(entry).includes(server.dir), 'no path of the disk');
});

check('download_whole', async () => {
	const r = await recording('Whole.webm');
	const res = await download(server, r.sid, r.disk);
	assert.equal(res.status, 200, `${res}`);
	assert.equal(sha256(res.body), sha256(r.data));
	assert.equal(res.headers['content-length'], String(SIZE));
	assert.equal(res.headers['accept-ranges'], 'bytes');
	assert.equal(res.headers['content-type'], 'audio/webm');
	assert.equal(res.headers['x-content-type-options'], 'nosniff');
	assert.match(res.headers.etag, /^"[^"]+"$/);
	assert.match(res.headers['content-disposition'], /^attachment/);
});

check('head_equals_get_without_body', async () => {
	const r = await recording('Head.webm');
	const url = `/recordings/${r.sid}/${r.disk}`;
	const [h, g] = [await request(server, 'HEAD', url), await request(server, 'GET', url)];
	assert.equal(h.status, 200);
	for (const k of ['content-type', 'etag', 'content-length', 'content-disposition', 'accept-ranges', 'last-modified']) assert.equal(h.headers[k], g.headers[k], k);
	assert.equal(h.body.length, 0);
});

const ranges = [['bytes=0-0', 0, 0], ['bytes=0-99', 0, 99], ['bytes=100-', 100, SIZE - 1], ['bytes=-1', SIZE - 1, SIZE - 1], ['bytes=-99999999', 0, SIZE - 1],
	[`bytes=${SIZE - 5}-${SIZE + 100}`, SIZE - 5, SIZE - 1], ['bytes=65530-65550', 65530, 65550]];
for (const [s, mode] of [[server, 'plain'], [accel, 'x_accel']])
	check(`range_${mode}`, async () => {
		const r = await recording('Range.webm', { s });
		for (const [range, from, to] of ranges) {
			const res = await download(s, r.sid, r.disk, { Range: range });
			assert.equal(res.status, 206, `${range}: ${res.status}`);
			assert.equal(res.headers['content-range'], `bytes ${from}-${to}/${SIZE}`);
			assert.equal(res.headers['content-length'], String(to - from + 1));
			assert.ok(res.body.equals(r.data.subarray(from, to + 1)), range);
		}
		const bad = await download(s, r.sid, r.disk, { Range: `bytes=${SIZE}-` });
		assert.equal(bad.status, 416);
		assert.equal(bad.headers['content-range'], `bytes */${SIZE}`);
		for (const odd of ['bytes=5-2', 'bytes=a-b', 'items=0-5', 'bytes=-'])
			assert.ok([200, 416].includes((await download(s, r.sid, r.disk, { Range: odd })).status), odd);
		const several = await download(s, r.sid, r.disk, { Range: 'bytes=0-1,5-6' });
		assert.ok([200, 206].includes(several.status), `${several.status}`);
	});

check('validators', async () => {
	const r = await recording('Valid.webm');
	const first = await download(server, r.sid, r.disk);
	const { etag } = first.headers;
	for (const v of [etag, `"other", ${etag}`, '*', `W/${etag}`]) {
		const res = await download(server, r.sid, r.disk, { 'If-None-Match': v });
		assert.equal(res.status, 304, `${v}: ${res.status}`);
		assert.equal(res.headers.etag, etag);
		assert.equal(res.body.length, 0);
	}
	assert.equal((await download(server, r.sid, r.disk, { 'If-None-Match': '"other"' })).status, 200);
	assert.equal((await download(server, r.sid, r.disk, { Range: 'bytes=0-9', 'If-Range': etag })).status, 206);
	assert.equal((await download(server, r.sid, r.disk, { Range: 'bytes=0-9', 'If-Range': '"other"' })).status, 200);
	assert.equal((await download(server, r.sid, r.disk, { Range: 'bytes=0-9', 'If-Range': `W/${etag}` })).status, 200);
	const other = await recording('Valid.webm');
	assert.notEqual((await download(server, other.sid, other.disk)).headers.etag, etag, 'another file has another ETag');
});

for (const [ext, type] of [['webm', 'audio/webm'], ['wav', /^audio\/(x-)?wav$/], ['mp3', 'audio/mpeg'], ['ogg', 'audio/ogg'], ['xyz', 'application/octet-stream'],
	['html', 'application/octet-stream'], ['svg', 'application/octet-stream'], ['htm', 'application/octet-stream'], ['xhtml', 'application/octet-stream'],
	['js', 'application/octet-stream'], ['xml', 'application/octet-stream'], ['HTML', 'application/octet-stream']])
	check(`type_of_${ext}`, async () => {
		for (const s of [server, accel]) {
			const r = await recording(`t.${ext}`, { s, size: 10 });
			for (const query of ['', '?inline=1', '?disposition=inline']) {
				const res = await request(s, 'GET', `/recordings/${r.sid}/${r.disk}${query}`);
				assert.equal(res.status, 200);
				const got = res.headers['content-type'].split(';')[0];
				assert.ok(typeof type === 'string' ? got === type : type.test(got), `${got}`);
				assert.equal(res.headers['x-content-type-options'], 'nosniff');
				if (type === 'application/octet-stream') assert.match(res.headers['content-disposition'], /^attachment/);
			}
		}
	});

check('names_in_utf8', async () => {
	for (const s of [server, accel]) {
		const r = await recording('x.webm', { s, meta: { name: 'Größe „100%“ 録音;a="b"', extension: 'webm' } });
		const res = await download(s, r.sid, r.disk);
		assert.equal(res.status, 200, `${r.disk}: ${res}`);
		assert.equal(sha256(res.body), sha256(r.data));
		const d = res.headers['content-disposition'];
		assert.match(d, /^attachment/);
		assert.ok(/^[\x20-\x7e]*$/.test(d), `only ASCII: ${d}`);
		const ext = /filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)/i.exec(d);
		assert.ok(ext, d);
		const name = decodeURIComponent(ext[1]);
		assert.ok(name.includes('Größe') && name.includes('録音') && name.endsWith('.webm'), name);
		const plain = /filename="((?:[^"\\]|\\.)*)"/.exec(d);
		if (plain) assert.doesNotMatch(plain[1], /%[0-9a-f]{2}/i);
	}
});

check('name_with_reserved_characters', async () => {
	for (const s of [server, accel]) {
		const r = await recording('My 100% take?#u.webm', { s });
		const res = await download(s, r.sid, r.disk);
		assert.equal(res.status, 200, `${r.disk}: ${res}`);
		assert.equal(sha256(res.body), sha256(r.data));
	}
});

check('x_accel_redirect_keeps_headers', async () => {
	const r = await recording('Accel.webm', { s: accel });
	const res = await download(accel, r.sid, r.disk, { Origin: 'http://localhost:8000' });
	assert.equal(res.status, 200);
	assert.equal(sha256(res.body), sha256(r.data));
	assert.equal(res.headers['content-type'], 'audio/webm');
	assert.equal(res.headers['x-content-type-options'], 'nosniff');
	assert.equal(res.headers['access-control-allow-origin'], 'http://localhost:8000');
	assert.match(res.headers['content-disposition'], /^attachment/);
	assert.equal(res.headers['x-accel-redirect'], undefined);
	// The internal location is closed to the outside.
	for (const p of ['/tus-internal/', `/tus-internal/${r.sid}/completed/${r.disk}`, `/tus-internal/uploaded_data/${r.sid}/completed/${r.disk}`])
		assert.ok([403, 404].includes((await request(accel, 'GET', p)).status), p);
});

check('side_file_is_not_served_as_a_recording', async () => {
	const r = await recording('Side.webm');
	const res = await download(server, r.sid, `${r.disk}.meta.json`);
	assert.ok([200, 404].includes(res.status));
	if (res.status === 200) assert.ok(!res.text.includes(server.dir));
});

check('unknown_names_are_404', async () => {
	const r = await recording('Known.webm');
	for (const p of [`/recordings/${r.sid}/Other.webm`, '/recordings/nosuch/Known.webm', `/recordings/${r.sid}/known.webm`, `/recordings/${r.sid}/completed`,
		`/recordings/${r.sid}/..%2fcompleted%2fKnown.webm`]) assert.equal((await request(server, 'GET', p)).status, 404, p);
	assert.equal((await request(server, 'PUT', `/recordings/${r.sid}/Known.webm`, { body: 'x' })).status, 405);
});

check('delete', async () => {
	const r = await recording('Gone.webm');
	const url = `/recordings/${r.sid}/${r.disk}`;
	const before = path.dirname(completed(server, r.sid)[r.disk]);
	const res = await request(server, 'DELETE', url);
	assert.ok([200, 204].includes(res.status), `${res}`);
	assert.ok([404, 410].includes((await request(server, 'GET', url)).status));
	assert.ok([404, 410].includes((await request(server, 'DELETE', url)).status));
	await until(() => !fs.existsSync(before) || !fs.readdirSync(before).length, { what: 'file and side file to go' });
	assert.ok(!(await list(server)).some(e => e.session_id === r.sid && e.file_name === 'Gone.webm'));
	assert.equal((await request(server, 'DELETE', '/recordings/nosuch/x.webm')).status, 404);
});

check('plain_tus_upload_is_downloaded_under_its_url', async () => {
	const data = bytes('tusdl', 0, 70000);
	const url = await made(server, { length: data.length, meta: `filename ${b64('böse.html')},filetype ${b64('text/html')}`, body: data });
	const res = await request(server, 'GET', url, { headers: TUS });
	assert.equal(res.status, 200, `${res}`);
	assert.equal(sha256(res.body), sha256(data));
	assert.equal(res.headers['content-type'], 'application/octet-stream');
	assert.match(res.headers['content-disposition'], /^attachment/);
	const part = await request(server, 'GET', url, { headers: { Range: 'bytes=10-19' } });
	assert.equal(part.status, 206);
	assert.ok(part.body.equals(data.subarray(10, 20)));
});

check('gone_recording_session_status', async () => {
	const r = await recording('Stat.webm');
	assert.equal((await status(server, r.sid)).json.assembled, true);
	await isRecording(server, r.sid, r.disk, r.data);
});
