// bugs.test.mjs - what the replaced system did wrong, one test a row of its list; each asserts what is right.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, completed, files, metrics, start, useServer } from './lib/server.mjs';
import { connect, request, until } from './lib/http.mjs';
import { TUS, create, head, made, offsetOf, openPatch, patch, remove } from './lib/tus.mjs';
import { assembled, complete, download, isRecording, metaFile, newSid, postChunk, sendChunk, status, tusChunk, verify } from './lib/wave.mjs';
import { chunkForm, form } from './lib/multipart.mjs';
import { b64, bytes, metadata, pieces, sha256 } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 4 } });
const chunk = (sid, i, size = 1000) => bytes(`${sid} ${i}`, 0, size);
const all = (sid, n, size) => Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i, size)));

check('B01_live_recording_is_not_empty', async () => {
	const sid = newSid();
	for (let i = 0; i < 5; i++) await sendChunk(server, sid, i, chunk(sid, i));
	assert.equal((await complete(server, sid, 'My take.webm')).status, 200);
	await isRecording(server, sid, 'My take.webm', all(sid, 5));
});

check('B02_chunk_is_complete_only_at_its_full_length', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 1 << 20);
	const url = (await postChunk(server, sid, 0, 1, data.length)).headers.location;
	await patch(server, url, 0, data.subarray(0, 524288));
	assert.equal((await status(server, sid)).json.assembled, false);
	assert.equal((await patch(server, url, 524288, data.subarray(524288))).status, 204);
	await isRecording(server, sid, 'take.webm', data);
});

check('B03_head_has_upload_length', async () => {
	const url = (await postChunk(server, newSid(), 0, 1, 777)).headers.location;
	assert.equal((await head(server, url)).headers['upload-length'], '777');
});

check('B04_partial_tus_chunk_does_not_satisfy_the_fallback', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 1 << 20);
	const url = (await postChunk(server, sid, 0, 1, data.length)).headers.location;
	await patch(server, url, 0, data.subarray(0, 524288));
	assert.equal((await verify(server, sid, 0)).exists, false);
	assert.equal((await sendChunk(server, sid, 0, data, { total_chunks: 1 })).json.status, 'chunk_received');
});

check('B05_fallback_after_a_half_chunk_assembles_all_bytes', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 1 << 20);
	const url = (await postChunk(server, sid, 0, 1, data.length)).headers.location;
	await patch(server, url, 0, data.subarray(0, 524288));
	await sendChunk(server, sid, 0, data, { total_chunks: 1 });
	const name = await until(() => Object.keys(completed(server, sid))[0], { what: 'finished file' });
	await isRecording(server, sid, name, data);
});

check('B06_parallel_chunks_are_all_registered', async () => {
	const sid = newSid();
	const res = await Promise.all(Array.from({ length: 20 }, (_, i) => sendChunk(server, sid, i, chunk(sid, i))));
	for (const r of res) assert.equal(r.status, 200, `${r}`);
	assert.equal((await status(server, sid)).json.uploaded_chunks, 20);
});

check('B07_two_patches_same_offset', async () => {
	const url = await made(server, { length: 500000 });
	const both = await Promise.all(['a', 'b'].map(s => patch(server, url, 0, bytes(s, 0, 500000)).catch(() => ({ status: 0 }))));
	assert.equal(both.filter(r => r.status === 204).length, 1, `${both.map(r => r.status)}`);
	assert.equal(await offsetOf(server, url), 500000);
	const got = await request(server, 'GET', url);
	assert.equal(sha256(got.body), sha256(bytes(['a', 'b'][both.findIndex(r => r.status === 204)], 0, 500000)));
});

check('B08_bounds_type_and_version', async () => {
	const url = await made(server, { length: 1000 });
	assert.equal((await patch(server, url, 0, bytes('x', 0, 1700))).status, 413);
	assert.equal((await patch(server, url, 0, 'x', { headers: { 'Content-Type': 'text/plain' } })).status, 415);
	assert.equal((await patch(server, url, 0, 'x', { headers: { 'Tus-Resumable': '0.1' } })).status, 412);
	assert.equal(await offsetOf(server, url), 0);
	assert.equal((await create(server, { length: '99000000000000' })).status, 413);
	assert.equal((await postChunk(server, newSid(), 0, 1, '99000000000000')).status, 413);
});

