// paths.test.mjs - two hundred ways to write "somewhere else", on every route and in every name: nothing outside is read or touched.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, files, useServer } from './lib/server.mjs';
import { request } from './lib/http.mjs';
import { TUS, OFFSET_TYPE } from './lib/tus.mjs';
import { chunkForm, form, multipart } from './lib/multipart.mjs';
import { newSid } from './lib/wave.mjs';
import { b64 } from './lib/data.mjs';

// Deep enough that every name of the list which climbs out still ends inside the scratch folder, where it is seen.
const server = useServer({ settings: { WORKERS: 3 }, below: 'a/b/c/d' });
const SECRET = 'canary-7f3a91c2';

const dots = ['..', '%2e%2e', '%2E%2e', '.%2e', '%2e.', '%252e%252e', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '..%00', '..;', '...', '%u002e%u002e', '..%20', '%00..'];
const slashes = ['/', '%2f', '%2F', '%5c', '\\', '%252f', '%c0%af', '//', '/./', '%2f%2f'];
const targets = ['canary/secret.txt', 'secret.txt'];

// Names as they stand in a request target; 14 x 10 x 2 = 280, and absolute ones.
const hostile = [
	...dots.flatMap(d => slashes.flatMap((s, i) => targets.map(t => d + s + d + s + (i % 2 ? d + s : '') + t.replaceAll('/', s)))),
	...['/etc/passwd', '%2fetc%2fpasswd', '//etc/passwd', '\\\\host\\share', 'C:%5cx', 'file:%2f%2f%2fetc%2fpasswd', '~root', '%7e', '-rf', '.', '%2e', '..', '%2e%2e',
		'%00', 'a%00.webm', 'a%0d%0aX-Evil:%201', '.htaccess', '.meta.json', 'con', 'nul.txt', '%ff%fe', '%f0%9f%92%a9', 'a%2fb', 'a%5cb', '..a', 'a..', 'x'.repeat(300)],
];

