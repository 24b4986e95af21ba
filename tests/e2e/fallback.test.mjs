// fallback.test.mjs - the recorder's own way: chunks by form, verify, completion; live and manual takes; its status policy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { check, completed, files, useServer } from './lib/server.mjs';
import { open, request, until } from './lib/http.mjs';
import { chunkForm, form, multipart } from './lib/multipart.mjs';
import { assembled, complete, download, isRecording, metaFile, newSid, sendChunk, status, verify } from './lib/wave.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3 } });
const chunk = (sid, i, size = 1000 + i) => bytes(`${sid} ${i}`, 0, size);
const all = (sid, n) => Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i)));
const post = (parts, options) => request(server, 'POST', '/upload/chunk', multipart(parts, options));
const text = (name, value) => ({ name, value });
const file = (data, more) => ({ name: 'file', filename: 'blob', type: 'audio/webm', data, ...more });

async function received(res, sid, index, size) {
	assert.equal(res.status, 200, `${res}`);
	assert.deepEqual(res.json, { status: 'chunk_received', chunk_index: index, session_id: sid, size });
}

check('new_chunk_answer_is_exact', async () => {
	const sid = newSid();
	const res = await sendChunk(server, sid, 0, chunk(sid, 0));
	await received(res, sid, 0, 1000);
	assert.match(res.headers['content-type'], /^application\/json/);
	assert.deepEqual(Object.keys(res.json), ['status', 'chunk_index', 'session_id', 'size']);
});

check('equal_chunk_again_already_exists', async () => {
	const sid = newSid();
	await sendChunk(server, sid, 0, chunk(sid, 0));
	const res = await sendChunk(server, sid, 0, chunk(sid, 0));
	assert.deepEqual(res.json, { status: 'chunk_already_exists', chunk_index: 0, session_id: sid });
});

check('different_chunk_again_replaces', async () => {
	const sid = newSid();
	for (const i of [0, 1, 2]) await sendChunk(server, sid, i, bytes('wrong', i, 1000 + i));
	for (const [i, size] of [[1, 1001], [0, 1000], [2, 1002]]) await received(await sendChunk(server, sid, i, chunk(sid, i, size)), sid, i, size);
	assert.equal((await sendChunk(server, sid, 1, chunk(sid, 1))).json.status, 'chunk_already_exists');
	await complete(server, sid, 'r.webm');
	await isRecording(server, sid, 'r.webm', all(sid, 3));
});

check('replacement_of_another_size', async () => {
	const sid = newSid();
	for (const i of [0, 1, 2]) await sendChunk(server, sid, i, bytes('wrong', i, 5000));
	for (const i of [0, 1, 2]) await received(await sendChunk(server, sid, i, chunk(sid, i)), sid, i, 1000 + i);
	await complete(server, sid, 'r.webm');
	await isRecording(server, sid, 'r.webm', all(sid, 3));
});

check('same_prefix_but_longer_or_shorter_replaces', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 300000);
	await sendChunk(server, sid, 0, data.subarray(0, 200000));
	await received(await sendChunk(server, sid, 0, data), sid, 0, 300000);
	await received(await sendChunk(server, sid, 0, data.subarray(0, 100000)), sid, 0, 100000);
	await complete(server, sid, 'p.webm');
	await isRecording(server, sid, 'p.webm', data.subarray(0, 100000));
});

check('fields_in_any_order_file_first', async () => {
	const sid = newSid();
	const parts = i => [file(chunk(sid, i)), text('session_id', sid), text('chunk_index', i), text('total_chunks', 6), text('recording_name', 'Order')];
	const orders = [p => p, p => [...p].reverse(), p => [p[1], p[0], p[2], p[4], p[3]], p => [p[2], p[3], p[0], p[1], p[4]],
		p => [text('unknown', 'x'), ...p, text('other', '')], p => [p[3], p[4], p[2], p[1], p[0]]];
	for (const [i, order] of orders.entries()) await received(await post(order(parts(i))), sid, i, 1000 + i);
	await assembled(server, sid);
	await isRecording(server, sid, 'Order.webm', all(sid, 6));
});

check('big_chunk_file_first', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 10 << 20);   // the UI's largest
	await received(await post([file(data), text('session_id', sid), text('chunk_index', 0), text('total_chunks', 1)]), sid, 0, data.length);
	await assembled(server, sid);
	await isRecording(server, sid, 'recording.webm', data);
});

