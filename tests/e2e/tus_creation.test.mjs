// tus_creation.test.mjs - tus 1.0.0: creation, metadata, creation-with-upload, deferred length. Tests are named after the conformance list.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, files, metrics, useServer } from './lib/server.mjs';
import { open, request, until } from './lib/http.mjs';
import { OFFSET_TYPE, TUS, create, head, made, offsetOf, openPatch, options, patch } from './lib/tus.mjs';
import { b64, bytes, sha256 } from './lib/data.mjs';

const MAX = 4 << 20;
const server = useServer({ settings: { WORKERS: 3 } });
const small = useServer({ settings: { WORKERS: 2, TUS_MAX_SIZE: MAX } });
const ORIGIN = { Origin: 'http://localhost:8000' };
const DEFER = { 'Upload-Defer-Length': '1' };

const extensions = async () => (await options(server, '/files/')).headers['tus-extension'].split(',');
const uploads = (s = server) => files(s.partsDir).sort().join('\n');

async function whole(s, url, seed, length) {
	const got = await request(s, 'GET', url);
	assert.equal(got.status, 200, `download: ${got}`);
	assert.equal(got.body.length, length);
	assert.equal(sha256(got.body), sha256(bytes(seed, 0, length)));
}

// A refused creation: the status, and nothing left on the disk.
async function refused(s, status, options_) {
	const before = uploads(s);
	const res = await create(s, options_);
	assert.ok([status].flat().includes(res.status), `${JSON.stringify(options_.headers ?? options_.length ?? options_.meta)}: ${res}`);
	assert.equal(res.headers.location, undefined);
	assert.equal(uploads(s), before, 'nothing left on the disk');
	return res;
}

check('check_055_creation_announced', async () => assert.ok((await extensions()).includes('creation')));

check('check_056_057_created_with_path_absolute_location', async () => {
	for (const headers of [{}, { Host: `127.0.0.1:${server.port}`, 'X-Forwarded-Proto': 'https' }]) {
		const res = await create(server, { length: 10, headers });
		assert.equal(res.status, 201);
		assert.match(res.headers.location, /^\/files\/_[A-Za-z0-9_-]{22}$/);
		assert.equal((await head(server, res.headers.location)).headers['upload-length'], '10');
	}
});

check('check_058_neither_length_nor_defer', async () => { await refused(server, 400, {}); });
check('check_059_both', async () => { await refused(server, 400, { length: 5, headers: DEFER }); });
for (const v of ['0', 'true', '2', '', '01', '1, 1'])
	check(`check_060_defer_${v || 'empty'}`, async () => { await refused(server, 400, { headers: { 'Upload-Defer-Length': v } }); });
for (const v of ['-1', '1.5', 'x', '', '9223372036854775808'])
	check(`check_061_bad_length_${v || 'empty'}`, async () => { await refused(server, 400, { length: v }); });

check('check_062_empty_upload_is_complete_at_once', async () => {
	const before = await metrics(server);
	const url = await made(server, { length: 0, meta: `filename ${b64('empty.bin')}` });
	const res = await head(server, url);
	assert.equal(res.headers['upload-offset'], '0');
	assert.equal(res.headers['upload-length'], '0');
	assert.equal((await patch(server, url, 0, '')).status, 204);
	await whole(server, url, 'x', 0);
	const after = await metrics(server);
	assert.equal(after.waveforge_tus_uploads_completed - before.waveforge_tus_uploads_completed, 1, 'finished exactly once');
});

check('check_063_above_maximum', async () => {
	const res = await refused(small, 413, { length: MAX + 1 });
	assert.equal(res.headers['tus-max-size'], String(MAX));
	await refused(server, 413, { length: '99000000000000' });
	assert.equal((await create(small, { length: MAX })).status, 201);
});

check('check_064_new_upload_has_offset_0', async () => assert.equal(await offsetOf(server, await made(server, { length: 7 })), 0));

check('check_065_body_of_another_type', async () => {
	for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/octet-stream'])
		await refused(server, 415, { length: 3, body: 'abc', headers: { 'Content-Type': type } });
	for (const type of ['text/plain', 'application/json', OFFSET_TYPE])
		assert.equal((await create(server, { length: 3, headers: { 'Content-Type': type } })).status, 201, type);
});

