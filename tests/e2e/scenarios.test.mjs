// scenarios.test.mjs - longer stories: time passes, disks differ, processes die while finishing, counters are exact, settings of the documents load.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, check, completed, files, metrics, scratch, start } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { create, head, made, offsetOf, openPatch, patch, remove } from './lib/tus.mjs';
import { assembled, complete, download, isRecording, newSid, postChunk, sendChunk, status, tusChunk, verify } from './lib/wave.mjs';
import { bytes, sha256, sha256Of } from './lib/data.mjs';

const chunk = (sid, i, size = 3000) => bytes(`${sid} ${i}`, 0, size);
const all = (sid, n, size) => Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i, size)));

const tool = (program, args, env) => spawnSync(path.join(build, program), args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });

// One server, its clock moved, and one run of the reaper as a timer would start it.
async function later(s, settings, seconds) {
	const moved = { ...settings, TEST_CLOCK_OFFSET: String(seconds) };
	await s.halt();
	const res = tool('tusctl', ['reap'], { DATA_DIR: s.data, ...moved });
	assert.equal(res.status, 0, `reap: ${res.stdout} ${res.stderr}`);
	await s.restart(moved);
}

check('time_passes_and_no_recording_is_lost', async t => {
	const settings = { WORKERS: 2, REAP_INTERVAL: 0 };
	const s = await start({ settings });
	try {
		const live = newSid('live'), holes = newSid('holes'), empty = newSid('empty'), done = newSid('done');
		for (let i = 0; i < 4; i++) await sendChunk(s, live, i, chunk(live, i));
		for (const i of [0, 1, 4, 5]) await sendChunk(s, holes, i, chunk(holes, i));
		await postChunk(s, empty, 0, 3, 100);
		await tusChunk(s, done, 0, 1, chunk(done, 0));
		await assembled(s, done);
		const half = await made(s, { length: 100, body: 'abc' });
		const full = await made(s, { length: 3, body: 'abc' });

		await later(s, settings, 90000);   // 25 hours

		// A half upload is gone and says so; a complete one and a finished recording stay.
		assert.equal((await head(s, half)).status, 410);
		assert.equal((await request(s, 'GET', full)).text, 'abc');
		await isRecording(s, done, 'take.webm', chunk(done, 0));
		// A session without a byte is dropped.
		assert.ok([404, 410].includes((await status(s, empty)).status));
		// Contiguous data became a recording of its own accord.
		const recovered = await until(() => Object.keys(completed(s, live))[0], { what: 'recovered file' });
		t.diagnostic(`recovered as ${recovered}`);
		await isRecording(s, live, recovered, all(live, 4));
		// The chunks of a session with holes are all kept, and its runs can be fetched.
		for (const i of [0, 1, 4, 5]) assert.equal((await verify(s, holes, i)).exists, true, `chunk ${i}`);
		const runs = Object.values(completed(s, holes)).map(f => sha256(fs.readFileSync(f)));
		assert.ok(runs.includes(sha256(Buffer.concat([chunk(holes, 0), chunk(holes, 1)]))), `runs: ${Object.keys(completed(s, holes))}`);
		assert.ok(runs.includes(sha256(Buffer.concat([chunk(holes, 4), chunk(holes, 5)]))));

		// A recorder that comes back goes on under the same id; its own name wins over the recovered one.
		const more = await sendChunk(s, live, 4, chunk(live, 4));
		assert.equal(more.json.status, 'chunk_received', `${more}`);
		assert.equal((await sendChunk(s, live, 2, chunk(live, 2))).json.status, 'chunk_already_exists');
		assert.equal((await complete(s, live, 'Mine.webm', { name: 'Mine', extension: 'webm' })).status, 200);
		await isRecording(s, live, 'Mine.webm', all(live, 5));
		assert.deepEqual(Object.keys(completed(s, live)), ['Mine.webm']);
		// Holes can still be filled.
		for (const i of [2, 3]) assert.equal((await sendChunk(s, holes, i, chunk(holes, i))).json.status, 'chunk_received');
		assert.equal((await complete(s, holes, 'Filled.webm')).status, 200);
		await isRecording(s, holes, 'Filled.webm', all(holes, 6));
	} finally {
		await s.stop();
	}
}, { timeout: 120000 });

check('completion_after_recovery_renames', async () => {
	const settings = { WORKERS: 2, REAP_INTERVAL: 0 };
	const s = await start({ settings });
	try {
		const sid = newSid();
		for (let i = 0; i < 3; i++) await sendChunk(s, sid, i, chunk(sid, i));
		await later(s, settings, 90000);
		await until(() => Object.keys(completed(s, sid))[0], { what: 'recovered file' });
		const res = await complete(s, sid, 'Late.webm', { name: 'Late', extension: 'webm' });
		assert.equal(res.status, 200, `${res}`);
		await isRecording(s, sid, 'Late.webm', all(sid, 3));
		assert.deepEqual(Object.keys(completed(s, sid)), ['Late.webm']);
	} finally {
		await s.stop();
	}
}, { timeout: 60000 });

