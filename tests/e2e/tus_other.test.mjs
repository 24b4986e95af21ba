// tus_other.test.mjs - tus 1.0.0: expiration, termination, locks, stopping, full disks. Tests are named after the conformance list.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, files, start, useServer } from './lib/server.mjs';
import { request, sleep, until } from './lib/http.mjs';
import { TUS, create, head, made, offsetOf, openPatch, options, patch, remove } from './lib/tus.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3, LOCK_WAIT_MS: 500 } });
const hasty = useServer({ settings: { WORKERS: 2, TUS_EXPIRATION: 2, REAP_INTERVAL: 1 } });
const ORIGIN = { Origin: 'http://localhost:8000' };
const IMF = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

const extensions = async () => (await options(server, '/files/')).headers['tus-extension'].split(',');

async function whole(s, url, seed, length) {
	const got = await request(s, 'GET', url);
	assert.equal(got.status, 200, `download: ${got}`);
	assert.equal(sha256(got.body), sha256(bytes(seed, 0, length)));
}

check('check_094_expiration_announced', async () => assert.ok((await extensions()).includes('expiration')));

check('check_095_096_expires_on_post_and_every_patch', async () => {
	const res = await create(server, { length: 10 });
	const dates = [res.headers['upload-expires']];
	for (let at = 0; at < 9; at += 3) dates.push((await patch(server, res.headers.location, at, 'abc')).headers['upload-expires']);
	for (const d of dates) {
		assert.match(d ?? '', IMF);
		const ahead = Date.parse(d) - Date.now();
		assert.ok(ahead > 20 * 3600e3 && ahead < 25 * 3600e3, `${d} lies ${ahead / 1000} s ahead`);
	}
	assert.equal((await head(server, res.headers.location)).headers['upload-expires'], dates.at(-1), 'HEAD repeats the row');
});

check('check_097_expiry_slides', async () => {
	const url = await made(hasty, { length: 10 });
	const first = Date.parse((await head(hasty, url)).headers['upload-expires']);
	await until(() => Date.now() > first - 950, { what: 'next second' });
	const res = await patch(hasty, url, 0, 'abc');
	assert.equal(res.status, 204, `${res}`);
	assert.ok(Date.parse(res.headers['upload-expires']) > first);
});

check('check_098_resume_after_removal', async () => {
	const url = await made(hasty, { length: 10, body: 'abc' });
	const told = Date.parse((await head(hasty, url)).headers['upload-expires']);
	await until(() => Date.now() > told + 1000, { what: 'time after expiry' });
	const res = await patch(hasty, url, 3, 'defghij');
	assert.ok([404, 410].includes(res.status), `${res}`);
	await until(async () => (await head(hasty, url)).status === 410, { what: '410' });
	await until(() => !files(hasty.partsDir).length, { what: 'space to be given back', timeout: 15000 });
});

check('check_099_complete_uploads_do_not_expire', async () => {
	const url = await made(hasty, { length: 10, body: bytes('done', 0, 10) });
	const began = Date.now();
	await until(() => Date.now() > began + 4500, { what: 'time' });
	const res = await head(hasty, url);
	assert.ok([200, 204].includes(res.status), `${res}`);
	await whole(hasty, url, 'done', 10);
});

check('check_100_live_writer_is_not_reaped', async () => {
	const url = await made(hasty, { length: 40000 });
	const c = await openPatch(hasty, url, 0, 40000);
	await c.sendSlowly(bytes('slow', 0, 40000), 1000, 120);
	const res = await c.answer();
	assert.equal(res.status, 204, `${res}`);
	c.close();
	await whole(hasty, url, 'slow', 40000);
});

check('check_110_termination_announced', async () => assert.ok((await extensions()).includes('termination')));

check('check_111_112_delete', async () => {
	for (const body of ['', 'abc', 'abcdefghij']) {
		const url = await made(server, { length: 10 });
		if (body) await patch(server, url, 0, body);
		const before = files(server.data).length;
		const res = await remove(server, url);
		assert.equal(res.status, 204, `${body.length} bytes: ${res}`);
		for (const later of [await head(server, url), await patch(server, url, body.length, 'x'), await request(server, 'GET', url)])
			assert.ok([404, 410].includes(later.status), `${later}`);
		assert.ok(files(server.data).length <= before);
	}
	await until(() => !files(server.partsDir).some(f => fs.statSync(path.join(server.partsDir, f)).size === 10), { what: 'freed space' }).catch(() => {
		assert.fail('part files of deleted uploads are still there');
	});
});