check('check_066_unguessable_unique', async () => {
	const seen = new Set();
	for (let i = 0; i < 40; i++)
		for (const url of await Promise.all(Array.from({ length: 5 }, () => made(server, { length: 1 })))) seen.add(url);
	assert.equal(seen.size, 200);
	// 128 random bits in 22 characters: no place has the same letter every time (the last one carries only two bits).
	const ids = [...seen].map(u => u.slice('/files/_'.length));
	for (let at = 0; at < 21; at++) assert.ok(new Set(ids.map(i => i[at])).size > 20, `place ${at}`);
});

check('check_067_head_from_another_process_at_once', async () => {
	for (let i = 0; i < 20; i++) {
		const url = await made(server, { length: 5 });
		for (const res of await Promise.all([1, 2, 3].map(() => head(server, url)))) assert.equal(res.headers['upload-offset'], '0');
	}
});

// Hooks do not exist; the policies that do are limits (63) and access (access.test.mjs).
check('check_068_refused_leaves_nothing', async () => {
	await refused(server, 400, { length: 5, meta: 'a b!' });
	await refused(server, 415, { length: 5, body: 'x', headers: { 'Content-Type': 'text/html' } });
	await refused(small, 413, { length: MAX + 1, body: 'x' });
});

const good = ['a Yg==', 'a', 'a ', 'a ,b Yg==', 'a,b,c', `filename ${b64('x'.repeat(300))}`, 'a Yg==, b Yg==', `n ${b64('null')}`, 'K-e_y.1 Yg==',
	`crlf ${b64('a\r\nb: c')}`, `nul ${b64('a\0b')}`, `bin ${Buffer.from([255, 254, 0, 1]).toString('base64')}`];
for (const meta of good)
	check(`check_069_072_074_076_metadata_${JSON.stringify(meta).slice(0, 30)}`, async () => {
		const url = await made(server, { length: 1, meta });
		const res = await head(server, url);
		assert.equal(res.headers['upload-metadata'], meta.trimEnd());
		// A decoded value never becomes a header of its own.
		assert.equal(res.headers.b, undefined);
		assert.equal((await patch(server, url, 0, 'x')).status, 204);
	});

const bad = { lone_comma: ',', trailing_comma: 'a Yg==,', double_comma: 'a Yg==,,b Yg==', bad_base64: 'a Y!==', no_padding: 'a Yg',
	url_alphabet: 'a -_-_', duplicate: 'a Yg==,a Yg==', duplicate_empty: 'a,a', two_blanks: 'a  Yg==', three_words: 'a Yg== Yg==', umlaut: 'ä Yg==' };
for (const [what, meta] of Object.entries(bad))
	// An empty first key (" Yg==") cannot be provoked: nginx trims the blank, and the key "Yg==" arrives.
	check(`check_070_071_073_074_metadata_${what}`, async () => {
		await refused(server, 400, { length: 1, meta: Buffer.from(meta).toString('latin1') });
	});

check('check_075_empty_metadata_header_is_absent', async () => {
	const url = await made(server, { length: 1, meta: '' });
	assert.equal((await head(server, url)).headers['upload-metadata'], undefined);
});

check('check_076_values_never_reach_paths_or_headers', async () => {
	const url = await made(server, { length: 3, meta: `filename ${b64('../../evil\r\nX-Evil: 1\0.html')}`, body: 'abc' });
	const got = await request(server, 'GET', url);
	assert.equal(got.status, 200);
	assert.equal(got.headers['x-evil'], undefined);
	assert.doesNotMatch(got.headers['content-disposition'] ?? '', /[\r\n\0]|\.\.\//);
	assert.ok(!files(path.dirname(server.data)).some(f => f.startsWith('evil')));
});

check('check_077_metadata_cap', async () => {
	const res = await refused(server, [400, 413, 431], { length: 1, meta: `a ${b64('x'.repeat(3600))}`, headers: ORIGIN });
	assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin);
	assert.equal((await create(server, { length: 1, meta: `a ${b64('x'.repeat(2900))}` })).status, 201);
	// Far above: nginx's own limit on a header line may answer, but nothing is made.
	await refused(server, [400, 413, 431, 494], { length: 1, meta: `a ${b64('x'.repeat(60000))}` });
});

