// session.test.mjs - recordings in chunks by tus on the nested URLs: create, status, assembly, cancel, repetition.
import assert from 'node:assert/strict';
import { check, completed, files, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { TUS, create, head, offsetOf, openPatch, patch, remove } from './lib/tus.mjs';
import { assembled, chunkMeta, complete, download, isRecording, metaFile, newSid, postChunk, sendChunk, status, tusChunk, verify } from './lib/wave.mjs';
import { b64, bytes } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3 } });
const NINE = ['session_id', 'total_chunks', 'uploaded_chunks', 'missing_chunks', 'assembled', 'started_at', 'assembled_at', 'recording_name', 'format'];
const chunk = (sid, i, size = 5000) => bytes(`${sid} ${i}`, 0, size);
const all = (sid, n, size = 5000) => Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i, size)));

check('post_with_and_without_slash', async () => {
	for (const slash of [true, false]) {
		const sid = newSid();
		const res = await postChunk(server, sid, 3, 5, 100, { slash });
		assert.equal(res.status, 201, `${res}`);
		assert.equal(res.headers.location, `/files/${sid}/chunks/3`);
		assert.equal(res.headers['upload-offset'], '0');
		assert.equal(res.headers['tus-resumable'], '1.0.0');
		assert.equal((await head(server, res.headers.location)).headers['upload-length'], '100');
	}
});

check('session_ids_of_all_known_kinds', async () => {
	for (const sid of [newSid('sess'), newSid('manual'), '0f8fad5b-d9cb-469f-a165-70867728950e', 'a', 'A.b-c_d', 'x'.repeat(128)])
		assert.equal((await postChunk(server, sid, 0, 1, 5)).status, 201, sid);
	for (const sid of ['x'.repeat(129), '-a', '.a', 'a..b', 'a%20b', 'ä', '%2e%2e', 'a+b'])
		assert.ok([400, 404].includes((await postChunk(server, encodeURI(sid).replace(/%25/g, '%'), 0, 1, 5)).status), sid);
});

check('chunk_metadata_faults_are_400', async () => {
	const sid = newSid();
	for (const meta of [`chunkIndex ${b64('x')}`, `chunkIndex ${b64('-1')}`, `chunkIndex ${b64('0:')}`, `chunkIndex ${b64('1.5')}`, `chunkIndex ${b64('99999999999999')}`,
		`chunkIndex ${b64('0')},totalChunks ${b64('many')}`, `chunkIndex ${b64('0')},totalChunks ${b64('-2')}`, `chunkIndex ${b64('1000001')}`, `chunkIndex ${b64('5')},totalChunks ${b64('5')}`]) {
		const res = await create(server, { path: `/files/${sid}/chunks/`, length: 5, meta });
		assert.ok([400, 422].includes(res.status), `${meta}: ${res}`);
		assert.ok(res.json.detail.length > 5);
	}
	assert.equal((await status(server, sid)).status, 404, 'no session was made');
});

check('chunk_metadata_defaults', async () => {
	const sid = newSid();
	const res = await create(server, { path: `/files/${sid}/chunks/`, length: 5 });
	assert.equal(res.status, 201, `${res}`);
	assert.equal(res.headers.location, `/files/${sid}/chunks/0`);
	const s = (await status(server, sid)).json;
	assert.equal(s.recording_name, 'recording');
	assert.equal(s.format, 'webm');
	assert.equal(s.total_chunks, 0);
});

check('chunk_metadata_cap', async () => {
	const meta = n => `${chunkMeta(0, 1)},pad ${b64('x'.repeat(n))}`;
	assert.ok([400, 413, 431].includes((await create(server, { path: `/files/${newSid()}/chunks/`, length: 5, meta: meta(1200) })).status));
	assert.equal((await create(server, { path: `/files/${newSid()}/chunks/`, length: 5, meta: meta(500) })).status, 201);
});

