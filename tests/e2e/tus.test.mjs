// tus.test.mjs - tus 1.0.0 as this server speaks it, where the protocol leaves a choice. What any server must do is asked by the conformance suite (conformance.test.mjs).
import assert from 'node:assert/strict';
import path from 'node:path';
import { check, files, metrics, start, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { TUS, create, head, made, options, patch, patchHeaders, remove } from './lib/tus.mjs';
import { b64, bytes } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3 } });
const hasty = useServer({ settings: { WORKERS: 2, TUS_EXPIRATION: 2, REAP_INTERVAL: 1 } });
const ORIGIN = { Origin: 'http://localhost:8000' };
const UNKNOWN = '/files/_AAAAAAAAAAAAAAAAAAAAAA';

check('extensions', async () => {
	const res = await options(server, '/files/');
	const list = (res.headers['tus-extension'] ?? '').split(',');
	for (const e of ['creation', 'creation-with-upload', 'creation-defer-length', 'termination', 'expiration', 'checksum', 'concatenation', 'concatenation-unfinished'])
		assert.ok(list.includes(e), `${e} in ${list}`);
	assert.ok(!list.includes('checksum-trailer'), 'no trailer passes a FastCGI front');
	assert.equal(res.headers['tus-version'].split(',')[0], '1.0.0');
	assert.match(res.headers['tus-max-size'], /^\d+$/);
});

check('location_is_path_absolute', async () => {
	for (const headers of [{}, { Host: `127.0.0.1:${server.port}`, 'X-Forwarded-Proto': 'https' }]) {
		const res = await create(server, { length: 10, headers });
		assert.equal(res.status, 201);
		assert.match(res.headers.location, /^\/files\/_[A-Za-z0-9_-]{22}$/);
	}
});

check('paths_and_methods', async () => {
	const url = await made(server, { length: 10, body: 'abc' });
	for (const p of [`${url}/x`, '/files/_short', '/files/a/b/c/d/e', `${UNKNOWN}/no/such`]) {
		const res = await request(server, 'GET', p, { headers: TUS });
		assert.equal(res.status, 404, `${p}: ${res}`);
		assert.equal(res.headers['tus-resumable'], '1.0.0', p);
	}
	assert.equal((await request(server, 'GET', '/files//x', { headers: TUS })).status, 404);
	for (const [method, p] of [['PUT', '/files/'], ['PATCH', '/files/'], ['PUT', url]]) {
		const res = await request(server, method, p, { headers: TUS, body: 'x' });
		assert.equal(res.status, 405, `${method} ${p}: ${res}`);
		assert.match(res.headers.allow ?? '', /OPTIONS/);
		assert.doesNotMatch(res.headers.allow, new RegExp(`\\b${method}\\b`));
	}
	const chunk = await head(server, '/files/nosuch/chunks/0');
	assert.equal(chunk.status, 404);
	assert.equal(chunk.headers['upload-offset'], undefined);
	assert.equal((await patch(server, url, 3, 'd')).headers['content-type'], undefined, 'no type without a body');
});

check('options_everywhere_make_nothing', async () => {
	for (const p of [UNKNOWN, '/files/', '/files/nosuch/chunks/', '/files/nosuch/chunks/0', '/files/nosuch/status']) {
		const res = await options(server, p);
		assert.ok([200, 204].includes(res.status), `${p}: ${res}`);
		if (!p.endsWith('status')) assert.ok(res.headers['tus-version'], p);
	}
	assert.equal((await request(server, 'GET', '/files/nosuch/status')).status, 404);
	assert.equal((await head(server, UNKNOWN)).status, 404);
});

