// clients_browser.test.mjs - tus-js-client and Uppy in a real browser, on pages of another origin than the server: cut, offline, reloaded, paused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { everything, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { head } from './lib/tus.mjs';
import { bytes, sha256, sha256Range } from './lib/data.mjs';
import { through } from './lib/proxy.mjs';
import { noBrowser, useBrowser } from './lib/browser.mjs';

const server = useServer({ settings: { WORKERS: 2 } });
const browser = useBrowser();
const SIZE = 3 << 20, CUT = 700001, CHUNK = 1 << 20;

const offset = r => Number(r.headers['upload-offset']);
const isData = r => r.length > 0;
const pathOf = url => new URL(url).pathname;

// A file of SIZE bytes on the disk, to be chosen in a page. Its name is its seed.
function file(name) {
	const f = path.join(server.dir, name);
	if (!fs.existsSync(f)) fs.writeFileSync(f, bytes(name, 0, SIZE));
	return f;
}

async function sameFile(url, seed) {
	const got = await request(server, 'GET', pathOf(url));
	assert.equal(got.status, 200, `${got}`);
	assert.equal(sha256(got.body), sha256Range(seed, 0, SIZE));
}

// A test with a page of its own beside its proxy: fn(page, proxy).
const paged = (name, page, fn, { long = false, query = '' } = {}) => through(server, name, async proxy => {
	const p = await browser.open(page, `?endpoint=${encodeURIComponent(`${proxy.url}/files/`)}${query}`);
	try {
		await fn(p, proxy);
	} catch (e) {
		throw p.troubles.length ? new Error(`${e.message}\nthe page said: ${p.troubles.join('\n')}`, { cause: e }) : e;
	} finally {
		await p.context().close();
	}
}, { skip: noBrowser || (long && !everything && 'only with TEST_ALL=1') });

const begin = (page, proxy, options = {}) => page.evaluate(([e, o]) => window.upload(e, o), [`${proxy.url}/files/`, options]);

async function succeeded(page) {
	const o = await page.evaluate(() => window.outcome);
	assert.equal(o.error, undefined);
	return o.url;
}

// The connection breaks; the server has noticed before the browser does.
const cut = held => held.cutSlowly(() => server.idle());

// The network of the page goes away with what is on its way in it, and comes back when `meanwhile` is over.
async function offline(page, held, meanwhile = () => {}) {
	await page.context().setOffline(true);
	await cut(held);
	await meanwhile();
	await page.context().setOffline(false);
}

// Of the held request `at - from` bytes had come; the next one that was not refused goes on there. (Chromium sends a request on its own once more when a
// kept connection breaks before an answer; that one is at the old offset and refused.)
function wentOn(proxy, held, at = CUT, created = 0) {
	const sent = proxy.requests.filter(r => isData(r) && r.path === held.request.path);
	const i = sent.indexOf(held.request);
	const again = sent.slice(i + 1).filter(r => offset(r) === offset(held.request));
	const others = sent.filter(r => !again.includes(r));
	assert.ok(again.length <= 1, `${sent.map(offset)}`);
	assert.equal(offset(others[i + 1]), at, 'the next request goes on where the bytes ended');
	assert.equal(others.reduce((n, r) => n + r.body, created), SIZE, 'no byte was wanted twice');
}

const rows = [
	{ name: 'browser_js_one_patch' },
	{ name: 'browser_js_chunks', options: { chunkSize: CHUNK, addRequestId: true }, long: true },
	{ name: 'browser_js_method_override', options: { overridePatchMethod: true } },
	{ name: 'browser_js_data_with_creation', options: { chunkSize: CHUNK, uploadDataDuringCreation: true }, first: CHUNK, long: true },
	{ name: 'browser_js_draft_03', options: { protocol: 'ietf-draft-03' }, long: true },
	{ name: 'browser_js_draft_05', options: { protocol: 'ietf-draft-05' } },
];

for (const row of rows)
	paged(row.name, 'tus', async (page, proxy) => {
		const held = proxy.hold(r => isData(r) && (!row.first || offset(r) === row.first), CUT);
		await page.setInputFiles('input', file(`${row.name}.bin`));
		await begin(page, proxy, row.options);
		const h = await held, at = (row.first ?? 0) + CUT;
		await server.arrived(at);
		await cut(h);
		const url = await succeeded(page);
		wentOn(proxy, h, at, row.first);
		const preflights = proxy.requests.filter(r => r.method === 'OPTIONS');
		assert.ok(preflights.length > 0 && preflights.every(r => r.headers.origin === browser.origin && r.headers['access-control-request-method']), 'it crossed origins');
		await sameFile(url, `${row.name}.bin`);
	}, row);

paged('browser_js_parallel_uploads', 'tus', async (page, proxy) => {
	const held = proxy.hold(isData, 100001);
	await page.setInputFiles('input', file('parallel.bin'));
	await begin(page, proxy, { parallelUploads: 4 });
	const h = await held;
	await server.arrived(100001);
	await cut(h);
	const url = await succeeded(page);
	assert.deepEqual(proxy.requests.filter(r => isData(r) && r.path === h.request.path).map(offset).filter(o => o > 0), [100001]);
	assert.equal(proxy.requests.filter(r => r.method === 'POST').length, 5, 'four parts and the final');
	await until(async () => (await head(server, pathOf(url))).headers['upload-offset'] === String(SIZE), { what: 'the final' });
	await sameFile(url, 'parallel.bin');
});

