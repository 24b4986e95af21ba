// pages.test.mjs - what surrounds the uploads: config, health, metrics, CORS, hosts, errors.
import assert from 'node:assert/strict';
import { check, metrics, useServer } from './lib/server.mjs';
import { connect, request } from './lib/http.mjs';
import { TUS, create, head, made, patch } from './lib/tus.mjs';
import { sendChunk, newSid } from './lib/wave.mjs';

const ORIGIN = 'https://app.example.test';
const server = useServer({ settings: { WORKERS: 3, CORS_ORIGINS: `["${ORIGIN}"]`, CHUNK_SIZE: 2097152, TUS_CHUNK_SIZE: 262144 } });
const tusOff = useServer({ settings: { WORKERS: 1, TUS_ENABLED: 'false', DEFAULT_UPLOAD_METHOD: 'custom' } });
const customOff = useServer({ settings: { WORKERS: 1, CUSTOM_ENABLED: 'false', ALLOWED_HOSTS: '*', CORS_ORIGINS: '*' } });

check('config', async () => {
	const res = await request(server, 'GET', '/api/config');
	assert.equal(res.status, 200);
	assert.match(res.headers['content-type'], /^application\/json/);
	const c = res.json;
	assert.equal(c.chunk_size, 2097152);
	assert.equal(c.tus_chunk_size, 262144);
	assert.deepEqual(c.upload_methods, ['tus', 'custom']);
	assert.equal(c.default_upload_method, 'tus');
	assert.ok(!res.text.includes(server.dir) && !res.text.includes('default_insecure'));
	const off = (await request(tusOff, 'GET', '/api/config')).json;
	assert.deepEqual(off.upload_methods, ['custom']);
	assert.equal(off.default_upload_method, 'custom');
	assert.deepEqual((await request(customOff, 'GET', '/api/config')).json.upload_methods, ['tus']);
});

check('methods_can_be_switched_off', async () => {
	assert.equal((await create(tusOff, { length: 1 })).status, 404);
	assert.equal((await sendChunk(tusOff, newSid(), 0, Buffer.from('x'))).status, 200);
	assert.equal((await create(customOff, { length: 1 })).status, 201);
	const refused = await sendChunk(customOff, newSid(), 0, Buffer.from('x'));
	assert.ok([403, 404, 503].includes(refused.status), `${refused}`);
});

check('health', async () => {
	const get = await request(server, 'GET', '/health');
	assert.equal(get.status, 200);
	assert.equal(get.json.status, 'ok');
	assert.ok(!Number.isNaN(Date.parse(get.json.timestamp)));
	const h = await request(server, 'HEAD', '/health');
	assert.equal(h.status, 200);
	assert.equal(h.body.length, 0);
	const post = await request(server, 'POST', '/health', { body: '' });
	assert.equal(post.status, 405);
	assert.match(post.headers.allow, /GET/);
});

check('health_without_host_and_with_foreign_host', async () => {
	for (const method of ['GET', 'HEAD']) {
		const old = await request(server, method, '/health', { version: '1.0', headers: { Host: null } });
		assert.equal(old.status, 200, `${old}`);
		assert.equal((await request(server, method, '/health', { headers: { Host: '10.9.8.7:1234' } })).status, 200);
	}
});

check('health_detail', async () => {
	const res = await request(server, 'GET', '/health?detail=1');
	assert.equal(res.status, 200, `${res}`);
	assert.equal(res.json.status, 'ok');
	assert.ok(Object.keys(res.json).length > 3, res.text);
	assert.ok(!res.text.includes('default_insecure'));
});