check('boundary_like_bytes_in_the_data', async () => {
	const sid = newSid();
	const boundary = 'xyz';
	const data = Buffer.from('\r\n--xy\r\n--xyz\r-\n--xyZ--\r\n\r\n--\r\n--x' + '\r\n--xy'.repeat(30000));
	assert.ok(!data.includes('\r\n--xyz\r\n'));
	const safe = Buffer.from(data.toString('latin1').replaceAll('\r\n--xyz', '\r\n--xyw'), 'latin1');
	await received(await post([text('session_id', sid), text('chunk_index', 0), file(safe)], { boundary }), sid, 0, safe.length);
	await complete(server, sid, 'b.webm');
	await isRecording(server, sid, 'b.webm', safe);
});

check('preamble_and_quoted_boundary', async () => {
	const sid = newSid();
	const m = multipart([text('session_id', sid), text('chunk_index', 0), file(chunk(sid, 0))], { boundary: 'a b', preamble: 'ignored\r\n' });
	m.headers['Content-Type'] = 'multipart/form-data; charset=utf-8; boundary="a b"';
	await received(await request(server, 'POST', '/upload/chunk', m), sid, 0, 1000);
});

check('chunked_transfer', async () => {
	const sid = newSid();
	const m = chunkForm({ session_id: sid, chunk_index: 0 }, chunk(sid, 0, 200000));
	await received(await request(server, 'POST', '/upload/chunk', { ...m, body: [m.body.subarray(0, 7), m.body.subarray(7, 99999), m.body.subarray(99999)], chunked: true }), sid, 0, 200000);
});

check('empty_file', async () => {
	const sid = newSid();
	await received(await sendChunk(server, sid, 0, Buffer.alloc(0)), sid, 0, 0);
	assert.equal((await verify(server, sid, 0)).exists, true);
});

const faults = {
	session_id_missing: sid => [text('chunk_index', 0), file('x')],
	index_missing: sid => [text('session_id', sid), file('x')],
	file_missing: sid => [text('session_id', sid), text('chunk_index', 0)],
	file_as_text: sid => [text('session_id', sid), text('chunk_index', 0), text('file', 'x')],
	index_not_a_number: sid => [text('session_id', sid), text('chunk_index', 'one'), file('x')],
	index_fraction: sid => [text('session_id', sid), text('chunk_index', '1.5'), file('x')],
	index_empty: sid => [text('session_id', sid), text('chunk_index', ''), file('x')],
	index_negative: sid => [text('session_id', sid), text('chunk_index', -1), file('x')],
	index_out_of_range: sid => [text('session_id', sid), text('chunk_index', 1000000), file('x')],
	total_not_a_number: sid => [text('session_id', sid), text('chunk_index', 0), text('total_chunks', 'x'), file('x')],
	session_id_hostile: () => [text('session_id', '../../etc'), text('chunk_index', 0), file('x')],
	session_id_empty: () => [text('session_id', ''), text('chunk_index', 0), file('x')],
	file_first_and_no_index: sid => [file('x'), text('session_id', sid)],
};
for (const [what, parts] of Object.entries(faults))
	check(`can_never_succeed_422_${what}`, async () => {
		const sid = newSid();
		const before = files(server.data).filter(f => !f.includes('/run/') && !f.startsWith('run/')).length;
		const res = await post(parts(sid));
		// A bad id or range may as well be called 400: both mean "never".
		assert.ok(res.status === 422 || (/hostile|empty|negative|range/.test(what) && res.status === 400), `${res}`);
		assert.ok('detail' in res.json);
		assert.equal(Object.keys(res.json)[0], 'detail');
		assert.equal((await status(server, sid)).status, 404);
		assert.ok(files(server.data).filter(f => !f.startsWith('run/')).length <= before);
	});

check('not_multipart_is_422', async () => {
	for (const body of [form({ session_id: 'a', chunk_index: 0 }), { body: '{}', headers: { 'Content-Type': 'application/json' } }, { body: 'x', headers: {} }])
		assert.equal((await request(server, 'POST', '/upload/chunk', body)).status, 422);
});

check('get_is_405', async () => {
	const res = await request(server, 'GET', '/upload/chunk');
	assert.equal(res.status, 405);
	assert.match(res.headers.allow, /POST/);
});

check('without_closing_boundary_nothing_is_stored', async () => {
	const sid = newSid();
	const res = await post([text('session_id', sid), text('chunk_index', 0), file(chunk(sid, 0))], { closing: false });
	assert.ok(res.status >= 400, `${res}`);
	assert.ok(![413].includes(res.status));
	assert.equal((await verify(server, sid, 0)).exists, false);
});