check('upload_metadata_verbatim', async () => {
	const sid = newSid();
	const meta = `chunkIndex ${b64('0')},totalChunks ${b64('2')}, sessionId ${b64('other')},recordingName ${b64('Sequence 20:11:19 äöü')},format ${b64('webm')},flag`;
	const res = await create(server, { path: `/files/${sid}/chunks/`, length: 5, meta });
	assert.equal(res.status, 201, `${res}`);
	assert.equal((await head(server, res.headers.location)).headers['upload-metadata'], meta);
	assert.equal((await status(server, sid)).json.recording_name, 'Sequence 20:11:19 äöü');
});

check('status_nine_keys_and_ranges', async () => {
	const sid = newSid();
	for (const i of [0, 1, 4, 9]) await tusChunk(server, sid, i, 12, chunk(sid, i), { name: 'My take', format: 'wav' });
	const res = await status(server, sid);
	assert.equal(res.status, 200);
	assert.match(res.headers['content-type'], /^application\/json/);
	const s = res.json;
	for (const k of NINE) assert.ok(k in s, k);
	assert.equal(s.session_id, sid);
	assert.equal(s.total_chunks, 12);
	assert.equal(s.uploaded_chunks, 4);
	assert.deepEqual(s.missing_chunks, [2, 3, 5, 6, 7, 8, 10, 11]);
	assert.deepEqual(s.missing_ranges, [[2, 3], [5, 8], [10, 11]]);
	assert.equal(s.missing_truncated, false);
	assert.equal(s.assembled, false);
	assert.equal(s.assembled_at, null);
	assert.ok(Math.abs(Date.parse(s.started_at) - Date.now()) < 60000 * 60 * 15, s.started_at);
	assert.equal(s.recording_name, 'My take');
	assert.equal(s.format, 'wav');
});

check('status_counts_only_whole_chunks', async () => {
	const sid = newSid();
	const res = await postChunk(server, sid, 0, 2, 1000);
	await patch(server, res.headers.location, 0, chunk(sid, 0, 999));
	assert.equal((await status(server, sid)).json.uploaded_chunks, 0);
	await patch(server, res.headers.location, 999, 'x');
	assert.equal((await status(server, sid)).json.uploaded_chunks, 1);
});

check('status_list_of_missing_is_capped', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 500000, 1000000, chunk(sid, 0));
	const res = await status(server, sid);
	assert.ok(res.body.length < 200000, `${res.body.length} bytes`);
	assert.equal(res.json.missing_truncated, true);
	assert.equal(res.json.missing_chunks[0], 0);
	assert.deepEqual(res.json.missing_ranges, [[0, 499999], [500001, 999999]]);
});

check('unknown_session', async () => {
	assert.equal((await status(server, 'nosuch')).status, 404);
	assert.equal((await request(server, 'POST', '/files/nosuch/assemble', { body: '' })).status, 404);
	assert.equal((await remove(server, '/files/nosuch')).status, 404);
	assert.equal((await head(server, '/files/nosuch/chunks/0')).status, 404);
	assert.equal((await patch(server, '/files/nosuch/chunks/0', 0, 'x')).status, 404);
});

check('last_chunk_assembles_in_any_order', async () => {
	for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]) {
		const sid = newSid();
		for (const i of order) {
			assert.notEqual((await status(server, sid)).json.assembled, true);
			await tusChunk(server, sid, i, 4, chunk(sid, i, 5000 + i), { name: 'Any order' });
		}
		const s = await assembled(server, sid);
		assert.deepEqual(s.missing_chunks, []);
		assert.ok(s.assembled_at);
		await isRecording(server, sid, 'Any order.webm', Buffer.concat([0, 1, 2, 3].map(i => chunk(sid, i, 5000 + i))));
		const m = metaFile(server, sid, 'Any order.webm');
		assert.equal(m.file_name, 'Any order.webm');
		assert.equal(m.session_id, sid);
		assert.equal(m.file_size_bytes, 20006);
		assert.equal(m.total_chunks, 4);
		assert.deepEqual(m.missing_chunks, []);
		assert.equal(typeof m.client_metadata, 'object');
		assert.ok(m.assembled_at);
	}
});