check('B09_several_processes_lose_nothing', async () => {
	const sid = newSid();
	const n = 400;
	let next = 0;
	await Promise.all(Array.from({ length: 8 }, async () => {
		while (next < n) {
			const i = next++;
			const r = await sendChunk(server, sid, i, chunk(sid, i, 700));
			assert.equal(r.status, 200, `${r}`);
		}
	}));
	assert.equal((await status(server, sid)).json.uploaded_chunks, n);
	assert.equal((await complete(server, sid, 'n.webm')).status, 200);
	await isRecording(server, sid, 'n.webm', all(sid, n, 700));
});

check('B10_body_is_not_held_in_memory', async t => {
	const rss = () => server.pool().reduce((sum, p) => sum + Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${p}/status`, 'latin1'))?.[1] ?? 0), 0);
	const size = 64 << 20;
	const url = await made(server, { length: size });
	const before = rss();
	const c = await openPatch(server, url, 0, size);
	let top = before;
	for (const p of pieces('b10', 0, size)) {
		await c.send(p);
		top = Math.max(top, rss());
	}
	assert.equal((await c.answer()).status, 204);
	c.close();
	t.diagnostic(`resident ${before} kB before, ${top} kB at most`);
	assert.ok(top - before < 8 << 10, `${top - before} kB more`);
	await remove(server, url);
});

check('B11_cost_of_a_chunk_does_not_grow', async t => {
	const sid = newSid();
	const written = () => server.workers().reduce((sum, p) => sum + Number(/^wchar: (\d+)/m.exec(fs.readFileSync(`/proc/${p}/io`, 'latin1'))[1]), 0);
	const cost = async (from, n) => {
		const before = written();
		for (let i = from; i < from + n; i++) assert.equal((await sendChunk(server, sid, i, chunk(sid, i, 100))).status, 200);
		return (written() - before) / n;
	};
	await cost(0, 30);
	const early = await cost(30, 40);
	await cost(70, 900);
	const late = await cost(970, 40);
	t.diagnostic(`bytes written a chunk: ${early.toFixed(0)} around 50, ${late.toFixed(0)} around 1000`);
	// A list of a thousand chunks written anew each time would be 30 to 40 kB more.
	assert.ok(late < early * 1.25 + 4096, `${early} -> ${late}`);
});

check('B12_status_of_a_huge_total_is_small', async () => {
	const sid = newSid();
	assert.equal((await postChunk(server, sid, 0, 1000000, 100)).status, 201);
	const res = await status(server, sid);
	assert.equal(res.status, 200);
	assert.ok(res.body.length < 200000, `${res.body.length} bytes`);
	assert.equal(res.json.missing_truncated, true);
	assert.ok([400, 422].includes((await postChunk(server, newSid(), 0, 20000000, 100)).status));
});

// That bytes are synced before the answer is proven below the web server; here: what was answered survives the death of all.
check('B13_answered_means_kept', async () => {
	const own = await start({ settings: { WORKERS: 2 } });
	try {
		const sid = newSid();
		await sendChunk(own, sid, 0, chunk(sid, 0));
		const url = await made(own, { length: 10, body: 'abc' });
		// workers follow their supervisor by themselves
		for (const pid of own.pool()) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
		await own.exited;
		await own.restart();
		assert.equal((await verify(own, sid, 0)).exists, true);
		assert.equal(await offsetOf(own, url), 3);
	} finally {
		await own.stop();
	}
});

check('B14_killed_in_mid_write_leaves_no_trusted_short_chunk', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 8 << 20);
	const m = chunkForm({ session_id: sid, chunk_index: 0 }, data);
	const c = await connect(server);
	await c.sendHead('POST', '/upload/chunk', { Host: 'localhost', ...m.headers, 'Content-Length': m.body.length });
	await c.send(m.body.subarray(0, 4 << 20));
	const writer = await server.writing();
	process.kill(writer, 'SIGKILL');
	c.close();
	// until it is dead it may still take a request with it
	await until(() => { try { return !process.kill(writer, 0); } catch { return true; } }, { what: 'the end of the writer' });
	await until(async () => { try { return (await request(server, 'GET', '/health')).status === 200; } catch { return false; } });
	assert.equal((await verify(server, sid, 0)).exists, false);
	const again = await until(async () => { const r = await sendChunk(server, sid, 0, data); return r.status === 200 && r; }, { what: 'retry' });
	assert.equal(again.json.status, 'chunk_received');
	await complete(server, sid, 'k.webm');
	await isRecording(server, sid, 'k.webm', data);
});

check('B15_torn_side_files_brick_nothing', async () => {
	const sid = newSid();
	fs.mkdirSync(path.join(server.doneDir, sid), { recursive: true });
	fs.writeFileSync(path.join(server.doneDir, sid, 'session_info.json'), '{"total_chunks": 3, "uploa');
	for (let i = 0; i < 2; i++) assert.equal((await sendChunk(server, sid, i, chunk(sid, i))).status, 200);
	assert.equal((await status(server, sid)).status, 200);
	assert.equal((await complete(server, sid, 't.webm')).status, 200);
	await isRecording(server, sid, 't.webm', all(sid, 2));
	fs.writeFileSync(`${completed(server, sid)['t.webm']}.meta.json`, '{"torn');
	assert.equal((await download(server, sid, 't.webm')).status, 200);
	assert.equal((await request(server, 'DELETE', `/recordings/${sid}/t.webm`)).status < 300, true);
});

check('B16_cut_patch_keeps_its_bytes_and_is_no_error', async () => {
	const url = await made(server, { length: 1000000 });
	const before = (await metrics(server))['waveforge_log_lines_total{level="error"}'] ?? 0;
	const c = await openPatch(server, url, 0, 500000);
	await c.send(bytes('b16', 0, 200000));
	await server.arrived(200000);
	c.close();
	await server.idle();
	assert.equal(await offsetOf(server, url), 200000);
	assert.equal((await metrics(server))['waveforge_log_lines_total{level="error"}'] ?? 0, before);
});

check('B17_no_traversal_read', async () => {
	fs.writeFileSync(path.join(server.data, '.env'), 'SECRET=b17');
	for (const p of ['/recordings/%2e%2e/.env', '/recordings/../.env', '/recordings/..%2f.env', '/recordings/x/%2e%2e%2f%2e%2e%2f.env', '/files/%2e%2e/status']) {
		const res = await request(server, 'GET', p);
		assert.ok(res.status >= 400 && res.status < 500, `${p}: ${res}`);
		assert.ok(!res.body.includes('b17'));
	}
	fs.rmSync(path.join(server.data, '.env'));
});

check('B18_no_traversal_write', async () => {
	const before = fs.readdirSync(server.dir).sort();
	for (const sid of [path.join(server.dir, 'owned'), '../owned', '../../owned']) {
		const res = await request(server, 'POST', '/upload/chunk', chunkForm({ session_id: sid, chunk_index: 0 }, 'x'));
		assert.ok([400, 422].includes(res.status), `${res}`);
	}
	const sid = newSid();
	await sendChunk(server, sid, 0, Buffer.from('owned'), { total_chunks: 1, recording_name: path.join(server.dir, 'owned'), format: 'py/../../owned' });
	await until(() => Object.keys(completed(server, sid)).length, { what: 'a harmless file' });
	assert.deepEqual(fs.readdirSync(server.dir).sort(), before);
	assert.ok(!files(server.dir).some(f => path.basename(f) === 'owned.py' || path.basename(f) === 'owned'));
});

check('B19_delete_of_a_parent_is_impossible', async () => {
	const before = fs.readdirSync(server.data).sort();
	for (const p of ['/files/%2e%2e', '/files/..', '/files/.', '/files/%2e', '/files/']) {
		await request(server, 'POST', `${p}/chunks/`, { headers: { ...TUS, 'Upload-Length': 1, 'Content-Length': 0 } });
		const res = await request(server, 'DELETE', p, { headers: TUS });
		assert.ok(res.status >= 400 && res.status < 500, `${p}: ${res}`);
	}
	assert.deepEqual(fs.readdirSync(server.data).sort(), before);
});

check('B20_no_internal_path_is_told', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 1, chunk(sid, 0));
	await assembled(server, sid);
	const listed = (await request(server, 'GET', '/recordings')).json.recordings.filter(r => r.session_id === sid);
	assert.equal(listed.length, 1);
	assert.ok(!JSON.stringify(listed).includes(server.dir));
	for (const res of [await status(server, sid), await request(server, 'GET', `/api/verify/${sid}/0`), await complete(server, sid, 'take.webm'),
		await request(server, 'GET', '/api/config'), await request(server, 'GET', '/health?detail=1')])
		assert.ok(!res.text.includes(server.dir), `${res}`);
	assert.ok(!fs.readFileSync(`${completed(server, sid)['take.webm']}.meta.json`, 'utf8').includes(server.dir));
});

check('B21_download_list_and_range_work', async () => {
	const sid = newSid();
	await sendChunk(server, sid, 0, chunk(sid, 0));
	await complete(server, sid, 'my rec.webm');
	await isRecording(server, sid, 'my rec.webm', chunk(sid, 0));
	const part = await download(server, sid, 'my rec.webm', { Range: 'bytes=10-19' });
	assert.equal(part.status, 206);
	assert.ok(part.body.equals(chunk(sid, 0).subarray(10, 20)));
	assert.ok((await request(server, 'GET', '/recordings')).text.includes(sid));
	assert.ok([200, 404].includes((await request(server, 'GET', `/recordings/${sid}`)).status), 'a folder is no server error');
});

check('B22_complete_with_missing_chunks_says_so_and_can_be_repeated', async () => {
	const sid = newSid();
	for (const i of [0, 2]) await sendChunk(server, sid, i, chunk(sid, i));
	const res = await complete(server, sid, 'b.webm');
	assert.equal(res.status, 409);
	assert.deepEqual(res.json.missing_chunks, [1]);
	await sendChunk(server, sid, 1, chunk(sid, 1));
	assert.equal((await complete(server, sid, 'b.webm')).status, 200);
	await isRecording(server, sid, 'b.webm', all(sid, 3));
});

check('B23_name_and_metadata_of_completion_count', async () => {
	const sid = newSid('manual');
	for (let i = 0; i < 2; i++) await sendChunk(server, sid, i, chunk(sid, i), { total_chunks: 2 });
	await assembled(server, sid);
	await complete(server, sid, 'Mine.webm', { name: 'Mine', extension: 'webm', manualUpload: true, savedAt: 'then' });
	await isRecording(server, sid, 'Mine.webm', all(sid, 2));
	assert.equal(metaFile(server, sid, 'Mine.webm').client_metadata.savedAt, 'then');
});

check('B24_later_posts_do_not_reset_the_session', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 3, chunk(sid, 0), { name: 'Keep', format: 'ogg' });
	await create(server, { path: `/files/${sid}/chunks/`, length: 10, meta: metadata({ chunkIndex: 1 }) });
	const s = (await status(server, sid)).json;
	assert.equal(s.total_chunks, 3);
	assert.equal(s.recording_name, 'Keep');
	assert.equal(s.format, 'ogg');
});

check('B25_completeness_is_a_set_not_a_count', async () => {
	const sid = newSid();
	for (const i of [0, 1, 2]) await tusChunk(server, sid, i, 4, chunk(sid, i));
	await tusChunk(server, sid, 0, 4, chunk(sid, 0));
	assert.equal((await status(server, sid)).json.assembled, false);
	assert.deepEqual((await status(server, sid)).json.missing_chunks, [3]);
	const far = await postChunk(server, sid, 9, 4, 10);
	assert.notEqual(far.status, 201, 'an index beyond the total');
	await tusChunk(server, sid, 3, 4, chunk(sid, 3));
	await isRecording(server, sid, 'take.webm', all(sid, 4));
});

check('B26_verify_stays_true_after_assembly', async () => {
	const sid = newSid();
	for (let i = 0; i < 2; i++) await sendChunk(server, sid, i, chunk(sid, i), { total_chunks: 2 });
	await assembled(server, sid);
	assert.equal((await verify(server, sid, 1)).exists, true);
	assert.equal((await sendChunk(server, sid, 1, chunk(sid, 1), { total_chunks: 2 })).json.status, 'chunk_already_exists');
	await server.idle();
	assert.deepEqual(Object.keys(completed(server, sid)), ['recording.webm']);
});

check('B27_asking_makes_nothing', async () => {
	const before = files(server.data).filter(f => !f.startsWith('run/')).length;
	const sid = newSid();
	await verify(server, sid, 0);
	await head(server, `/files/${sid}/chunks/0`);
	await status(server, sid);
	assert.equal(files(server.data).filter(f => !f.startsWith('run/')).length, before);
	assert.ok(!fs.existsSync(path.join(server.doneDir, sid)));
	assert.match((await create(server, { length: 1 })).headers['upload-expires'], /GMT/, 'what is left behind expires');
});

check('B28_faults_of_input_are_no_server_errors', async () => {
	const sid = newSid();
	const answers = [
		await create(server, { path: `/files/${sid}/chunks/`, length: 1, meta: `chunkIndex ${b64('abc')}` }),
		await patch(server, `/files/${sid}/chunks/abc`, 0, 'x'),
		await complete(server, sid, 'a.webm', '[1]'),
		await request(server, 'POST', '/recording/complete', form({ session_id: sid })),
		await request(server, 'GET', `/api/verify/${sid}/99999999999999999999999`),
		await request(server, 'POST', '/upload/chunk', { body: '\0\0', headers: { 'Content-Type': 'multipart/form-data' } }),
		await request(server, 'POST', '/upload/chunk', { body: 'x', headers: { 'Content-Type': 'multipart/form-data; boundary=' } }),
		await request(server, 'POST', '/upload/chunk', { body: '--x\r\n\r\n', headers: { 'Content-Type': `multipart/form-data; boundary=${'y'.repeat(500)}` } }),
	];
	for (const res of answers) assert.ok(res.status >= 400 && res.status < 500, `${res}`);
});

check('B29_assembly_does_not_hold_the_connection', async t => {
	const sid = newSid();
	const size = 4 << 20, n = 16;
	for (let i = n - 1; i > 0; i--) await tusChunk(server, sid, i, n, chunk(sid, i, size));
	const url = (await postChunk(server, sid, 0, n, size)).headers.location;
	const c = await connect(server);
	await c.sendHead('PATCH', url, { Host: 'localhost', ...TUS, 'Upload-Offset': 0, 'Content-Type': 'application/offset+octet-stream', 'Content-Length': size });
	await c.send(chunk(sid, 0, size));
	assert.equal((await c.answer()).status, 204);
	const began = Date.now();
	await c.sendHead('GET', '/api/config', { Host: 'localhost' });
	assert.equal((await c.answer()).status, 200);
	t.diagnostic(`next request on the same connection answered after ${Date.now() - began} ms`);
	c.close();
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', all(sid, n, size));
	await until(() => files(server.partsDir).reduce((sum, f) => { try { return sum + fs.statSync(path.join(server.partsDir, f)).size; } catch { return sum; } }, 0) < 20 << 20,
		{ what: 'the space of the pieces to be free' });
});

check('B30_assembly_twice_at_once_makes_one_file', async () => {
	const sid = newSid();
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i, 90000));
	await Promise.all([complete(server, sid, 'o.webm'), complete(server, sid, 'o.webm'), request(server, 'POST', `/files/${sid}/assemble`, { body: '' })]);
	await assembled(server, sid);
	assert.equal(Object.keys(completed(server, sid)).length, 1);
	await isRecording(server, sid, Object.keys(completed(server, sid))[0], all(sid, 3, 90000));
});

// Access, https and keys are in access.test.mjs.
check('B31_limits_and_checks_of_ids', async () => {
	assert.ok([400, 422].includes((await sendChunk(server, '*', 0, Buffer.from('x'))).status));
	assert.ok([400, 413, 431].includes((await create(server, { path: `/files/${newSid()}/chunks/`, length: 1, meta: `a ${b64('x'.repeat(2000))}` })).status));
	assert.equal((await sendChunk(server, newSid(), 0, bytes('big', 0, (16 << 20) + 1))).status, 413);
});

check('B32_metrics_structured_log_and_request_ids', async () => {
	const counted = async () => (await metrics(server))['waveforge_http_requests_total{route="unmatched",method="GET",status="404"}'] ?? 0;
	const before = await counted();
	const res = await request(server, 'GET', '/nosuch-b32', { headers: { 'X-Request-ID': 'b32-request-id' } });
	assert.equal(res.json.request_id, 'b32-request-id');
	assert.equal(await counted(), before + 1);
	assert.ok(Object.keys(await metrics(server)).length > 10);
	const line = await until(() => server.log().split('\n').find(l => l.includes('b32-request-id')), { what: 'log line' });
	const entry = JSON.parse(line.slice(line.indexOf('{')));
	assert.equal(entry.status, 404);
});

check('B33_metadata_keeps_the_real_type', async () => {
	const sid = newSid();
	await sendChunk(server, sid, 0, chunk(sid, 0));
	await complete(server, sid, 'x.wav', { name: 'x', extension: 'wav', mimeType: 'audio/webm;codecs=opus', fileSize: 44 });
	await isRecording(server, sid, 'x.wav', chunk(sid, 0));
	const m = metaFile(server, sid, 'x.wav');
	assert.equal(m.client_metadata.mimeType, 'audio/webm;codecs=opus');
	assert.notEqual(m.size_mismatch, true, 'the size of a wav is the client\'s own');
});