check('cut_body_leaves_nothing_and_the_retry_is_received', async () => {
	for (const [size, order] of [[12000, 0], [400000, 0], [400000, 1]]) {
		const sid = newSid();
		const parts = [text('session_id', sid), text('chunk_index', 0), file(bytes(sid, 0, size))];
		const m = multipart(order ? parts.reverse() : parts);
		const c = await open(server, 'POST', '/upload/chunk', { headers: m.headers, length: m.body.length });
		await c.send(m.body.subarray(0, m.body.length - 200));
		c.close();
		// on a busy machine the cut request may reach a worker after the retry, and displace it: the recorder tries again
		const res = await until(async () => { const r = await sendChunk(server, sid, 0, bytes(sid, 0, size)); return ![409, 423, 503].includes(r.status) && r; }, { what: 'an answer to the retry' });
		await received(res, sid, 0, size);
		await complete(server, sid, 'cut.webm');
		await isRecording(server, sid, 'cut.webm', bytes(sid, 0, size));
	}
});

check('chunk_above_maximum_is_413', async () => {
	const sid = newSid();
	assert.equal((await sendChunk(server, sid, 0, bytes(sid, 0, (16 << 20) + 1))).status, 413);
	assert.equal((await verify(server, sid, 0)).exists, false);
});

check('verify_before_and_after', async () => {
	const sid = newSid();
	const no = await request(server, 'GET', `/api/verify/${sid}/0`);
	assert.equal(no.status, 200);
	assert.deepEqual(no.json, { exists: false, session_id: sid, chunk_index: 0 });
	assert.equal((await status(server, sid)).status, 404, 'asking makes no session');
	for (const i of [0, 1]) {
		await sendChunk(server, sid, i, chunk(sid, i));
		const v = await verify(server, sid, i);
		assert.equal(v.exists, true);
		assert.equal(v.session_id, sid);
		assert.equal(v.chunk_index, i);
		assert.equal(v.size, 1000 + i);
		assert.ok(!v.path.startsWith('/') && !v.path.includes('..') && !v.path.includes(server.dir), v.path);
	}
	assert.equal((await verify(server, sid, 2)).exists, false);
	await complete(server, sid, 'v.webm');
	await assembled(server, sid);
	for (const i of [0, 1]) assert.equal((await verify(server, sid, i)).exists, true, 'the bytes are safe in the finished file');
	assert.equal((await verify(server, sid, 2)).exists, false);
	assert.equal((await request(server, 'GET', `/api/verify/${sid}/x`)).status, 422);
	const neg = await request(server, 'GET', `/api/verify/${sid}/-1`);
	assert.ok(neg.status === 422 || neg.json.exists === false, `${neg}`);
});

for (const urlencoded of [false, true])
	check(`complete_${urlencoded ? 'urlencoded' : 'multipart'}_twice`, async () => {
		const sid = newSid();
		for (let i = 0; i < 5; i++) await sendChunk(server, sid, i, chunk(sid, i));
		const meta = { name: 'Sequence 20:11:19 ä', mimeType: 'audio/webm', extension: 'webm', recordingCompletedAt: '2026-01-01T00:00:00Z', fileSize: all(sid, 5).length };
		const first = await complete(server, sid, 'Sequence 20:11:19 ä.webm', meta, { urlencoded });
		assert.equal(first.status, 200, `${first}`);
		assert.ok(['assembling', 'already_completed'].includes(first.json.status));
		assert.equal(first.json.session_id, sid);
		assert.equal(typeof first.json.message, 'string');
		assert.equal(typeof first.json.file_name, 'string');
		await assembled(server, sid);
		const second = await complete(server, sid, 'Sequence 20:11:19 ä.webm', meta, { urlencoded });
		assert.equal(second.status, 200, `${second}`);
		assert.equal(second.json.status, 'already_completed');
		const names = Object.keys(completed(server, sid));
		assert.equal(names.length, 1, `${names}`);
		await isRecording(server, sid, names[0], all(sid, 5));
		const m = metaFile(server, sid, names[0]);
		for (const k of ['file_name', 'session_id', 'file_size_bytes', 'total_chunks', 'missing_chunks', 'client_metadata', 'assembled_at']) assert.ok(k in m, k);
		assert.equal(m.client_metadata.name, meta.name);
		assert.equal(m.total_chunks, 5);
	});

check('two_completions_at_once_make_one_file', async () => {
	const sid = newSid();
	for (let i = 0; i < 5; i++) await sendChunk(server, sid, i, chunk(sid, i));
	const both = await Promise.all([1, 2, 3].map(() => complete(server, sid, 'once.webm')));
	for (const res of both) assert.ok([200, 423, 503].includes(res.status), `${res}`);
	await assembled(server, sid);
	assert.deepEqual(Object.keys(completed(server, sid)), ['once.webm']);
	await isRecording(server, sid, 'once.webm', all(sid, 5));
});