check('check_078_announced_with_creation', async () => {
	const list = await extensions();
	assert.ok(list.includes('creation-with-upload') && list.includes('creation'));
});

check('check_079_creation_with_upload', async () => {
	const res = await create(server, { length: 10, body: bytes('cwu', 0, 4) });
	assert.equal(res.status, 201, `${res}`);
	assert.equal(res.headers['upload-offset'], '4');
	const rest = await patch(server, res.headers.location, 4, bytes('cwu', 4, 6));
	assert.equal(rest.status, 204);
	await whole(server, res.headers.location, 'cwu', 10);
});

// The client of a cut POST never hears where its upload is; that the bytes stay is seen on the disk.
check('check_080_cut_creation_keeps_bytes', async () => {
	const marker = bytes('cut creation', 0, 70000);
	const c = await open(server, 'POST', '/files/', { headers: { ...TUS, 'Upload-Length': 200000, 'Content-Type': OFFSET_TYPE }, length: 200000 });
	await c.send(marker);
	await server.arrived(marker.length);
	c.close();
	await until(() => files(server.partsDir).some(f => {
		try { return fs.readFileSync(path.join(server.partsDir, f)).subarray(0, marker.length).equals(marker); } catch { return false; }
	}), { what: 'part file with the bytes' });
});

check('check_081_creation_body_above_length', async () => {
	await refused(server, 413, { length: 3, body: 'abcd' });
	const before = uploads();
	const res = await create(server, { length: 3, body: [Buffer.from('ab'), Buffer.from('cd')], chunked: true });
	assert.equal(res.status, 413, `${res}`);
	assert.equal(uploads(), before);
});

check('check_082_checksum_on_creation', async t => {
	if (!(await extensions()).includes('checksum')) return t.skip('checksum is not announced');
	await refused(server, 460, { length: 3, body: 'abc', headers: { 'Upload-Checksum': `sha1 ${b64('x'.repeat(20))}` } });
});

check('check_083_whole_file_in_the_post', async () => {
	const before = await metrics(server);
	const res = await create(server, { length: 50000, body: bytes('cwu', 0, 50000) });
	assert.equal(res.status, 201);
	assert.equal(res.headers['upload-offset'], '50000');
	await whole(server, res.headers.location, 'cwu', 50000);
	const after = await metrics(server);
	assert.equal(after.waveforge_tus_uploads_completed - before.waveforge_tus_uploads_completed, 1);
});

check('check_084_creation_with_upload_deferred', async () => {
	const res = await create(server, { headers: DEFER, body: bytes('cwu', 0, 5) });
	assert.equal(res.status, 201, `${res}`);
	assert.equal(res.headers['upload-offset'], '5');
	assert.equal((await patch(server, res.headers.location, 5, bytes('cwu', 5, 5), { headers: { 'Upload-Length': 10 } })).status, 204);
	await whole(server, res.headers.location, 'cwu', 10);
});

check('check_084_creation_with_upload_partial', async t => {
	if (!(await extensions()).includes('concatenation')) return t.skip('concatenation is not announced');
	const res = await create(server, { length: 10, body: 'abc', headers: { 'Upload-Concat': 'partial' } });
	assert.equal(res.status, 201);
	assert.equal(res.headers['upload-offset'], '3');
});

check('check_085_announced', async () => assert.ok((await extensions()).includes('creation-defer-length')));

check('check_086_087_deferred_until_told', async () => {
	const url = await made(server, { headers: DEFER });
	for (const at of [0, 5]) {
		assert.equal((await patch(server, url, at, bytes('defer', at, 5))).status, 204);
		const h = await head(server, url);
		assert.equal(h.headers['upload-defer-length'], '1');
		assert.equal(h.headers['upload-length'], undefined);
		assert.equal(h.headers['upload-offset'], String(at + 5));
	}
	assert.equal((await patch(server, url, 10, bytes('defer', 10, 5), { headers: { 'Upload-Length': 20 } })).status, 204);
	assert.equal((await head(server, url)).headers['upload-length'], '20');
	assert.equal((await patch(server, url, 15, bytes('defer', 15, 5))).status, 204);
	await whole(server, url, 'defer', 20);
});

