// clients_js.test.mjs - tus-js-client in node: every way in which it sends a file, each cut in the middle of a body and gone on with.
//
// How the client is configured is a row; what must come of it is the same for all: the request after the cut begins where the bytes ended, no byte is
// sent twice, and the file is the one that was sent.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import tus from 'tus-js-client';
import { useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { head } from './lib/tus.mjs';
import { bytes, pieces, sha256, sha256Range } from './lib/data.mjs';
import { through } from './lib/proxy.mjs';

const server = useServer({ settings: { WORKERS: 2 } });

const SIZE = 3 << 20;
const CUT = 700001;      // bytes of the body that get through; not at the edge of any buffer
const ENTRY = '/files/';
const NAME = 'Größe 測試 🎥.webm';

const retryDelays = [0, 50, 100, 200, 400, 800, 1600];

const started = (proxy, input, options) => {
	const u = new tus.Upload(input, {
		endpoint: proxy.url + ENTRY, retryDelays, ...options,
		onError: e => u.failed(e), onSuccess: () => u.succeeded(u),
	});
	u.done = new Promise((done, fail) => { u.succeeded = done; u.failed = fail; });
	return u;
};

const offset = r => Number(r.headers['upload-offset']);
const isData = r => r.length > 0;

async function sameFile(url, seed, size = SIZE) {
	const got = await request(server, 'GET', new URL(url).pathname);
	assert.equal(got.status, 200, `${got}`);
	assert.equal(got.body.length, size);
	assert.equal(sha256(got.body), sha256Range(seed, 0, size));
	return got;
}

const rows = [
	{ name: 'js_one_patch' },
	{ name: 'js_chunks', options: { chunkSize: 1 << 20 } },
	{ name: 'js_data_with_creation', options: { chunkSize: 1 << 20, uploadDataDuringCreation: true }, first: 1 << 20 },
	{ name: 'js_method_override', options: { overridePatchMethod: true } },
	{ name: 'js_deferred_length', stream: true, options: { uploadLengthDeferred: true, chunkSize: 800000 } },
	{ name: 'js_draft_03', draft: '5', options: { protocol: 'ietf-draft-03' } },
	{ name: 'js_draft_03_chunks', draft: '5', options: { protocol: 'ietf-draft-03', chunkSize: 1 << 20 } },
	{ name: 'js_draft_05', draft: '6', options: { protocol: 'ietf-draft-05' } },
	{ name: 'js_draft_05_chunks', draft: '6', options: { protocol: 'ietf-draft-05', chunkSize: 1 << 20 } },
	{ name: 'js_draft_05_data_with_creation', draft: '6', options: { protocol: 'ietf-draft-05', chunkSize: 1 << 20, uploadDataDuringCreation: true }, first: 1 << 20 },
	{ name: 'js_deferred_length_that_ends_with_a_chunk', stream: true, options: { uploadLengthDeferred: true, chunkSize: 1 << 20 } },
];

for (const row of rows)
	through(server, row.name, async proxy => {
		const held = proxy.hold(r => isData(r) && (!row.first || offset(r) === row.first), CUT);
		const u = started(proxy, row.stream ? Readable.from(pieces(row.name, 0, SIZE)) : bytes(row.name, 0, SIZE), {
			metadata: { filename: NAME, empty: '', filetype: 'video/webm' }, ...row.options,
		});
		u.start();
		const h = await held;
		const at = (row.first ?? 0) + CUT;
		await server.arrived(at);
		h.cut();
		await u.done;

		const sent = proxy.requests.filter(isData);
		assert.ok(proxy.requests.every(r => r.headers['tus-resumable'] === (row.draft ? undefined : '1.0.0') && r.headers['upload-draft-interop-version'] === row.draft));
		const next = sent[sent.indexOf(h.request) + 1];
		assert.equal(offset(next), at, 'the request after the cut goes on where the bytes ended');
		assert.equal(sent.reduce((n, r) => n + r.body, 0), SIZE, 'every byte went over the wire once');
		assert.equal(proxy.of('HEAD').length, 1, 'nothing but the cut was a failure to the client');
		if (row.options?.overridePatchMethod) assert.ok(sent.every(r => r.method === 'POST'));
		const got = await sameFile(u.url, row.name);
		assert.match(got.headers['content-disposition'], /filename\*=UTF-8''Gr%C3%B6%C3%9Fe%20%E6%B8%AC/);
		const h2 = await head(server, new URL(u.url).pathname);
		const told = Object.fromEntries(h2.headers['upload-metadata'].split(',').map(p => p.split(' ')));
		assert.equal(Buffer.from(told.filename, 'base64').toString(), NAME);
		assert.ok('empty' in told);
		assert.equal(h2.headers['upload-length'], String(SIZE));
		assert.equal(h2.headers['upload-defer-length'], undefined);
	});

// Another process, days later: nothing is left but the file and the stored URL.
through(server, 'js_stored_url', async proxy => {
	const file = path.join(server.dir, 'stored.bin');
	fs.writeFileSync(file, bytes('stored', 0, SIZE));
	const urlStorage = new tus.FileUrlStorage(path.join(server.dir, 'urls.json'));
	const held = proxy.hold(isData, CUT);
	const first = started(proxy, fs.createReadStream(file), { urlStorage });
	first.start();
	const h = await held;
	await server.arrived(CUT);
	await first.abort();
	h.cut();

	const second = started(proxy, fs.createReadStream(file), { urlStorage });
	const previous = await second.findPreviousUploads();
	assert.equal(previous.length, 1);
	second.resumeFromPreviousUpload(previous[0]);
	second.start();
	await second.done;
	assert.equal(second.url, first.url);
	const sent = proxy.requests.filter(isData);
	assert.deepEqual(sent.map(r => [offset(r), r.body]), [[0, CUT], [CUT, SIZE - CUT]]);
	await sameFile(second.url, 'stored');
});

// Paused and resumed at once: the new request comes while the old one, whose end has not arrived, still holds the upload.
through(server, 'js_taken_over_from_a_hanging_connection', async proxy => {
	const held = proxy.hold(isData, CUT);
	const first = started(proxy, bytes('again', 0, SIZE));
	first.start();
	const h = await held;
	await server.arrived(CUT);
	await first.abort();
	const second = started(proxy, bytes('again', 0, SIZE), { uploadUrl: first.url });
	second.start();
	await second.done;
	h.cut();
	const sent = proxy.requests.filter(isData);
	assert.deepEqual(sent.map(r => [offset(r), r.body]), [[0, CUT], [CUT, SIZE - CUT]]);
	await sameFile(second.url, 'again');
});

// Four parts at once, of which one is cut; and a second client that knows the parts from the stored upload.
through(server, 'js_parallel_uploads', async proxy => {
	const urlStorage = new tus.FileUrlStorage(path.join(server.dir, 'parallel.json'));
	const file = path.join(server.dir, 'parallel.bin');
	const size = 4 * SIZE;
	fs.writeFileSync(file, bytes('parallel', 0, size));
	const held = proxy.hold(isData, CUT), held2 = proxy.hold(isData, CUT);
	const options = { parallelUploads: 4, urlStorage, chunkSize: 2 << 20, metadata: { filename: NAME }, metadataForPartialUploads: { part: 'yes' } };
	const first = started(proxy, fs.createReadStream(file), options);
	first.start();
	const [h, h2] = await Promise.all([held, held2]);
	await server.arrived(CUT);
	h.cut();
	await until(() => proxy.requests.filter(r => isData(r) && r.path === h.request.path && r !== h.request)[0], { what: 'the part that was cut to go on' });
	await first.abort();
	h2.cut();
	const second = started(proxy, fs.createReadStream(file), options);
	const previous = await second.findPreviousUploads();
	assert.equal(previous.length, 1);
	assert.equal(previous[0].parallelUploadUrls.length, 4);
	second.resumeFromPreviousUpload(previous[0]);
	second.start();
	await second.done;

	const sent = proxy.requests.filter(isData);
	const again = sent.filter(r => r.path === h.request.path);
	assert.ok(again.length >= 2 && again.slice(1).every(r => offset(r) >= CUT), `${again.map(offset)}`);
	const posts = proxy.requests.filter(r => r.path === ENTRY);
	assert.equal(posts.length, 5, 'four parts and the final');
	assert.match(posts[4].headers['upload-concat'], /^final;(http:\/\/127\.0\.0\.1:\d+\/files\/\S+ ?){4}$/);
	await until(async () => (await head(server, new URL(second.url).pathname)).headers['upload-offset'] === String(size), { what: 'the final' });
	const got = await sameFile(second.url, 'parallel', size);
	assert.match(got.headers['content-disposition'], /Gr%C3%B6%C3%9Fe/);
	for (const p of previous[0].parallelUploadUrls)
		assert.match((await head(server, new URL(p).pathname)).headers['upload-metadata'] ?? '', /^part /);
});

// What a killed worker had not yet acknowledged is sent again, and nothing else.
through(server, 'js_all_workers_killed_in_the_second_chunk', async proxy => {
	const chunkSize = 1 << 20;
	const held = proxy.hold(r => isData(r) && offset(r) === chunkSize, CUT);
	const u = started(proxy, bytes('killed', 0, SIZE), { chunkSize });
	u.start();
	const h = await held;
	await server.arrived(chunkSize + CUT);
	const dead = server.killWorkers();
	h.go();
	await Promise.all([u.done, server.waitWorkersBack(dead)]);
	const sent = proxy.requests.filter(isData);
	assert.ok(sent.slice(2).every(r => offset(r) >= chunkSize), `${sent.map(offset)}`);
	assert.ok(sent.length > 3, 'the kill hit a request');
	assert.equal(proxy.requests.filter(r => r.path === ENTRY).length, 1, 'one upload was created');
	await sameFile(u.url, 'killed');
});