check('complete_unknown_session_is_404', async () => {
	const res = await complete(server, 'zz_nosuch', 'a.webm');
	assert.equal(res.status, 404);
	assert.match(res.json.detail, /zz_nosuch/);
});

check('complete_with_missing_chunks_is_409', async () => {
	const sid = newSid();
	for (const i of [0, 2, 5]) await sendChunk(server, sid, i, chunk(sid, i));
	const res = await complete(server, sid, 'm.webm');
	assert.equal(res.status, 409, `${res}`);
	assert.deepEqual(res.json.missing_chunks, [1, 3, 4]);
	const more = await complete(server, sid, 'm.webm', { totalChunks: 8 });
	assert.equal(more.status, 409);
	assert.deepEqual(more.json.missing_chunks, [1, 3, 4, 6, 7]);
	assert.equal(Object.keys(completed(server, sid)).length, 0);
	for (const i of [1, 3, 4]) await sendChunk(server, sid, i, chunk(sid, i));
	assert.equal((await complete(server, sid, 'm.webm')).status, 200);
	await isRecording(server, sid, 'm.webm', all(sid, 6));
});

check('rename_after_automatic_assembly', async () => {
	const sid = newSid('manual');
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i), { total_chunks: 3 });
	await assembled(server, sid);
	const res = await complete(server, sid, 'Renamed.webm', { name: 'Renamed', extension: 'webm', manualUpload: true });
	assert.equal(res.status, 200, `${res}`);
	await isRecording(server, sid, 'Renamed.webm', all(sid, 3));
	assert.deepEqual(Object.keys(completed(server, sid)), ['Renamed.webm'], 'the old name is gone');
	assert.equal(metaFile(server, sid, 'Renamed.webm').client_metadata.manualUpload, true);
	assert.equal((await download(server, sid, 'recording.webm')).status, 404);
});

check('names_of_the_finished_file', async () => {
	for (const [fileName, meta, expect] of [
		['My.take.v2.webm', undefined, 'My.take.v2.webm'],
		['x.webm', { name: 'Dots.in.name', extension: 'wav' }, 'Dots.in.name.wav'],
		['x.webm', { name: 'Umlaut äöü', extension: 'mp3' }, 'Umlaut äöü.mp3'],
		['plain', undefined, 'plain'],
	]) {
		const sid = newSid();
		await sendChunk(server, sid, 0, chunk(sid, 0));
		assert.equal((await complete(server, sid, fileName, meta)).status, 200);
		await isRecording(server, sid, expect, chunk(sid, 0));
	}
});

check('metadata_that_is_no_object_is_400', async () => {
	const sid = newSid();
	await sendChunk(server, sid, 0, chunk(sid, 0));
	for (const meta of ['{', '[1]', '"x"', '1', 'null', '{"a":1}x']) {
		const res = await complete(server, sid, 'a.webm', meta);
		assert.equal(res.status, 400, `${meta}: ${res}`);
		assert.match(res.json.detail, /metadata/i);
	}
	assert.equal((await complete(server, sid, 'a.webm', '{}')).status, 200);
});

check('missing_fields_of_complete_are_422', async () => {
	assert.equal((await request(server, 'POST', '/recording/complete', form({ file_name: 'a.webm' }))).status, 422);
	assert.equal((await request(server, 'POST', '/recording/complete', form({ session_id: 'a' }))).status, 422);
	assert.equal((await request(server, 'POST', '/recording/complete', { body: '{"session_id":"a","file_name":"b"}', headers: { 'Content-Type': 'application/json' } })).status, 422);
});

check('file_size_that_does_not_match_is_finished_and_noted', async () => {
	const sid = newSid();
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i));
	assert.equal((await complete(server, sid, 'size.webm', { fileSize: 1 })).status, 200);
	await isRecording(server, sid, 'size.webm', all(sid, 3));
	assert.equal(metaFile(server, sid, 'size.webm').size_mismatch, true);
});

// WIRE: live and manual chunks of one session id have the same indices and other contents; they never mix.
check('live_then_manual_take', async () => {
	const sid = newSid();
	const manual = [0, 1].map(i => bytes(`manual ${sid}`, i * 1500, 1500));
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i));
	await complete(server, sid, 'A.webm', { name: 'A', extension: 'webm' });
	await assembled(server, sid);
	for (const i of [0, 1]) await received(await sendChunk(server, sid, i, manual[i], { total_chunks: 2 }), sid, i, 1500);
	assert.equal((await complete(server, sid, 'A.webm', { name: 'A', extension: 'webm', manualUpload: true })).status, 200);
	await twoFiles(sid, all(sid, 3), Buffer.concat(manual));
});