check('metrics_format', async () => {
	await made(server, { length: 5, body: 'hello' });
	const res = await request(server, 'GET', '/metrics');
	assert.equal(res.status, 200);
	assert.match(res.headers['content-type'], /^text\/plain; version=0\.0\.4/);
	const names = new Set();
	for (const line of res.text.trimEnd().split('\n')) {
		const m = /^(?:# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)|([a-zA-Z_:][\w:]*)(\{([a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+-]+|\+Inf|NaN))$/.exec(line);
		assert.ok(m, `line: ${line}`);
		if (m[1] === 'TYPE') {
			assert.ok(['counter', 'gauge', 'histogram', 'summary'].includes(m[3]), line);
			assert.ok(!names.has(m[2]), `TYPE once: ${m[2]}`);
			names.add(m[2]);
		} else if (m[4]) {
			assert.ok(names.has(m[4]) || names.has(m[4].replace(/_(bucket|sum|count)$/, '')), `TYPE before: ${line}`);
		}
	}
	for (const n of ['waveforge_tus_active_sessions', 'waveforge_tus_uploads_total', 'waveforge_tus_uploads_completed', 'waveforge_tus_uploads_failed',
		'waveforge_tus_resume_count', 'waveforge_tus_storage_bytes', 'waveforge_chunks_total', 'waveforge_received_bytes_total', 'waveforge_joined_bytes_total',
		'waveforge_finished_files_total', 'waveforge_http_requests_total', 'waveforge_http_request_duration_seconds'])
		assert.ok(names.has(n), n);
	const raw = Object.keys(await metrics(server)).filter(k => /_[A-Za-z0-9]{22}/.test(k));
	assert.deepEqual(raw, [], 'labels are templates, not paths');
});

check('cors_preflight', async () => {
	const ask = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-anything' };
	for (const p of ['/upload/chunk', '/api/config', '/recording/complete', '/files/', '/recordings/a/b.webm', '/health']) {
		const res = await request(server, 'OPTIONS', p, { headers: { Origin: ORIGIN, ...ask } });
		assert.ok([200, 204].includes(res.status), `${p}: ${res}`);
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN);
		assert.equal(res.headers['access-control-allow-credentials'], 'true');
		for (const m of ['GET', 'POST', 'HEAD', 'PATCH', 'DELETE']) assert.ok(res.headers['access-control-allow-methods'].includes(m));
		assert.ok(res.headers['access-control-allow-headers']);
		assert.match(res.headers.vary, /Origin/);
		const foreign = await request(server, 'OPTIONS', p, { headers: { Origin: 'https://evil.example', ...ask } });
		assert.equal(foreign.headers['access-control-allow-origin'], undefined, p);
	}
});

check('cors_on_success_and_error', async () => {
	const url = await made(server, { length: 5 });
	const answers = [
		() => request(server, 'GET', '/api/config', { headers: { Origin: ORIGIN } }),
		() => head(server, url, { ...TUS, Origin: ORIGIN }),
		() => patch(server, url, 3, 'x', { headers: { Origin: ORIGIN } }),
		() => request(server, 'GET', '/nosuch', { headers: { Origin: ORIGIN } }),
		() => request(server, 'PUT', '/health', { body: '', headers: { Origin: ORIGIN } }),
		() => request(server, 'POST', '/upload/chunk', { body: 'x', headers: { Origin: ORIGIN } }),
	];
	for (const ask of answers) {
		const res = await ask();
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN, `${res}`);
		assert.equal(res.headers['access-control-allow-credentials'], 'true');
		assert.match(res.headers['access-control-expose-headers'], /Upload-Offset/i);
		assert.match(res.headers.vary, /Origin/);
	}
	const foreign = await request(server, 'GET', '/api/config', { headers: { Origin: 'https://evil.example' } });
	assert.equal(foreign.status, 200);
	assert.equal(foreign.headers['access-control-allow-origin'], undefined);
	assert.match(foreign.headers.vary ?? '', /Origin/);
	const any = await request(customOff, 'GET', '/api/config', { headers: { Origin: 'https://whoever.example' } });
	assert.ok(['*', 'https://whoever.example'].includes(any.headers['access-control-allow-origin']));
});

check('cors_loopback_in_development', async () => {
	for (const o of ['http://localhost:3000', 'http://127.0.0.1:5173'])
		assert.equal((await request(server, 'GET', '/api/config', { headers: { Origin: o } })).headers['access-control-allow-origin'], o);
	for (const o of ['null', 'http://localhost.evil.example', 'https://app.example.test.evil.example', 'https://app.example.tes'])
		assert.equal((await request(server, 'GET', '/api/config', { headers: { Origin: o } })).headers['access-control-allow-origin'], undefined, o);
});