const decoded = name => {
	try { return decodeURIComponent(name); } catch { return Buffer.from(name.replace(/%([0-9a-f]{2})/gi, (_, h) => String.fromCharCode(parseInt(h, 16))), 'latin1').toString('latin1'); }
};
const clean = text => text.replace(/["\r\n\0]/g, '_');

// Everything beside the data folder, with times: the state of the world that must not change.
function world() {
	const out = {};
	const walk = dir => {
		for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
			const p = path.join(dir, e.name);
			if (p === server.data) continue;
			const s = fs.lstatSync(p);
			out[path.relative(server.dir, p)] = `${s.mode} ${s.size} ${s.mtimeMs} ${s.ctimeMs} ${s.ino}`;
			if (e.isDirectory()) walk(p);
		}
	};
	walk(server.dir);
	return out;
}

const routes = (h, sid) => [
	['GET', `/recordings/${h}`], ['GET', `/recordings/${sid}/${h}`], ['GET', `/recordings/${h}/a.webm`], ['HEAD', `/recordings/${sid}/${h}`],
	['DELETE', `/recordings/${h}/a.webm`], ['DELETE', `/recordings/${sid}/${h}`],
	['GET', `/files/${h}`], ['HEAD', `/files/${h}`], ['DELETE', `/files/${h}`], ['GET', `/files/${h}/status`], ['POST', `/files/${h}/assemble`],
	['HEAD', `/files/${h}/chunks/0`], ['HEAD', `/files/${sid}/chunks/${h}`], ['GET', `/api/verify/${h}/0`], ['GET', `/api/verify/${sid}/${h}`],
	['GET', `/chunked-upload/status/${h}`], ['GET', `/${h}`], ['GET', `/tus-internal/${h}`],
].map(([method, target]) => () => request(server, method, target, { headers: { ...TUS, ...(method === 'POST' ? { 'Content-Length': 0 } : {}) } }));

const writers = (h, sid) => {
	const raw = decoded(h);
	const name = clean(raw);
	const meta = pairs => Object.entries(pairs).map(([k, v]) => `${k} ${b64(v)}`).join(',');
	const tus = (target, pairs, body = 'x') => () => request(server, 'POST', target, {
		headers: { ...TUS, 'Upload-Length': body.length, 'Upload-Metadata': meta(pairs), 'Content-Type': OFFSET_TYPE }, body });
	return [
		() => request(server, 'PUT', `/upload/${h}`, { body: 'x' }),
		() => request(server, 'PATCH', `/files/${h}/chunks/0`, { headers: { ...TUS, 'Upload-Offset': 0, 'Content-Type': OFFSET_TYPE }, body: 'x' }),
		() => request(server, 'POST', `/files/${h}/chunks/`, { headers: { ...TUS, 'Upload-Length': 1, 'Content-Length': 0 } }),
		() => request(server, 'POST', '/upload', multipart([{ name: 'file', filename: name, data: 'x' }])),
		() => request(server, 'POST', '/upload', multipart([{ name: 'file', filename: 'a', disposition: `; filename*=UTF-8''${encodeURIComponent(raw).replaceAll("'", '%27')}`, data: 'x' }])),
		() => request(server, 'POST', '/upload/chunk', chunkForm({ session_id: name, chunk_index: 0 }, 'x')),
		() => request(server, 'POST', '/upload/chunk', chunkForm({ session_id: newSid('h'), chunk_index: 0, total_chunks: 1, recording_name: raw, format: 'webm' }, 'x')),
		() => request(server, 'POST', '/upload/chunk', chunkForm({ session_id: newSid('h'), chunk_index: 0, total_chunks: 1, recording_name: 'a', format: raw }, 'x')),
		() => request(server, 'POST', '/upload/chunk', chunkForm({ session_id: sid, chunk_index: raw }, 'x')),
		() => request(server, 'POST', '/recording/complete', form({ session_id: raw, file_name: 'a.webm' })),
		() => request(server, 'POST', '/recording/complete', form({ session_id: sid, file_name: raw })),
		() => request(server, 'POST', '/recording/complete', form({ session_id: sid, file_name: 'a.webm', metadata: JSON.stringify({ name: raw, extension: raw }) })),
		tus('/files/', { filename: raw, filetype: raw, name: raw }),
		tus(`/files/${newSid('h')}/chunks/`, { chunkIndex: '0', totalChunks: '1', recordingName: raw, format: raw, sessionId: raw }),
		() => request(server, 'POST', '/chunked-upload/init', { body: JSON.stringify({ filename: raw, total_chunks: 1, upload_id: raw }), headers: { 'Content-Type': 'application/json' } }),
	];
};

async function all(list, width = 8) {
	let next = 0;
	await Promise.all(Array.from({ length: width }, async () => {
		while (next < list.length) await list[next++]();
	}));
}

check('hostile_names_reach_nothing_outside', async t => {
	// On every level above the data folder what the names ask for is there.
	for (let dir = path.dirname(server.data); dir.startsWith(server.dir); dir = path.dirname(dir)) {
		fs.mkdirSync(path.join(dir, 'canary/deep'), { recursive: true });
		for (const f of ['secret.txt', 'canary/secret.txt', 'canary/deep/secret.txt']) fs.writeFileSync(path.join(dir, f), SECRET);
	}
	fs.writeFileSync(path.join(server.data, 'secret.txt'), SECRET);
	const before = world();
	const sid = newSid();
	const seen = {};
	let asked = 0;
	const ask = (h, fn) => async () => {
		const res = await fn();
		asked++;
		seen[res.status] = (seen[res.status] ?? 0) + 1;
		assert.ok(res.status < 500, `${h}: ${fn} ${res}`);
		assert.ok(!res.body.includes(SECRET), `${h} was read: ${res}`);
		assert.ok(!res.body.includes('root:x:0'), `${h} was read: ${res}`);
		assert.ok(!res.body.includes(server.dir), `${h}: a path of the disk is told: ${res}`);
		assert.equal(res.headers['x-evil'], undefined);
	};
	const some = [...new Set(hostile)];
	assert.ok(some.length >= 200);
	await request(server, 'POST', '/upload/chunk', chunkForm({ session_id: sid, chunk_index: 0 }, 'x'));
	await all(some.flatMap(h => [...routes(h, sid), ...writers(h, sid)].map(fn => ask(h, fn))));
	t.diagnostic(`${some.length} names, ${asked} requests, statuses ${JSON.stringify(seen)}`);

	assert.deepEqual(world(), before, 'nothing beside the data folder changed');
	assert.equal(fs.readFileSync(path.join(server.data, 'secret.txt'), 'utf8'), SECRET);
	assert.deepEqual(fs.readdirSync(server.data).sort(), ['run', 'secret.txt', 'tus_sessions', 'tus_uploads', 'uploaded_data']);
	// Finished files lie at <id>/completed/<name> and nowhere else; no name is hidden or has control characters.
	// (Split, not matched whole: Node 18's regular expressions refuse a name of one astral character.)
	for (const f of files(server.doneDir)) {
		const [id, completed, name, ...more] = f.split('/');
		assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
		assert.equal(completed, 'completed');
		assert.ok(name && !name.startsWith('.') && !/[\x00-\x1f\\]/.test(name) && more.length === 0, f);
	}
	for (const f of files(server.doneDir)) assert.ok(Buffer.byteLength(path.basename(f)) <= 255, f);
	assert.ok(files(server.doneDir).length > 100, 'harmless rests of hostile names were stored');
}, { timeout: 180000 });

check('links_in_the_store_are_not_followed', async () => {
	const sid = newSid();
	const dir = path.join(server.doneDir, sid, 'completed');
	fs.mkdirSync(dir, { recursive: true });
	fs.symlinkSync('/etc/passwd', path.join(dir, 'link.webm'));
	const res = await request(server, 'GET', `/recordings/${sid}/link.webm`);
	assert.ok(res.status >= 400 && !res.body.includes('root:x:0'), `${res}`);
});

check('strict_session_ids_when_asked', async () => {
	const res = await request(server, 'POST', '/upload/chunk', chunkForm({ session_id: 'a/b', chunk_index: 0 }, 'x'));
	assert.ok([400, 422].includes(res.status), `${res}`);
});