check('live_and_manual_interleaved', async () => {
	const sid = newSid();
	const manual = [0, 1, 2].map(i => bytes(`manual ${sid}`, i * 1500, 1500));
	for (let i = 0; i < 3; i++) {
		await received(await sendChunk(server, sid, i, chunk(sid, i)), sid, i, 1000 + i);
		await received(await sendChunk(server, sid, i, manual[i], { total_chunks: 3 }), sid, i, 1500);
	}
	assert.equal((await complete(server, sid, 'M.webm', { name: 'M', extension: 'webm', manualUpload: true })).status, 200);
	assert.equal((await complete(server, sid, 'L.webm', { name: 'L', extension: 'webm' })).status, 200);
	await twoFiles(sid, all(sid, 3), Buffer.concat(manual));
	await isRecording(server, sid, 'L.webm', all(sid, 3));
	await isRecording(server, sid, 'M.webm', Buffer.concat(manual));
});

async function twoFiles(sid, a, b) {
	const sums = await until(() => {
		const s = Object.values(completed(server, sid)).map(f => sha256(fs.readFileSync(f)));
		return s.length >= 2 && s;
	}, { what: 'two files' });
	assert.deepEqual(sums.sort(), [sha256(a), sha256(b)].sort());
}

// WIRE 3.3: the signal comes before the last chunk, and twice.
check('recovery_completion_comes_early_and_twice', async () => {
	const sid = newSid();
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i));
	const meta = { name: 'Rec', extension: 'webm', totalChunks: 4, fileSize: all(sid, 4).length, isRecovery: true };
	assert.equal((await complete(server, sid, 'Rec.webm', meta)).status, 409);
	await sendChunk(server, sid, 3, chunk(sid, 3));
	for (let n = 0; n < 2; n++) assert.equal((await complete(server, sid, 'Rec.webm', meta)).status, 200);
	await isRecording(server, sid, 'Rec.webm', all(sid, 4));
	assert.equal(Object.keys(completed(server, sid)).length, 1);
});

check('late_chunk_of_a_completed_take_is_not_lost', async () => {
	const sid = newSid();
	for (let i = 0; i < 3; i++) await sendChunk(server, sid, i, chunk(sid, i));
	await complete(server, sid, 'late.webm');
	await assembled(server, sid);
	assert.equal((await sendChunk(server, sid, 2, chunk(sid, 2))).json.status, 'chunk_already_exists');
	await received(await sendChunk(server, sid, 3, chunk(sid, 3)), sid, 3, 1003);
	assert.equal((await complete(server, sid, 'late.webm')).status, 200);
	await until(() => Object.values(completed(server, sid)).some(f => sha256(fs.readFileSync(f)) === sha256(all(sid, 4))), { what: 'the recording with the late chunk' });
});

// WIRE 3.4: 400, 413 and 422 make the recorder delete its data. Passing trouble must never say so.
check('passing_trouble_is_never_400_413_422', async () => {
	const sid = newSid();
	await sendChunk(server, sid, 0, chunk(sid, 0));
	const old = server.killWorkers('SIGKILL');
	const seen = new Set();
	await until(async () => {
		let s = 0;
		try { s = (await sendChunk(server, sid, 1, chunk(sid, 1))).status; } catch { /* connection refused: network trouble to the recorder */ }
		seen.add(s);
		return s === 200;
	}, { what: 'a chunk after the kill', timeout: 15000, every: 5 });
	for (const s of seen) assert.ok(![400, 413, 422].includes(s), `${[...seen]}`);
	await server.waitWorkersBack(old);
	await complete(server, sid, 'kill.webm');
	await isRecording(server, sid, 'kill.webm', all(sid, 2));
});

check('parallel_sends_of_one_chunk', async () => {
	const sid = newSid();
	const data = bytes(sid, 0, 200000);
	const res = await Promise.all(Array.from({ length: 6 }, () => sendChunk(server, sid, 0, data)));
	for (const r of res) assert.ok([200, 423, 409, 503].includes(r.status), `${r}`);
	assert.ok(res.some(r => r.json.status === 'chunk_received'));
	await complete(server, sid, 'par.webm');
	await isRecording(server, sid, 'par.webm', data);
});