paged('browser_js_offline', 'tus', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('offline.bin'));
	await begin(page, proxy);
	const h = await held;
	await server.arrived(CUT);
	await offline(page, h, () => page.waitForFunction('!navigator.onLine'));
	await sameFile(await succeeded(page), 'offline.bin');
	wentOn(proxy, h);
});

paged('browser_js_reload', 'tus', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('reload.bin'));
	assert.equal(await begin(page, proxy), 0);
	const h = await held;
	await server.arrived(CUT);
	await page.reload();
	h.cut();
	await page.waitForFunction('window.ready');
	await page.setInputFiles('input', file('reload.bin'));
	assert.equal(await begin(page, proxy), 1, 'the stored URL is found');
	await sameFile(await succeeded(page), 'reload.bin');
	wentOn(proxy, h);
});

// ---- Uppy

const uppyDone = async (page, n = 1) => {
	const o = await page.evaluate(() => window.outcome);
	assert.deepEqual(o.failed, []);
	assert.equal(o.urls.length, n);
	return o.urls[0];
};

paged('uppy_cut', 'uppy', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('uppy.webm'));
	const h = await held;
	await server.arrived(CUT);
	await cut(h);
	const url = await uppyDone(page);
	wentOn(proxy, h);
	await sameFile(url, 'uppy.webm');
	const told = Object.fromEntries((await head(server, pathOf(url))).headers['upload-metadata'].split(',').map(p => p.split(' ')).map(([k, v]) => [k, Buffer.from(v, 'base64').toString()]));
	assert.deepEqual(told, { relativePath: 'null', name: 'uppy.webm', type: 'video/webm', filename: 'uppy.webm', filetype: 'video/webm' });
});

paged('uppy_offline', 'uppy', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('uppy-offline.bin'));
	const h = await held;
	await server.arrived(CUT);
	await offline(page, h, () => page.waitForFunction('!navigator.onLine'));
	await sameFile(await uppyDone(page), 'uppy-offline.bin');
	wentOn(proxy, h);
});

// The file itself comes out of the browser's database; nobody chooses it again.
paged('uppy_reload_with_golden_retriever', 'uppy', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('uppy-reload.bin'));
	const h = await held;
	await server.arrived(CUT);
	await page.waitForFunction(() => window.stored());
	await page.reload();
	h.cut();
	await page.waitForFunction('window.ready');
	assert.deepEqual(await page.evaluate(() => window.restored), [{ name: 'uppy-reload.bin', ghost: false }]);
	await page.evaluate(() => { window.uppy.emit('restore-confirmed'); });
	await sameFile(await uppyDone(page), 'uppy-reload.bin');
	wentOn(proxy, h);
});

// Paused and resumed within a moment: the connection of the old request still hangs when the new one comes.
paged('uppy_paused_and_resumed_at_once', 'uppy', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('uppy-pause.bin'));
	const h = await held;
	await server.arrived(CUT);
	await page.evaluate(() => { window.uppy.pauseAll(); window.uppy.resumeAll(); });
	const url = await uppyDone(page);
	h.cut();
	await sameFile(url, 'uppy-pause.bin');
	wentOn(proxy, h);
});

paged('uppy_removed_file_is_terminated', 'uppy', async (page, proxy) => {
	const held = proxy.hold(isData, CUT);
	await page.setInputFiles('input', file('uppy-removed.bin'));
	const h = await held;
	await server.arrived(CUT);
	await page.waitForFunction('window.uppy.getFiles()[0].tus?.uploadUrl');
	await page.evaluate(() => { window.uppy.removeFile(window.uppy.getFiles()[0].id); });
	await until(() => proxy.of('DELETE').length, { what: 'DELETE' });
	await until(async () => (await head(server, h.request.path)).status === 410, { what: 'the upload to be gone' });
	h.cut();
	assert.equal(proxy.of('DELETE').length, 1, '204 at once');
});

// Several files at a time while every worker is killed: what was acknowledged of a file is not sent again.
paged('uppy_files_survive_killed_workers', 'uppy', async (page, proxy) => {
	const names = [1, 2, 3, 4, 5].map(i => `uppy-killed-${i}.bin`);
	const held = proxy.hold(r => isData(r) && offset(r) === CHUNK, CUT);
	await page.setInputFiles('input', names.map(file));
	const h = await held;
	await server.arrived(CHUNK + CUT);
	const dead = server.killWorkers();
	h.go();
	await uppyDone(page, names.length);
	await server.waitWorkersBack(dead);
	const urls = await page.evaluate(() => window.uppy.getFiles().map(f => [f.name, f.uploadURL]));
	assert.equal(proxy.requests.filter(r => r.method === 'POST').length, names.length, 'no file was begun twice');
	const sent = proxy.requests.filter(r => isData(r) && r.path === h.request.path).map(offset);
	assert.ok(sent.length > 3 && sent.slice(1).every(o => o >= CHUNK), `${sent}`);
	for (const [name, url] of urls) await sameFile(url, name);
}, { query: `&chunk=${CHUNK}` });