check('preflight_lists', async () => {
	const asked = 'tus-resumable,upload-length,upload-metadata,upload-offset,content-type';
	for (const p of ['/files/', UNKNOWN, '/files/s1/chunks/', '/files/s1/chunks/0']) {
		const res = await options(server, p, { ...ORIGIN, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': asked });
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin);
		for (const m of ['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'GET'])
			assert.match(res.headers['access-control-allow-methods'], new RegExp(`\\b${m}\\b`));
		const allowed = res.headers['access-control-allow-headers'].toLowerCase().split(/,\s*/);
		for (const h of ['upload-checksum', 'upload-complete', 'upload-draft-interop-version']) assert.ok(allowed.includes(h), `${h} in ${allowed}`);
	}
});

check('methods_of_the_override_have_capitals', async () => {
	const url = await made(server, { length: 10 });
	for (const name of ['FROB', 'patch']) {
		const odd = await request(server, 'POST', url, { headers: patchHeaders(0, { 'X-HTTP-Method-Override': name }), body: 'x' });
		assert.ok([405, 501].includes(odd.status), `${odd}`);
	}
	assert.equal((await head(server, url)).headers['upload-offset'], '0');
});

check('completed_is_counted_once', async () => {
	const counted = async () => (await metrics(server)).waveforge_tus_uploads_completed, before = await counted();
	const empty = await made(server, { length: 0 });
	assert.equal((await patch(server, empty, 0, '')).status, 204);
	assert.equal(await counted() - before, 1, 'length 0');
	await made(server, { length: 50000, body: bytes('count', 0, 50000) });
	assert.equal(await counted() - before, 2, 'whole in the POST');
	const later = await made(server, { headers: { 'Upload-Defer-Length': '1' } });
	assert.equal((await patch(server, later, 0, bytes('count', 0, 10))).status, 204);
	for (let i = 0; i < 2; i++) assert.equal((await patch(server, later, 10, '', { headers: { 'Upload-Length': 10 } })).status, 204);
	assert.equal(await counted() - before, 3, 'length that came later');
});

check('metadata_cap', async () => {
	const res = await create(server, { length: 1, meta: `a ${b64('x'.repeat(3600))}`, headers: ORIGIN });
	assert.ok([400, 413, 431].includes(res.status), `${res}`);
	assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin);
	assert.equal((await create(server, { length: 1, meta: `a ${b64('x'.repeat(2900))}` })).status, 201);
});

check('values_never_reach_paths', async () => {
	const url = await made(server, { length: 3, meta: `filename ${b64('../../evil\r\nX-Evil: 1\0.html')}`, body: 'abc' });
	const got = await request(server, 'GET', url);
	assert.equal(got.status, 200);
	assert.doesNotMatch(got.headers['content-disposition'] ?? '', /[\r\n\0]|\.\.\//);
	assert.ok(!files(path.dirname(server.data)).some(f => f.startsWith('evil')));
});

check('uploads_expire_after_a_day_and_are_told_so_on_head', async () => {
	const res = await create(server, { length: 10 });
	const told = [res, await patch(server, res.headers.location, 0, 'abc')].map(r => r.headers['upload-expires']);
	for (const d of told) {
		const ahead = Date.parse(d) - Date.now();
		assert.ok(ahead > 20 * 3600e3 && ahead < 25 * 3600e3, `${d} lies ${ahead / 1000} s ahead`);
	}
	assert.equal((await head(server, res.headers.location)).headers['upload-expires'], told[1]);
});

check('expired_is_410_and_its_space_is_given_back', async () => {
	const url = await made(hasty, { length: 10, body: 'abc' });
	await until(async () => (await head(hasty, url)).status === 410, { what: '410', timeout: 15000, every: 100 });
	assert.equal((await patch(hasty, url, 3, 'defghij')).status, 410);
	await until(() => !files(hasty.partsDir).length, { what: 'space to be given back', timeout: 15000 });
});

check('full_disk_stops_nothing_else', async () => {
	const full = await start({ settings: { WORKERS: 2, MIN_FREE_SPACE: String(2 ** 50) } });
	try {
		assert.equal((await create(full, { length: 10 })).status, 507);
		assert.equal((await request(full, 'GET', '/health')).status, 200);
	} finally {
		await full.stop();
	}
});

check('errors_are_json_and_expose_everything', async () => {
	const url = await made(server, { length: 10, body: 'abc' });
	const success = await create(server, { length: 1, headers: ORIGIN });
	const answers = [
		await create(server, { headers: ORIGIN }),
		await create(server, { length: '99000000000000', headers: ORIGIN }),
		await patch(server, url, 0, 'x', { headers: ORIGIN }),
		await patch(server, url, 3, 'x', { headers: { ...ORIGIN, 'Content-Type': 'text/plain' } }),
		await request(server, 'GET', UNKNOWN, { headers: { ...TUS, ...ORIGIN } }),
		await request(server, 'PUT', url, { headers: { ...TUS, ...ORIGIN }, body: 'x' }),
		await remove(server, UNKNOWN, { ...ORIGIN, 'Tus-Resumable': '7' }),
	];
	for (const res of answers) {
		assert.ok(res.status >= 400);
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin, `${res}`);
		assert.equal(res.headers['access-control-expose-headers'], success.headers['access-control-expose-headers']);
		assert.ok(res.json.detail && res.json.code && res.json.request_id, `${res}`);
		assert.ok(res.body.length < 500);
	}
	const exposed = success.headers['access-control-expose-headers'].toLowerCase().split(/,\s*/);
	for (const h of ['retry-after', 'x-request-id', 'etag', 'content-range', 'accept-ranges', 'content-disposition']) assert.ok(exposed.includes(h), `${h} exposed`);
});
