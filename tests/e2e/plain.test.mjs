// plain.test.mjs - uploads without a protocol: one request a file, and the init, chunk, complete, status set.
import assert from 'node:assert/strict';
import { check, files, useServer } from './lib/server.mjs';
import { open, request, until } from './lib/http.mjs';
import { form, multipart } from './lib/multipart.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const MAX = 2 << 20;
const server = useServer({ settings: { WORKERS: 3 } });
const narrow = useServer({ settings: { WORKERS: 2, MAX_FILE_SIZE: MAX } });

const filePart = (name, data, field = 'file', type = 'audio/webm') => ({ name: field, filename: name, type, data });
const json = (path, value) => request(server, 'POST', path, { body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } });

// The entries of an answer to one file or several, each with the place where it can be fetched.
function entries(res) {
	const j = res.json;
	const list = j.files ?? j.uploads ?? (Array.isArray(j) ? j : [j]);
	return list.map(e => ({ ...e, url: e.url ?? e.location ?? e.download_url }));
}

async function fetched(url, data, name) {
	const res = await request(server, 'GET', new URL(url, server.url).pathname);
	assert.equal(res.status, 200, `${url}: ${res}`);
	assert.equal(sha256(res.body), sha256(data));
	if (name) assert.ok(decodeURIComponent(res.headers['content-disposition']).includes(name), res.headers['content-disposition']);
	return res;
}

for (const path of ['/upload', '/api/v1/uploads'])
	check(`post_one_file_${path}`, async () => {
		const data = bytes(path, 0, 250000);
		const res = await request(server, 'POST', path, multipart([filePart('Täst one.webm', data)]));
		assert.ok([200, 201].includes(res.status), `${res}`);
		const [e] = entries(res);
		assert.ok(e.url, res.text);
		assert.ok(!res.text.includes(server.dir));
		await fetched(e.url, data, 'Täst one.webm');
	});

for (const path of ['/upload', '/api/v1/uploads/multiple'])
	check(`post_several_files_${path}`, async () => {
		const all = [10, 100000, 0, 3].map((n, i) => ({ name: `f${i}.wav`, data: bytes(`${path}${i}`, 0, n) }));
		const res = await request(server, 'POST', path, multipart([{ name: 'note', value: 'x' }, ...all.map(f => filePart(f.name, f.data, path === '/upload' ? 'file' : 'files'))]));
		assert.ok([200, 201].includes(res.status), `${res}`);
		const list = entries(res);
		assert.equal(list.length, 4, res.text);
		for (const [i, f] of all.entries()) await fetched(list[i].url, f.data, f.name);
	});

check('put_named_file', async () => {
	const data = bytes('put', 0, 3 << 20);
	const res = await request(server, 'PUT', '/upload/My%20take.webm', { body: data, headers: { 'Content-Type': 'audio/webm' } });
	assert.ok([200, 201].includes(res.status), `${res}`);
	const got = await fetched(res.headers.location ?? entries(res)[0].url, data, 'My take.webm');
	assert.equal(got.headers['content-type'], 'audio/webm');
});

check('put_chunked', async () => {
	const data = bytes('putc', 0, 200000);
	const res = await request(server, 'PUT', '/upload/c.webm', { body: [data.subarray(0, 1), data.subarray(1)], chunked: true });
	assert.ok([200, 201].includes(res.status), `${res}`);
	await fetched(res.headers.location ?? entries(res)[0].url, data);
});

check('put_same_name_twice_keeps_both', async () => {
	const urls = [];
	for (const seed of ['first', 'second']) {
		const res = await request(server, 'PUT', '/upload/same.webm', { body: bytes(seed, 0, 1000) });
		assert.ok([200, 201].includes(res.status), `${res}`);
		urls.push(res.headers.location ?? entries(res)[0].url);
	}
	assert.notEqual(urls[0], urls[1]);
	await fetched(urls[0], bytes('first', 0, 1000));
	await fetched(urls[1], bytes('second', 0, 1000));
});

check('put_empty_file', async () => {
	const res = await request(server, 'PUT', '/upload/empty.bin', { body: '' });
	assert.ok([200, 201].includes(res.status), `${res}`);
	await fetched(res.headers.location ?? entries(res)[0].url, Buffer.alloc(0));
});

check('cut_bodies_leave_no_finished_file', async () => {
	const before = files(server.doneDir).length;
	for (const body of [bytes('cut', 0, 400000)]) {
		const put = await open(server, 'PUT', '/upload/cut.bin', { length: 500000 });
		await put.send(body);
		put.close();
		const m = multipart([filePart('cut.bin', body)]);
		const post = await open(server, 'POST', '/upload', { headers: m.headers, length: m.body.length });
		await post.send(m.body.subarray(0, m.body.length - 10));
		post.close();
	}
	await server.idle();
	assert.equal(files(server.doneDir).length, before);
});