check('chunk_files_go_after_assembly', async () => {
	const sid = newSid();
	for (const i of [3, 1, 0, 2]) await tusChunk(server, sid, i, 4, chunk(sid, i, 777000));
	await assembled(server, sid);
	await until(() => !files(server.partsDir).some(f => f.includes(sid)), { what: 'parts of the session to go' });
	assert.deepEqual(Object.keys(completed(server, sid)), ['take.webm']);
});

check('chunk_in_several_patches', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 1 << 20);
	const res = await postChunk(server, sid, 0, 1, data.length);
	assert.equal((await patch(server, res.headers.location, 0, data.subarray(0, 524288))).status, 204);
	assert.equal((await status(server, sid)).json.uploaded_chunks, 0);
	assert.equal((await status(server, sid)).json.assembled, false);
	assert.equal((await patch(server, res.headers.location, 524288, data.subarray(524288))).status, 204);
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', data);
});

check('assemble_by_hand', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 3, chunk(sid, 0));
	const early = await request(server, 'POST', `/files/${sid}/assemble`, { body: '' });
	assert.ok([400, 409].includes(early.status), `${early}`);
	assert.match(early.json.detail, /2 chunks missing/);
	for (const i of [1, 2]) await tusChunk(server, sid, i, 3, chunk(sid, i));
	for (let n = 0; n < 2; n++) {
		const res = await request(server, 'POST', `/files/${sid}/assemble`, { body: '{"ignored":true}', headers: { 'Content-Type': 'application/json' } });
		assert.equal(res.status, 200, `${res}`);
		assert.equal(res.json.message, 'Assembly started');
		assert.equal(res.json.session_id, sid);
	}
	await isRecording(server, sid, 'take.webm', all(sid, 3));
});

check('assemble_without_total', async () => {
	const sid = newSid();
	for (const i of [0, 1]) await tusChunk(server, sid, i, undefined, chunk(sid, i));
	assert.equal((await status(server, sid)).json.assembled, false, 'nothing says that it is the end');
	assert.equal((await request(server, 'POST', `/files/${sid}/assemble`, { body: '' })).status, 200);
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', all(sid, 2));
});

check('delete_cancels_what_is_unfinished', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 3, chunk(sid, 0, 300000));
	const half = (await postChunk(server, sid, 1, 3, 5000)).headers.location;
	await patch(server, half, 0, 'abc');
	const res = await remove(server, `/files/${sid}`);
	assert.equal(res.status, 200, `${res}`);
	assert.equal(res.json.message, 'Upload cancelled');
	assert.equal(res.json.session_id, sid);
	assert.ok([404, 410].includes((await remove(server, `/files/${sid}`)).status));
	assert.ok([404, 410].includes((await head(server, half)).status));
	assert.ok([404, 409, 410].includes((await patch(server, half, 3, 'x')).status));
	await until(() => !files(server.data).some(f => f.includes(sid)), { what: 'files of the session to go' });
});

check('delete_without_tus_header_works_for_sessions', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 3, chunk(sid, 0));
	assert.equal((await request(server, 'DELETE', `/files/${sid}`)).status, 200);
});

check('finished_recording_survives_delete', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 1, chunk(sid, 0));
	await assembled(server, sid);
	const res = await remove(server, `/files/${sid}`);
	assert.equal(res.status, 409, `${res}`);
	assert.match(res.json.detail, /\/recordings\//);
	await isRecording(server, sid, 'take.webm', chunk(sid, 0));
});

