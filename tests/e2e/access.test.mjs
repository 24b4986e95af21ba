// access.test.mjs - who may do what: production, keys, owners, required identity.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, check, scratch, start, useServer } from './lib/server.mjs';
import { request } from './lib/http.mjs';
import { TUS, create, head, patch, remove } from './lib/tus.mjs';
import { chunkMeta, complete, newSid, sendChunk } from './lib/wave.mjs';
import { multipart, chunkForm } from './lib/multipart.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const keyDir = scratch();
const keyFile = path.join(keyDir, 'keys');
const KEYS = { alice: 'alice-key-0123456789', bob: 'bob-key-0123456789', root: 'root-key-0123456789' };
fs.writeFileSync(keyFile, `# name role sha256\nalice user ${sha256(KEYS.alice)}\nbob user ${sha256(KEYS.bob)}\nroot admin ${sha256(KEYS.root)}\n`, { mode: 0o600 });
process.on('exit', () => fs.rmSync(keyDir, { recursive: true, force: true }));

const PROD = { WORKERS: 2, ENVIRONMENT: 'production', SECRET_KEY: 'a-secret-of-enough-length-for-tests', FORCE_HTTPS: 'false', API_KEYS_FILE: keyFile };
const server = useServer({ settings: PROD });
const locked = useServer({ settings: { ...PROD, REQUIRE_AUTH: 'true' } });
const https = useServer({ settings: { ...PROD, FORCE_HTTPS: 'true' } });
const as = (who, how = 'X-API-Key') => (how === 'X-API-Key' ? { 'X-API-Key': KEYS[who] } : { Authorization: `Bearer ${KEYS[who]}` });
const get = (p, headers, s = server, method = 'GET') => request(s, method, p, { headers });
const no = (res, what) => assert.ok([401, 403].includes(res.status), `${what}: ${res}`);

async function recordingOf(headers) {
	const sid = newSid();
	const m = chunkForm({ session_id: sid, chunk_index: 0 }, bytes(sid, 0, 100));
	assert.equal((await request(server, 'POST', '/upload/chunk', { ...m, headers: { ...m.headers, ...headers } })).status, 200);
	const c = multipart([{ name: 'session_id', value: sid }, { name: 'file_name', value: 'r.webm' }]);
	const res = await request(server, 'POST', '/recording/complete', { ...c, headers: { ...c.headers, ...headers } });
	assert.equal(res.status, 200, `${res}`);
	return { sid, url: `/recordings/${sid}/r.webm` };
}

check('uploading_stays_open', async () => {
	const sid = newSid();
	assert.equal((await sendChunk(server, sid, 0, bytes(sid, 0, 100))).status, 200);
	assert.equal((await complete(server, sid, 'open.webm')).status, 200);
	const res = await create(server, { length: 3, body: 'abc' });
	assert.equal(res.status, 201);
	assert.ok([200, 204].includes((await head(server, res.headers.location)).status));
	for (const p of ['/health', '/api/config', `/api/verify/${sid}/0`]) assert.equal((await get(p)).status, 200, p);
});

check('listing_and_metrics_need_an_identity', async () => {
	for (const p of ['/recordings', '/metrics', '/health?detail=1']) {
		no(await get(p), p);
		no(await get(p, { 'X-API-Key': 'wrong' }), `${p} with a wrong key`);
		no(await get(p, { 'X-API-Key': sha256(KEYS.root) }), `${p} with the hash as key`);
		no(await get(p, { Authorization: 'Bearer wrong' }), `${p} with a wrong token`);
		no(await get(p, { REMOTE_USER: 'root', 'Remote-User': 'root', 'X-Remote-User': 'root' }), `${p} with a header that plays REMOTE_USER`);
		for (const how of ['X-API-Key', 'Bearer']) assert.equal((await get(p, as('root', how))).status, 200, `${p} ${how}`);
	}
	const unauthenticated = await get('/recordings');
	assert.deepEqual(Object.keys(unauthenticated.json).slice(0, 3), ['detail', 'code', 'request_id']);
});

check('owner_rules_for_recordings', async () => {
	const r = await recordingOf(as('alice'));
	no(await get(r.url, {}, server, 'DELETE'), 'anonymous DELETE');
	const bob = await get(r.url, as('bob'), server, 'DELETE');
	assert.ok([401, 403, 404].includes(bob.status), `${bob}`);
	assert.ok(!(await get('/recordings', as('bob'))).text.includes(r.sid), 'not in the list of somebody else');
	assert.ok((await get('/recordings', as('alice'))).text.includes(r.sid));
	assert.ok((await get('/recordings', as('root'))).text.includes(r.sid), 'an admin sees all');
	const own = await get(r.url, as('alice'), server, 'DELETE');
	assert.ok([200, 204].includes(own.status), `${own}`);
	const other = await recordingOf(as('alice'));
	assert.ok([200, 204].includes((await get(other.url, as('root'), server, 'DELETE')).status));
});