check('check_112_space_is_freed', async () => {
	const used = () => files(server.data).reduce((sum, f) => {
		try { return sum + fs.statSync(path.join(server.data, f)).blocks * 512; } catch { return sum; }
	}, 0);
	const before = used();
	const urls = [await made(server, { length: 16 << 20, body: bytes('free', 0, 8 << 20) }), await made(server, { length: 8 << 20, body: bytes('free', 0, 8 << 20) })];
	assert.ok(used() > before + (15 << 20));
	for (const url of urls) assert.equal((await remove(server, url)).status, 204);
	await until(() => used() < before + (2 << 20), { what: 'freed space' });
});

check('check_113_unknown_and_second_delete', async () => {
	assert.equal((await remove(server, '/files/_AAAAAAAAAAAAAAAAAAAAAA')).status, 404);
	const url = await made(server, { length: 3 });
	assert.equal((await remove(server, url)).status, 204);
	assert.ok([404, 410].includes((await remove(server, url)).status));
});

check('check_114_delete_during_patch', async () => {
	for (let round = 0; round < 3; round++) {
		const url = await made(server, { length: 100000 });
		const c = await openPatch(server, url, 0, 100000);
		await c.send(bytes('del', 0, 50000));
		await server.writing();
		const gone = await remove(server, url);
		assert.equal(gone.status, 204, `${gone}`);
		// The writer hears an error, or its connection ends; then nothing comes back to life.
		c.send(bytes('del', 50000, 50000));
		const res = await c.answer({ timeout: 10000 }).catch(() => null);
		assert.ok(res === null || res.status >= 400, `${res}`);
		c.close();
		assert.ok([404, 410].includes((await head(server, url)).status));
	}
});

check('check_115_partial_and_final_live_apart', async t => {
	if (!(await extensions()).includes('concatenation')) return t.skip('concatenation is not announced');
	const part = await made(server, { length: 5, body: bytes('concat', 0, 5), headers: { 'Upload-Concat': 'partial' } });
	const final = await made(server, { headers: { 'Upload-Concat': `final;${part}` } });
	assert.equal((await remove(server, part)).status, 204);
	await whole(server, final, 'concat', 5);
});

const stopped = pid => fs.readdirSync(`/proc/${pid}/task`).every(t => /\) T /.test(fs.readFileSync(`/proc/${pid}/task/${t}/stat`, 'latin1')));

check('check_132_in_use_is_423', async () => {
	const url = await made(server, { length: 100000 });
	const c = await openPatch(server, url, 0, 100000);
	await c.send(bytes('lock', 0, 30000));
	const holder = await server.writing();
	// A stopped process can not let go: the only way to see a lock that is not handed over in time.
	process.kill(holder, 'SIGSTOP');
	try {
		// A thread that is still on its way to stopping could take the next connection with it.
		await until(() => stopped(holder), { what: 'all threads to stop', every: 1 });
		const began = Date.now();
		const res = await patch(server, url, 0, bytes('lock', 0, 100000));
		assert.equal(res.status, 423, `${res}`);
		assert.match(res.headers['retry-after'] ?? '', /^\d+$/);
		assert.ok(Date.now() - began < 5000);
		const h = await head(server, url);
		assert.ok([200, 204, 423].includes(h.status), `${h}`);
	} finally {
		process.kill(holder, 'SIGCONT');
	}
	const n = await until(async () => { const at = await offsetOf(server, url); return at >= 0 && { at }; });
	assert.equal((await patch(server, url, n.at, bytes('lock', n.at, 100000 - n.at))).status, 204);
	await whole(server, url, 'lock', 100000);
	c.close();
});