check('cancel_against_the_last_chunk_is_all_or_nothing', async () => {
	for (let round = 0; round < 6; round++) {
		const sid = newSid();
		await tusChunk(server, sid, 0, 2, chunk(sid, 0));
		const url = (await postChunk(server, sid, 1, 2, 5000)).headers.location;
		const [patched, gone] = await Promise.all([patch(server, url, 0, chunk(sid, 1)), remove(server, `/files/${sid}`)]);
		if (gone.status === 200) {
			await until(() => !Object.keys(completed(server, sid)).length, { what: 'no finished file' });
			assert.ok([404, 410].includes((await status(server, sid)).status) || (await status(server, sid)).json.assembled === false);
		} else {
			assert.ok([409, 423].includes(gone.status), `${gone}`);
			assert.equal(patched.status, 204, `${patched}`);
			await isRecording(server, sid, 'take.webm', all(sid, 2));
		}
	}
});

check('post_for_a_begun_chunk_restarts', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 2, 5000)).headers.location;
	await patch(server, url, 0, bytes('old', 0, 3000));
	const again = await postChunk(server, sid, 0, 2, 5000);
	assert.equal(again.status, 201, `${again}`);
	assert.equal(again.headers.location, url);
	assert.equal(again.headers['upload-offset'], '0');
	assert.equal(await offsetOf(server, url), 0);
	assert.equal((await patch(server, url, 0, chunk(sid, 0))).status, 204);
	await tusChunk(server, sid, 1, 2, chunk(sid, 1));
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', all(sid, 2));
});

check('post_for_a_begun_chunk_may_change_its_length', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 2, 5000)).headers.location;
	await patch(server, url, 0, bytes('old', 0, 3000));
	await tusChunk(server, sid, 0, 2, chunk(sid, 0, 7000));
	await tusChunk(server, sid, 1, 2, chunk(sid, 1));
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', Buffer.concat([chunk(sid, 0, 7000), chunk(sid, 1)]));
});

check('post_for_a_complete_chunk_accepts_the_same_bytes_again', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 100000);
	await tusChunk(server, sid, 0, 2, data);
	const again = await postChunk(server, sid, 0, 2, data.length);
	assert.equal(again.status, 201, `${again}`);
	// As the real client does: from 0 again, whatever the POST said, in two parts.
	const url = again.headers.location;
	const first = await patch(server, url, 0, data.subarray(0, 60000));
	assert.equal(first.status, 204, `${first}`);
	assert.equal(first.headers['upload-offset'], '60000');
	const second = await patch(server, url, 60000, data.subarray(60000));
	assert.equal(second.status, 204, `${second}`);
	assert.equal(second.headers['upload-offset'], '100000');
	assert.equal((await status(server, sid)).json.uploaded_chunks, 1);
	await tusChunk(server, sid, 1, 2, chunk(sid, 1));
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', Buffer.concat([data, chunk(sid, 1)]));
});

check('offset_that_differs_is_409_and_head_heals', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 1, 5000)).headers.location;
	await patch(server, url, 0, chunk(sid, 0).subarray(0, 2000));
	const res = await patch(server, url, 0, chunk(sid, 0));
	assert.equal(res.status, 409, `${res}`);
	assert.equal(res.headers['upload-offset'], '2000');
	const h = await head(server, url);
	assert.equal(h.headers['upload-offset'], '2000');
	assert.equal(h.headers['upload-length'], '5000');
	assert.equal((await patch(server, url, 2000, chunk(sid, 0).subarray(2000))).status, 204);
	await isRecording(server, sid, 'take.webm', chunk(sid, 0));
});

check('cut_chunk_patch_keeps_its_bytes', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 1, 500000)).headers.location;
	const data = bytes(sid, 0, 500000);
	const c = await openPatch(server, url, 0, 500000);
	await c.send(data.subarray(0, 123456));
	await server.arrived(123456);
	c.close();
	await server.idle();
	assert.equal(await offsetOf(server, url), 123456);
	assert.equal((await patch(server, url, 123456, data.subarray(123456))).status, 204);
	await isRecording(server, sid, 'take.webm', data);
});