check('limits_are_413', async () => {
	assert.equal((await request(narrow, 'PUT', '/upload/big.bin', { body: bytes('big', 0, MAX + 1) })).status, 413);
	assert.equal((await request(narrow, 'POST', '/upload', multipart([filePart('big.bin', bytes('big', 0, MAX + 1))]))).status, 413);
	assert.ok([200, 201].includes((await request(narrow, 'PUT', '/upload/ok.bin', { body: bytes('big', 0, MAX) })).status));
	await until(() => !files(narrow.partsDir).length, { what: 'refused bytes to go' });
});

check('faults', async () => {
	const none = await request(server, 'POST', '/upload', multipart([{ name: 'note', value: 'no file' }]));
	assert.ok([400, 422].includes(none.status), `${none}`);
	assert.ok([400, 415, 422].includes((await request(server, 'POST', '/upload', { body: 'x', headers: { 'Content-Type': 'text/plain' } })).status));
	const get = await request(server, 'GET', '/upload');
	assert.equal(get.status, 405);
	assert.match(get.headers.allow, /POST/);
});

async function init(fields) {
	const res = await json('/chunked-upload/init', fields);
	assert.ok([200, 201].includes(res.status), `${res}`);
	assert.match(res.json.upload_id, /^[A-Za-z0-9._-]+$/);
	return res.json.upload_id;
}
const put = (id, i, data, field = 'file') => request(server, 'POST', '/chunked-upload/chunk',
	multipart([{ name: 'upload_id', value: id }, { name: 'chunk_index', value: i }, filePart('blob', data, field)]));
const state = async id => (await request(server, 'GET', `/chunked-upload/status/${id}`)).json;

for (const [how, fields, field] of [['total_chunks', { total_chunks: 4 }, 'file'], ['sizes', { total_size: 350000, chunk_size: 100000 }, 'chunk'],
	['everything', { total_chunks: 4, total_size: 350000, chunk_size: 100000 }, 'file']])
	check(`chunked_upload_${how}`, async () => {
		const data = bytes(how, 0, 350000);
		const id = await init({ filename: `S1 ${how}.webm`, ...fields });
		const piece = i => data.subarray(i * 100000, (i + 1) * 100000);
		for (const i of [1, 0]) assert.equal((await put(id, i, piece(i), field)).status, 200);
		let s = await state(id);
		assert.equal(s.upload_id, id);
		assert.equal(s.total_chunks, 4);
		assert.deepEqual(s.missing_chunks, [2, 3]);
		assert.ok(Array.isArray(s.received_chunks) ? s.received_chunks.length === 2 : s.received_chunks === 2, JSON.stringify(s));
		assert.equal(typeof s.status, 'string');
		const early = await json('/chunked-upload/complete', { upload_id: id });
		assert.equal(early.status, 409, `${early}`);
		assert.deepEqual(early.json.missing_chunks, [2, 3]);
		// The last chunk may finish it by itself; completing then still says so.
		for (const i of [3, 2]) assert.equal((await put(id, i, piece(i), field)).status, 200);
		assert.equal((await put(id, 2, piece(2), field)).status, 200, 'a repeated chunk is accepted');
		for (const body of [{ body: JSON.stringify({ upload_id: id }), headers: { 'Content-Type': 'application/json' } }, form({ upload_id: id })]) {
			const res = await request(server, 'POST', '/chunked-upload/complete', body);
			assert.equal(res.status, 200, `${res}`);
		}
		s = await until(async () => { const v = await state(id); return v.missing_chunks.length === 0 && /complete/.test(v.status) && v; }, { what: 'complete status' });
		const got = await request(server, 'GET', `/recordings/${id}/${encodeURIComponent(`S1 ${how}.webm`)}`);
		assert.equal(got.status, 200, `${got}`);
		assert.equal(sha256(got.body), sha256(data));
	});

check('chunked_upload_faults', async () => {
	assert.ok([400, 422].includes((await json('/chunked-upload/init', {})).status));
	assert.ok([400, 422].includes((await request(server, 'POST', '/chunked-upload/init', { body: '{', headers: { 'Content-Type': 'application/json' } })).status));
	assert.equal((await request(server, 'GET', '/chunked-upload/status/nosuch')).status, 404);
	assert.equal((await json('/chunked-upload/complete', { upload_id: 'nosuch' })).status, 404);
	assert.ok([404, 409].includes((await put('nosuch', 0, 'x')).status));
	assert.ok([400, 422].includes((await put('../x', 0, 'x')).status));
});