check('unknown_host_is_421', async () => {
	for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', 'evil.example:8000']) {
		const res = await request(server, 'GET', '/api/config', { headers: { Host: host } });
		assert.equal(res.status, 421, `${host}: ${res}`);
	}
	for (const host of ['localhost', 'localhost:8000', 'LOCALHOST', 'testserver', '127.0.0.1:1'])
		assert.equal((await request(server, 'GET', '/api/config', { headers: { Host: host } })).status, 200, host);
	assert.equal((await request(customOff, 'GET', '/api/config', { headers: { Host: 'anything.example' } })).status, 200);
	const sid = newSid();
	const upload = await request(server, 'POST', '/upload/chunk', { headers: { Host: 'evil.example' }, body: `x${sid}` });
	assert.equal(upload.status, 421, 'never 400: the recorder would delete its data');
});

check('error_bodies', async () => {
	for (const [res, status] of [
		[await request(server, 'GET', '/nosuch'), 404],
		[await request(server, 'GET', '/files/nosuch/status'), 404],
		[await request(server, 'DELETE', '/api/config'), 405],
		[await request(server, 'GET', '/api/config', { headers: { Host: 'evil.example' } }), 421],
		[await create(server, {}), 400],
		[await request(server, 'GET', '/api/verify/a/x'), 422],
	]) {
		assert.equal(res.status, status, `${res}`);
		assert.match(res.headers['content-type'], /^application\/json/);
		const keys = Object.keys(res.json);
		assert.deepEqual(keys.slice(0, 3), ['detail', 'code', 'request_id'], res.text);
		assert.equal(typeof res.json.detail, 'string');
		assert.match(res.json.code, /^[a-z_]+$/);
		assert.ok(res.json.request_id.length >= 8);
		assert.equal(res.headers['x-content-type-options'], 'nosniff');
		assert.ok(!res.text.includes(server.dir));
	}
});

check('wrong_method_is_405_with_allow', async () => {
	for (const [method, p, allow] of [['POST', '/api/config', 'GET'], ['DELETE', '/upload/chunk', 'POST'], ['PUT', '/recording/complete', 'POST'],
		['POST', '/api/verify/a/0', 'GET'], ['PUT', '/files/', 'POST'], ['POST', '/metrics', 'GET'], ['PATCH', '/files/a/status', 'GET']]) {
		const res = await request(server, method, p, { body: '', headers: TUS });
		assert.equal(res.status, 405, `${method} ${p}: ${res}`);
		assert.ok(res.headers.allow.split(/,\s*/).includes(allow), `${p}: ${res.headers.allow}`);
	}
});

check('request_id_in_and_out', async () => {
	const res = await request(server, 'GET', '/nosuch', { headers: { 'X-Request-ID': 'test-id-12345' } });
	assert.equal(res.headers['x-request-id'], 'test-id-12345');
	assert.equal(res.json.request_id, 'test-id-12345');
	const evil = await request(server, 'GET', '/nosuch', { headers: { 'X-Request-ID': '"><script>x'.repeat(30) } });
	assert.notEqual(evil.headers['x-request-id'], '"><script>x'.repeat(30));
	const [a, b] = [await request(server, 'GET', '/health'), await request(server, 'GET', '/health')];
	assert.ok(a.headers['x-request-id'] && a.headers['x-request-id'] !== b.headers['x-request-id']);
});

check('security_headers_once', async () => {
	for (const p of ['/api/config', '/nosuch', '/health', '/files/nosuch/status']) {
		const res = await request(server, 'GET', p);
		for (const h of ['x-content-type-options', 'content-type', 'x-frame-options'])
			assert.ok(res.list.filter(([k]) => k === h).length <= 1, `${p}: ${h}`);
		assert.equal(res.headers['x-content-type-options'], 'nosniff', p);
		assert.equal(res.headers['strict-transport-security'], undefined, 'not over plain HTTP');
	}
});

check('paths_are_not_decoded', async () => {
	for (const p of ['/api%2fconfig', '/api/confi%67', '//api/config', '/api/./config', '/api/x/../config', '/health/', '/health/x'])
		assert.ok([400, 404, 200].includes((await request(server, 'GET', p)).status), p);
	assert.equal((await request(server, 'GET', '/api%2fconfig')).status, 404);
	assert.equal((await request(server, 'GET', '/files/%2e%2e/status')).status, 404);
});

check('keep_alive_serves_several_requests', async () => {
	const c = await connect(server);
	for (let i = 0; i < 3; i++) {
		await c.sendHead('GET', '/api/config', { Host: 'localhost' });
		assert.equal((await c.answer()).status, 200);
	}
	c.close();
});