check('check_088_length_set_once', async () => {
	const url = await made(server, { headers: DEFER });
	assert.equal((await patch(server, url, 0, bytes('defer', 0, 5), { headers: { 'Upload-Length': 20 } })).status, 204);
	for (const other of [19, 21]) assert.equal((await patch(server, url, 5, 'x', { headers: { 'Upload-Length': other } })).status, 400);
	assert.equal((await head(server, url)).headers['upload-length'], '20');
	assert.equal((await patch(server, url, 5, bytes('defer', 5, 15), { headers: { 'Upload-Length': 20 } })).status, 204);
	await whole(server, url, 'defer', 20);
	const fixed = await made(server, { length: 5 });
	assert.equal((await patch(server, fixed, 0, 'x', { headers: { 'Upload-Length': 6 } })).status, 400);
	assert.equal(await offsetOf(server, fixed), 0);
});

check('check_089_length_below_offset_or_above_maximum', async () => {
	const url = await made(small, { headers: DEFER });
	await patch(small, url, 0, bytes('defer', 0, 10));
	assert.equal((await patch(small, url, 10, '', { headers: { 'Upload-Length': 9 } })).status, 400);
	assert.equal((await patch(small, url, 10, '', { headers: { 'Upload-Length': MAX + 1 } })).status, 413);
	const h = await head(small, url);
	assert.equal(h.headers['upload-defer-length'], '1');
	assert.equal(h.headers['upload-offset'], '10');
});

check('check_090_length_below_offset_and_body', async () => {
	const url = await made(server, { headers: DEFER });
	assert.equal((await patch(server, url, 0, '0123456789', { headers: { 'Upload-Length': 5 } })).status, 413);
	assert.equal(await offsetOf(server, url), 0);
});

check('check_091_empty_patch_with_length_completes', async () => {
	const before = (await metrics(server)).waveforge_tus_uploads_completed;
	const url = await made(server, { headers: DEFER });
	assert.equal((await patch(server, url, 0, bytes('defer', 0, 10))).status, 204);
	const res = await patch(server, url, 10, '', { headers: { 'Upload-Length': 10 } });
	assert.equal(res.status, 204, `${res}`);
	assert.equal(res.headers['upload-offset'], '10');
	await whole(server, url, 'defer', 10);
	assert.equal((await metrics(server)).waveforge_tus_uploads_completed - before, 1);
});

check('check_092_maximum_holds_while_deferred', async () => {
	const url = await made(small, { headers: DEFER });
	assert.equal((await patch(small, url, 0, bytes('defer', 0, MAX - 10))).status, 204);
	assert.equal((await patch(small, url, MAX - 10, 'x'.repeat(11))).status, 413);
	assert.equal(await offsetOf(small, url), MAX - 10);
	const res = await patch(small, url, MAX - 10, [bytes('defer', MAX - 10, 10), Buffer.from('more')], { chunked: true });
	assert.equal(res.status, 413, `${res}`);
	const n = await offsetOf(small, url);
	assert.ok(n >= MAX - 10 && n <= MAX, `${n}`);
	assert.equal((await patch(small, url, n, bytes('defer', n, MAX - n), { headers: { 'Upload-Length': MAX } })).status, 204);
	await whole(small, url, 'defer', MAX);
});

check('check_093_length_stays_when_body_is_cut', async () => {
	const url = await made(server, { headers: DEFER });
	const c = await openPatch(server, url, 0, 1000, { 'Upload-Length': 1000 });
	await c.send(bytes('defer', 0, 400));
	await server.arrived(400);
	c.close();
	await server.idle();
	assert.equal(await offsetOf(server, url), 400);
	const h = await head(server, url);
	assert.equal(h.headers['upload-length'], '1000');
	assert.equal((await patch(server, url, 400, bytes('defer', 400, 600))).status, 204);
	await whole(server, url, 'defer', 1000);
});
