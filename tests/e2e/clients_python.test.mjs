// clients_python.test.mjs - tuspy, the client in Python, cut in the middle of a body and gone on with.
//
// It sends an empty Upload-Metadata header when it has none, looks at Location and Upload-Offset instead of the status, and may send a checksum with every chunk.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { head } from './lib/tus.mjs';
import { bytes, sha256, sha256Range } from './lib/data.mjs';
import { through } from './lib/proxy.mjs';

// Debian's interpreter: the one that has Debian's packages.
const python = '/usr/bin/python3';
const skip = spawnSync(python, ['-c', 'import tusclient'], { stdio: 'ignore' }).status === 0 ? false : `${python} has no tusclient (package python3-tuspy)`;
const script = fileURLToPath(new URL('./lib/tuspy_client.py', import.meta.url));

const server = useServer({ settings: { WORKERS: 2 } });

const SIZE = 3 << 20, CHUNK = 1 << 20, CUT = 700001;
const offset = r => Number(r.headers['upload-offset']);
const isData = r => r.length > 0;

// The file `name` of SIZE bytes, sent by a process of its own: {process, done: Promise of the URL}.
function tuspy(proxy, name, task = {}) {
	const file = path.join(server.dir, name);
	if (!fs.existsSync(file)) fs.writeFileSync(file, bytes(name, 0, SIZE));
	const child = spawn(python, [script, JSON.stringify({ file, endpoint: `${proxy.url}/files/`, ...task })], {
		env: { PATH: process.env.PATH, NO_PROXY: '*' }, stdio: ['ignore', 'pipe', 'pipe'],
	});
	let out = '', err = '';
	child.stdout.on('data', d => { out += d; });
	child.stderr.on('data', d => { err += d; });
	const done = new Promise((ok, fail) => {
		child.on('error', fail);
		child.on('close', (code, signal) => (code === 0 ? ok(out.trim()) : fail(new Error(`tuspy ended with ${signal ?? code}\n${err}`))));
	});
	done.catch(() => {});
	return { process: child, done };
}

async function sameFile(url, name) {
	const got = await request(server, 'GET', new URL(url).pathname);
	assert.equal(got.status, 200, `${got}`);
	assert.equal(sha256(got.body), sha256Range(name, 0, SIZE));
}

const retries = { retries: 3, retry_delay: 0.1 };
const rows = [
	{ name: 'tuspy_whole_without_metadata', options: {}, first: 0, resumed: CUT },
	{ name: 'tuspy_chunks_with_metadata', options: { chunk_size: CHUNK, metadata: { filename: 'Größe.bin', empty: '' } }, first: CHUNK, resumed: CHUNK + CUT },
	// of a body with a checksum nothing is kept unless it is whole
	{ name: 'tuspy_chunks_with_checksum', options: { chunk_size: CHUNK, upload_checksum: true }, first: CHUNK, resumed: CHUNK },
	{ name: 'tuspy_asynchronous', options: { chunk_size: CHUNK }, asynchronous: true, first: CHUNK, resumed: CHUNK + CUT },
];

for (const row of rows)
	through(server, row.name, async proxy => {
		const held = proxy.hold(r => isData(r) && offset(r) === row.first, CUT);
		const t = tuspy(proxy, row.name, { options: { ...retries, ...row.options }, asynchronous: row.asynchronous });
		const h = await Promise.race([held, t.done]);
		await server.arrived(row.first + CUT);
		h.cut();
		const url = await t.done;
		const mine = proxy.requests;
		const sent = mine.filter(isData);
		assert.equal(offset(sent[sent.indexOf(h.request) + 1]), row.resumed);
		const post = mine.find(r => r.method === 'POST');
		if (row.options.metadata) {
			const told = (await head(server, new URL(url).pathname)).headers['upload-metadata'];
			assert.equal(told, post.headers['upload-metadata']);
			assert.match(told, /^filename R3LDtsOfZS5iaW4=,empty ?$/);
		} else {
			assert.equal(post.headers['upload-metadata'], '', 'the empty header that it sends');
			assert.equal((await head(server, new URL(url).pathname)).headers['upload-metadata'], undefined);
		}
		if (row.options.upload_checksum) assert.ok(sent.every(r => /^sha1 \S+=$/.test(r.headers['upload-checksum'])));
		assert.equal(mine.filter(r => r.method === 'POST').length, 1, 'one upload was created');
		await sameFile(url, row.name);
	}, { skip });

// One bit falls over on the way: the chunk is refused, its row does not move, and the client sends it again.
through(server, 'tuspy_checksum_finds_a_wrong_bit', async proxy => {
	const held = proxy.hold(r => isData(r) && offset(r) === CHUNK, CUT);
	const t = tuspy(proxy, 'bit', { options: { ...retries, chunk_size: CHUNK, upload_checksum: true } });
	(await Promise.race([held, t.done])).go(piece => { piece[0] ^= 4; return piece; });
	const url = await t.done;
	assert.deepEqual(proxy.requests.filter(isData).map(offset), [0, CHUNK, CHUNK, 2 * CHUNK]);
	await sameFile(url, 'bit');
}, { skip });

// The process is killed; the next one finds the URL in the storage.
through(server, 'tuspy_stored_url', async proxy => {
	const store = path.join(server.dir, 'tuspy.json');
	const held = proxy.hold(isData, CUT);
	const first = tuspy(proxy, 'stored', { store });
	const h = await Promise.race([held, first.done]);
	await server.arrived(CUT);
	first.process.kill('SIGKILL');
	await first.done.catch(() => {});
	h.cut();
	await until(() => !server.holders().length, { what: 'end of the writer' });
	const url = await tuspy(proxy, 'stored', { store }).done;
	assert.deepEqual(proxy.requests.filter(isData).map(r => [offset(r), r.length]), [[0, SIZE], [CUT, SIZE - CUT]]);
	await sameFile(url, 'stored');
}, { skip });