check('anonymous_recordings_are_deleted_by_an_admin_only', async () => {
	const r = await recordingOf({});
	no(await get(r.url, {}, server, 'DELETE'), 'anonymous');
	assert.ok([200, 204].includes((await get(r.url, as('root'), server, 'DELETE')).status));
});

check('owner_rules_for_uploads', async () => {
	const res = await create(server, { length: 6, headers: as('alice') });
	assert.equal(res.status, 201);
	const url = res.headers.location;
	assert.ok([401, 403, 404].includes((await patch(server, url, 0, 'abc', { headers: as('bob') })).status));
	assert.ok([401, 403, 404].includes((await remove(server, url, { ...TUS, ...as('bob') })).status));
	assert.ok([401, 403, 404].includes((await remove(server, url)).status));
	assert.equal((await patch(server, url, 0, 'abcdef', { headers: as('alice') })).status, 204);
	assert.equal((await get(url, as('alice'))).status, 200);
	assert.equal((await remove(server, url, { ...TUS, ...as('alice') })).status, 204);
});

check('owner_rules_for_sessions', async () => {
	const sid = newSid();
	const res = await create(server, { path: `/files/${sid}/chunks/`, length: 10, meta: chunkMeta(0, 2), headers: as('alice') });
	assert.equal(res.status, 201);
	assert.ok([401, 403, 404].includes((await remove(server, `/files/${sid}`, { ...TUS, ...as('bob') })).status));
	assert.ok([401, 403, 404].includes((await create(server, { path: `/files/${sid}/chunks/`, length: 10, meta: chunkMeta(1, 2), headers: as('bob') })).status));
	assert.equal((await remove(server, `/files/${sid}`, { ...TUS, ...as('alice') })).status, 200);
});

check('require_auth', async () => {
	no(await create(locked, { length: 1 }), 'tus creation');
	no(await sendChunk(locked, newSid(), 0, Buffer.from('x')), 'fallback');
	no(await request(locked, 'PUT', '/upload/x.bin', { body: 'x' }), 'PUT');
	for (const p of ['/health']) assert.equal((await get(p, {}, locked)).status, 200, p);
	assert.ok([200, 204].includes((await request(locked, 'OPTIONS', '/files/', { headers: { Origin: 'http://localhost:8000', 'Access-Control-Request-Method': 'POST' } })).status), 'preflight needs none');
	const ok = await create(locked, { length: 1, body: 'x', headers: as('bob', 'Bearer') });
	assert.equal(ok.status, 201, `${ok}`);
	const res = await create(locked, { length: 1 });
	if (res.status === 401) assert.ok(res.headers['www-authenticate'], 'a 401 names a scheme');
});

check('force_https', async () => {
	assert.equal((await get('/api/config', {}, https)).status, 403);
	assert.equal((await get('/api/config', { 'X-Forwarded-Proto': 'https' }, https)).status, 403, 'only from trusted proxies');
	assert.equal((await get('/health', {}, https)).status, 200, 'probes come over plain HTTP');
});

check('force_https_behind_a_trusted_proxy', async () => {
	const proxied = await start({ settings: { ...PROD, FORCE_HTTPS: 'true', TRUSTED_PROXIES: '127.0.0.1', WORKERS: 1 } });
	try {
		assert.equal((await get('/api/config', {}, proxied)).status, 403);
		const res = await get('/api/config', { 'X-Forwarded-Proto': 'https' }, proxied);
		assert.equal(res.status, 200, `${res}`);
		assert.match(res.headers['strict-transport-security'] ?? '', /max-age=/);
	} finally {
		await proxied.stop();
	}
});

check('production_refuses_insecure_settings', async () => {
	for (const [what, env] of [['default key', {}], ['short key', { SECRET_KEY: 'short' }], ['test clock', { SECRET_KEY: PROD.SECRET_KEY, TEST_CLOCK_OFFSET: '5' }]]) {
		const res = spawnSync(path.join(build, 'tus-fcgi'), ['--check-config'], { env: { PATH: process.env.PATH, DATA_DIR: keyDir, ENVIRONMENT: 'production', ...env }, encoding: 'utf8' });
		assert.notEqual(res.status, 0, what);
		assert.match(res.stderr + res.stdout, /SECRET_KEY|TEST_CLOCK_OFFSET/, what);
	}
});

check('keys_are_not_logged', async () => {
	await get('/recordings', as('alice'));
	await get('/recordings', as('alice', 'Bearer'));
	const log = server.log();
	assert.ok(log.length > 0);
	for (const secret of [...Object.values(KEYS), PROD.SECRET_KEY]) assert.ok(!log.includes(secret));
});