check('a_forgotten_upload_is_404', async () => {
	const settings = { WORKERS: 2, REAP_INTERVAL: 0 };
	const s = await start({ settings });
	try {
		const url = await made(s, { length: 100, body: 'abc' });
		assert.equal((await remove(s, url)).status, 204);
		assert.equal((await head(s, url)).status, 410);
		await later(s, settings, 8 * 86400);
		assert.equal((await head(s, url)).status, 404);
	} finally {
		await s.stop();
	}
}, { timeout: 60000 });

check('finished_files_on_another_disk_and_a_kill_while_finishing', async t => {
	const shm = '/dev/shm';
	const probe = scratch();
	const other = fs.existsSync(shm) && fs.statSync(shm).dev !== fs.statSync(probe).dev;
	fs.rmSync(probe, { recursive: true });
	if (!other) return t.skip(`${shm} is no file system of its own here`);
	const done = fs.mkdtempSync(path.join(shm, 'tus-e2e-'));
	const s = await start({ settings: { WORKERS: 2, UPLOAD_DIR: done, REAP_INTERVAL: 1 } });
	try {
		const n = 24, size = 4 << 20;
		let seen = 0;
		for (let round = 0; round < 4; round++) {
			const sid = newSid();
			for (let i = 0; i < n; i++) await tusChunk(s, sid, i, n, chunk(sid, i, size));
			// The copy begins with the last answer: kill as soon as something of it is to be seen.
			await until(() => files(path.join(done, sid)).length, { what: 'begin of the copy', every: 1 });
			const killed = s.killWorkers('SIGKILL');
			if (!completed(s, sid)['take.webm']) seen++;
			await s.waitWorkersBack(killed);
			const st = await assembled(s, sid, 30000);
			assert.deepEqual(st.missing_chunks, []);
			const got = await download(s, sid, 'take.webm');
			assert.equal(got.status, 200);
			assert.equal(sha256(got.body), sha256Of((function* () { for (let i = 0; i < n; i++) yield chunk(sid, i, size); })()));
			assert.deepEqual(fs.readdirSync(path.join(done, sid, 'completed')).sort(), ['take.webm', 'take.webm.meta.json'], 'no temporary file is left');
			fs.rmSync(path.join(done, sid), { recursive: true });
		}
		t.diagnostic(`killed in the middle of the copy in ${seen} of 4 rounds`);
	} finally {
		await s.stop();
		fs.rmSync(done, { recursive: true, force: true });
	}
}, { timeout: 180000 });

check('metrics_are_exact_over_three_processes', async () => {
	const s = await start({ settings: { WORKERS: 3 } });
	try {
		const before = await metrics(s);
		const size = 50000;
		const whole = seed => create(s, { length: size, body: bytes(seed, 0, size) });
		const resumed = async seed => {
			const url = await made(s, { length: size });
			const c = await openPatch(s, url, 0, size);
			await c.send(bytes(seed, 0, 20000));
			await s.arrived(20000);
			c.close();
			await s.idle();
			assert.equal(await offsetOf(s, url), 20000);
			assert.equal((await patch(s, url, 20000, bytes(seed, 20000, size - 20000))).status, 204);
		};
		for (const res of await Promise.all(Array.from({ length: 7 }, (_, i) => whole(`ok ${i}`)))) assert.equal(res.status, 201);
		for (let i = 0; i < 3; i++) await resumed(`resumed ${i}`);
		await Promise.all(Array.from({ length: 2 }, async () => {
			const url = await made(s, { length: size, body: bytes('failed', 0, 1000) });
			assert.equal((await remove(s, url)).status, 204);
		}));
		const after = await metrics(s);
		const grown = name => (after[name] ?? 0) - (before[name] ?? 0);
		assert.equal(grown('waveforge_tus_uploads_total'), 12);
		assert.equal(grown('waveforge_tus_uploads_completed'), 10);
		assert.equal(grown('waveforge_tus_uploads_failed'), 2);
		assert.equal(grown('waveforge_tus_resume_count'), 3);
		assert.equal(grown('waveforge_finished_files_total'), 10);
		assert.equal(grown('waveforge_received_bytes_total'), 10 * size + 2 * 1000);
		// The same numbers from every process.
		for (let i = 0; i < 6; i++) assert.equal((await metrics(s)).waveforge_tus_uploads_completed, after.waveforge_tus_uploads_completed);
		// Chunks and sessions are counted too.
		const sid = newSid();
		await tusChunk(s, sid, 0, 2, chunk(sid, 0));
		await sendChunk(s, sid, 1, chunk(sid, 1), { total_chunks: 2 });
		const last = await metrics(s);
		assert.equal(last['waveforge_chunks_total{method="tus"}'] - (after['waveforge_chunks_total{method="tus"}'] ?? 0), 1);
		assert.equal(last['waveforge_chunks_total{method="custom"}'] - (after['waveforge_chunks_total{method="custom"}'] ?? 0), 1);
	} finally {
		await s.stop();
	}
}, { timeout: 60000 });