check('fallback_replaces_a_half_received_tus_chunk', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 2, 5000)).headers.location;
	await patch(server, url, 0, bytes('half', 0, 2500));
	assert.equal((await verify(server, sid, 0)).exists, false);
	const res = await sendChunk(server, sid, 0, chunk(sid, 0), { total_chunks: 2 });
	assert.equal(res.status, 200, `${res}`);
	assert.equal(res.json.status, 'chunk_received');
	assert.equal(res.json.size, 5000);
	assert.equal((await verify(server, sid, 0)).exists, true);
	assert.equal((await sendChunk(server, sid, 1, chunk(sid, 1), { total_chunks: 2 })).json.status, 'chunk_received');
	await until(() => Object.keys(completed(server, sid)).length, { what: 'finished file' });
	await isRecording(server, sid, Object.keys(completed(server, sid))[0], all(sid, 2));
});

check('first_total_binds', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 3, chunk(sid, 0));
	const other = await postChunk(server, sid, 1, 2, 5000);
	assert.ok([201, 400, 409].includes(other.status), `${other}`);
	await postChunk(server, sid, 1, 3, 5000);
	assert.equal((await status(server, sid)).json.total_chunks, 3);
	await create(server, { path: `/files/${sid}/chunks/`, length: 5000, meta: `chunkIndex ${b64('1')}` });
	const s = (await status(server, sid)).json;
	assert.equal(s.total_chunks, 3, 'a POST without metadata resets nothing');
	assert.equal(s.recording_name, 'take');
});

check('zero_length_chunk_completes_at_post', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 2, chunk(sid, 0));
	assert.equal((await postChunk(server, sid, 1, 2, 0)).status, 201);
	await assembled(server, sid);
	await isRecording(server, sid, 'take.webm', chunk(sid, 0));
});

check('chunk_of_a_finished_session_again', async () => {
	const sid = newSid();
	for (const i of [0, 1]) await tusChunk(server, sid, i, 2, chunk(sid, i));
	await assembled(server, sid);
	// A client whose answer got lost sends the last chunk again: it must come to success and change nothing.
	await tusChunk(server, sid, 1, 2, chunk(sid, 1));
	await isRecording(server, sid, 'take.webm', all(sid, 2));
	assert.deepEqual(Object.keys(completed(server, sid)), ['take.webm']);
});

check('complete_names_a_tus_session', async () => {
	const sid = newSid();
	for (const i of [0, 1]) await tusChunk(server, sid, i, undefined, chunk(sid, i));
	const res = await complete(server, sid, 'Named.webm', { name: 'Named', extension: 'webm', totalChunks: 2 });
	assert.equal(res.status, 200, `${res}`);
	await isRecording(server, sid, 'Named.webm', all(sid, 2));
	assert.equal(metaFile(server, sid, 'Named.webm').client_metadata.name, 'Named');
});

check('chunk_above_maximum_is_413_and_leaves_nothing', async () => {
	const sid = newSid();
	assert.equal((await postChunk(server, sid, 0, 1, (16 << 20) + 1)).status, 413);
	assert.equal((await status(server, sid)).status, 404);
	assert.equal((await postChunk(server, sid, 0, 1, 16 << 20)).status, 201);
});

check('chunk_delete_by_url', async () => {
	const sid = newSid();
	const url = (await postChunk(server, sid, 0, 2, 100)).headers.location;
	const res = await remove(server, url, TUS);
	assert.ok([204, 404, 405].includes(res.status), `${res}`);
	if (res.status === 405) assert.ok(res.headers.allow);
});

check('download_of_unfinished_is_404', async () => {
	const sid = newSid();
	await tusChunk(server, sid, 0, 2, chunk(sid, 0));
	assert.equal((await download(server, sid, 'take.webm')).status, 404);
});