check('check_133_worker_stopping', async () => {
	const url = await made(server, { length: 100000 });
	const other = await made(server, { length: 10 });
	const c = await openPatch(server, url, 0, 100000);
	await c.send(bytes('stop', 0, 60000));
	await server.arrived(60000);
	const holder = await server.writing();
	process.kill(holder, 'SIGTERM');
	const seen = [];
	const answer = c.answer({ timeout: 20000 });
	while (await Promise.race([answer.then(() => false, () => false), sleep(50).then(() => true)])) seen.push(await head(server, other));
	const res = await answer;
	assert.equal(res.status, 503, `${res}`);
	for (const h of seen) assert.equal(h.status, 200, `HEAD while stopping: ${h}`);
	assert.equal(await offsetOf(server, url), 60000);
	assert.equal((await patch(server, url, 60000, bytes('stop', 60000, 40000))).status, 204);
	await whole(server, url, 'stop', 100000);
	c.close();
});

check('check_134_no_space_at_creation', async () => {
	const full = await start({ settings: { WORKERS: 2, MIN_FREE_SPACE: String(2 ** 50) } });
	try {
		const res = await create(full, { length: 10, headers: ORIGIN });
		assert.equal(res.status, 507, `${res}`);
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin);
		assert.equal((await request(full, 'GET', '/health')).status, 200);
	} finally {
		await full.stop();
	}
});

// A full disk in the middle of a body, without a disk to fill: no process of this server may make a file longer than 4 MiB.
check('check_134_no_space_in_mid_body', async () => {
	const full = await start({ settings: { WORKERS: 2 }, wrap: ['bash', '-c', 'ulimit -f 4096; exec "$@"', 'limited'] });
	try {
		const res = await create(full, { length: 8 << 20 });
		if (res.status === 507) return;   // the space was reserved beforehand: as good
		assert.equal(res.status, 201, `${res}`);
		const url = res.headers.location;
		const patched = await patch(full, url, 0, bytes('full', 0, 8 << 20));
		assert.equal(patched.status, 507, `${patched}`);
		const n = await offsetOf(full, url);
		assert.ok(n > 0 && n <= 4 << 20, `kept ${n}`);
		const again = await patch(full, url, n, bytes('full', n, 1000));
		assert.ok(again.status === 507 || n + 1000 <= 4 << 20, `${again}`);
		const ok = await made(full, { length: 1000, body: bytes('full', 0, 1000) });
		await whole(full, ok, 'full', 1000);
	} finally {
		await full.stop();
	}
});

check('check_135_errors_look_like_answers', async () => {
	const url = await made(server, { length: 10, body: 'abc' });
	const exposed = (await request(server, 'POST', '/files/', { headers: { ...TUS, ...ORIGIN, 'Upload-Length': 1, 'Content-Length': 0 } })).headers['access-control-expose-headers'];
	const answers = [
		await create(server, { headers: ORIGIN }),
		await create(server, { length: '99000000000000', headers: ORIGIN }),
		await patch(server, url, 0, 'x', { headers: ORIGIN }),
		await patch(server, url, 3, 'x', { headers: { ...ORIGIN, 'Content-Type': 'text/plain' } }),
		await request(server, 'GET', '/files/_AAAAAAAAAAAAAAAAAAAAAA', { headers: { ...TUS, ...ORIGIN } }),
		await request(server, 'PUT', url, { headers: { ...TUS, ...ORIGIN }, body: 'x' }),
		await remove(server, '/files/_AAAAAAAAAAAAAAAAAAAAAA', { ...ORIGIN, 'Tus-Resumable': '7' }),
	];
	for (const res of answers) {
		assert.ok(res.status >= 400);
		assert.equal(res.headers['access-control-allow-origin'], ORIGIN.Origin, `${res}`);
		assert.equal(res.headers['access-control-expose-headers'], exposed);
		assert.equal(res.headers['x-content-type-options'], 'nosniff');
		assert.ok(res.json.detail && res.json.code && res.json.request_id, `${res}`);
		assert.ok(res.body.length < 500);
	}
	for (const h of ['Location', 'Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Upload-Defer-Length', 'Upload-Expires', 'Tus-Resumable', 'Tus-Version',
		'Tus-Extension', 'Tus-Max-Size', 'Retry-After', 'X-Request-ID', 'ETag', 'Content-Range', 'Accept-Ranges', 'Content-Disposition'])
		assert.ok(exposed.toLowerCase().split(/,\s*/).includes(h.toLowerCase()), `${h} exposed`);
});