// The variables of the deployment documents, as written there.
const documents = {
	S0: { TUS_ENABLED: 'true', TUS_MAX_SIZE: '10737418240', TUS_CHUNK_SIZE: '1048576', TUS_EXPIRATION: '86400', TUS_UPLOAD_DIR: '%/data/tus_uploads',
		TUS_SESSION_DIR: '%/data/tus_sessions', TUS_TEMP_DIR: '%/data/tus_temp', UPLOAD_DIR: '%/uploaded_data', DEFAULT_UPLOAD_METHOD: 'tus',
		ALLOWED_HOSTS: '["localhost", "127.0.0.1"]', CORS_ORIGINS: '["http://localhost:8000"]', SECRET_KEY: 'a-long-production-secret-key-0123', ENVIRONMENT: 'production',
		UVICORN_WORKERS: '4', MAX_CONCURRENT_UPLOADS: '10', LOG_LEVEL: 'INFO', HOST: '0.0.0.0', PORT: '8000', FORCE_HTTPS: 'true', PROTOCOL: 'https', HSTS_ENABLED: 'true' },
	S2: { NODE_ENV: 'production', SECRET_KEY: 'a-long-production-secret-key-0123', MAX_CONCURRENT_UPLOADS: '25', MEMORY_LIMIT_MB: '2048', MEMORY_WARNING_THRESHOLD: '0.8',
		BUFFER_POOL_SIZE: '100', DB_POOL_MIN: '10', DB_POOL_MAX: '50', REDIS_POOL_MIN: '5', REDIS_POOL_MAX: '25', MAX_FILE_SIZE: '104857600', CHUNK_SIZE: '1048576',
		STREAM_BUFFER_SIZE: '65536' },
};
for (const [name, env] of Object.entries(documents))
	check(`settings_of_${name}_load`, async () => {
		const dir = scratch();
		const own = { DATA_DIR: dir, ...Object.fromEntries(Object.entries(env).map(([k, v]) => [k, v.replace('%', dir)])) };
		const res = tool('tus-fcgi', ['--check-config'], own);
		assert.equal(res.status, 0, res.stderr);
		for (const k of Object.keys(env)) assert.match(res.stdout, new RegExp(`\\b${k}\\b`), `${k} is explained`);
		const wrong = tool('tus-fcgi', ['--check-config'], { ...own, MAX_CONCURRENT_UPLOADS: 'many' });
		assert.notEqual(wrong.status, 0);
		assert.match(wrong.stderr, /MAX_CONCURRENT_UPLOADS/);
		fs.rmSync(dir, { recursive: true });
	});

check('settings_of_S4_load_from_json', async () => {
	const dir = scratch();
	const file = path.join(dir, 'production.json');
	const write = value => fs.writeFileSync(file, JSON.stringify(value));
	const config = { DATA_DIR: dir, TUS_CHUNK_SIZE: 262144, auth: { jwt: { secret_key: 'a-long-production-secret-key-0123', algorithm: 'HS256', access_token_expire_minutes: 30, refresh_token_expire_days: 7 },
		api_keys: { enabled: true, header_name: 'X-API-Key', rate_limit: 1000 } },
	ssl: { enabled: true, certificate_file: '/etc/ssl/certs/tams.crt', private_key_file: '/etc/ssl/private/tams.key', ca_certificate_file: '/etc/ssl/certs/ca.crt' } };
	write(config);
	const res = tool('tus-fcgi', ['--check-config'], { CONFIG_FILE: file, ENVIRONMENT: 'production' });
	assert.equal(res.status, 0, res.stderr);
	assert.match(tool('tus-fcgi', ['--print-config'], { CONFIG_FILE: file }).stdout, /^TUS_CHUNK_SIZE=262144$/m);
	assert.match(tool('tus-fcgi', ['--print-config'], { CONFIG_FILE: file, TUS_CHUNK_SIZE: '5' }).stdout, /^TUS_CHUNK_SIZE=5$/m, 'the environment wins');
	assert.doesNotMatch(tool('tus-fcgi', ['--print-config'], { CONFIG_FILE: file }).stdout, /a-long-production-secret/, 'secrets are masked');
	write({ ...config, TUS_CHUNKSIZE: 1 });
	const typo = tool('tus-fcgi', ['--check-config'], { CONFIG_FILE: file, ENVIRONMENT: 'production' });
	assert.notEqual(typo.status, 0);
	assert.match(typo.stderr, /TUS_CHUNKSIZE/);
	fs.rmSync(dir, { recursive: true });
});
