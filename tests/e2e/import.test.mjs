// import.test.mjs - a WaveForge upload folder, built by its documented layout, is taken over: finished files are listed and downloadable, half-done sessions go on
// exactly where their files stand, by tus and by form, and end right. The old folder stays as it was.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { bytes, sha256 } from './lib/data.mjs';
import { request } from './lib/http.mjs';
import { build, check, files, scratch, start } from './lib/server.mjs';
import { head, patch } from './lib/tus.mjs';
import { assembled, complete, download, isRecording, sendChunk, status, tusChunk, verify } from './lib/wave.mjs';

const FINISHED = 100;
const CHUNK = 128 << 10;

const tusctl = (data, ...args) => new Promise(done => {
	const p = spawn(path.join(build, 'tusctl'), ['--data', data, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', err = '';
	p.stdout.on('data', d => { out += d; });
	p.stderr.on('data', d => { err += d; });
	p.on('close', code => done({ code, out, err, summary: out.startsWith('{') ? JSON.parse(out).summary : {}, rows: out.startsWith('{') ? JSON.parse(out).imported : [] }));
});

const write = (file, data) => {
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, data);
};

// Contents of everything below a folder.
const image = dir => Object.fromEntries(files(dir).sort().map(f => {
	const at = path.join(dir, f), link = fs.lstatSync(at).isSymbolicLink();
	return [f, link ? `-> ${fs.readlinkSync(at)}` : `${sha256(fs.readFileSync(at))} ${fs.statSync(at).mtimeMs}`];
}));

/* ---- a folder as WaveForge leaves it ---- */

const info = (extra = {}) => JSON.stringify({ total_chunks: 0, uploaded_chunks: [], recording_name: 'recording', format: 'webm', started_at: '2026-11-22T06:04:02.023674',
	chunk_sizes: {}, client_metadata: {}, ...extra }, null, 2);

class Tree {
	constructor(dir) {
		this.dir = dir;
		this.done = new Map();        // sid -> {name, data}
	}

	finished(sid, name, seed, length) {
		const data = bytes(seed, 0, length);
		const note = { file_name: name, session_id: sid, file_size_bytes: length, total_chunks: 3, missing_chunks: [], client_metadata: { name, seed }, assembled_at: '2026-11-22T06:05:00.1' };
		write(path.join(this.dir, sid, 'completed', name), data);
		write(path.join(this.dir, sid, 'completed', `${name}.meta.json`), JSON.stringify(note, null, 2));
		write(path.join(this.dir, sid, 'session_info.json'), info({ assembled: true, output_file: `/app/backend/uploaded_data/${sid}/completed/${name}`, assembled_at: '2026-11-22T06:05:00.1' }));
		this.done.set(sid, { name, data });
	}

	chunk(sid, index, data) { write(path.join(this.dir, sid, 'chunks', `chunk_${index}.bin`), data); }
	note(sid, text) { write(path.join(this.dir, sid, 'session_info.json'), text); }
}

const piece = (seed, i, length = CHUNK) => bytes(seed, i * CHUNK, length);
const whole = (seed, length) => bytes(seed, 0, length);
const live = (seed, i) => bytes(seed + i, 0, 11000 + 977 * i);

function build100(dir) {
	const t = new Tree(dir);
	for (let i = 0; i < FINISHED; i++)
		t.finished(`sess_1763700${100000 + i}_${(i * 7919).toString(36)}`, i % 10 === 0 ? `Sequenz ${10 + i % 14}:11:19 für später.webm` : `Take ${i}.webm`, 1000 + i, 1000 + 3001 * (i % 37));
	return t;
}

// Five sessions that stand in the middle, each another way.
function halfDone(t) {
	for (let i = 0; i < 4; i++) t.chunk('sess_live_1', i, live(50, i));
	t.note('sess_live_1', info({ uploaded_chunks: [0, 1, 2, 3] }));
	// Its note was cut in the middle of being written.
	for (const i of [0, 1, 3]) t.chunk('sess_live_torn', i, live(70, i));
	t.note('sess_live_torn', info({ uploaded_chunks: [0, 1] }).slice(0, 60));
	// Cut evenly, with holes.
	for (const i of [0, 2, 3]) t.chunk('manual_1763700999', i, piece(90, i));
	t.note('manual_1763700999', info({ total_chunks: 6, uploaded_chunks: [0, 2], recording_name: 'Manual', client_metadata: { recordingName: 'Manual', format: 'webm', totalChunks: 6 } }));
	// By tus, the third chunk in its middle; the note calls it uploaded.
	for (const i of [0, 1]) t.chunk('sess_tus_1', i, piece(91, i));
	t.chunk('sess_tus_1', 2, piece(91, 2, 50000));
	t.note('sess_tus_1', info({ total_chunks: 4, uploaded_chunks: [0, 1, 2], recording_name: 'Tus', client_metadata: { chunkIndex: '2', totalChunks: '4', sessionId: 'sess_tus_1', recordingName: 'Tus', format: 'webm' } }));
	// By tus, a chunk in the middle that others follow: its length is known from them.
	for (const i of [0, 2]) t.chunk('sess_tus_2', i, piece(92, i));
	t.chunk('sess_tus_2', 1, piece(92, 1, 70001));
	t.note('sess_tus_2', info({ total_chunks: 4, recording_name: 'Tus two', client_metadata: { chunkIndex: '1', totalChunks: '4', sessionId: 'sess_tus_2' } }));
	return t;
}

/* ---- going on ---- */

async function end(server) {
	// live: the recorder goes on and completes
	assert.deepEqual((await sendChunk(server, 'sess_live_1', 3, live(50, 3))).json.status, 'chunk_already_exists');
	for (const i of [4, 5]) assert.equal((await sendChunk(server, 'sess_live_1', i, live(50, i))).json.status, 'chunk_received');
	assert.equal((await complete(server, 'sess_live_1', 'Evening.webm', { name: 'Evening', extension: 'webm' })).status, 200);
	await isRecording(server, 'sess_live_1', 'Evening.webm', Buffer.concat([0, 1, 2, 3, 4, 5].map(i => live(50, i))));

	assert.equal((await complete(server, 'sess_live_torn', 'Torn.webm', { name: 'Torn', extension: 'webm' })).status, 409, 'chunk 2 is missing');
	assert.deepEqual((await status(server, 'sess_live_torn')).json.missing_chunks, [2]);
	assert.equal((await sendChunk(server, 'sess_live_torn', 2, live(70, 2))).json.status, 'chunk_received');
	assert.equal((await complete(server, 'sess_live_torn', 'Torn.webm', { name: 'Torn', extension: 'webm' })).status, 200);
	await isRecording(server, 'sess_live_torn', 'Torn.webm', Buffer.concat([0, 1, 2, 3].map(i => live(70, i))));

	assert.deepEqual((await status(server, 'manual_1763700999')).json.missing_chunks, [1, 4, 5]);
	assert.equal((await verify(server, 'manual_1763700999', 2)).exists, true);
	for (const i of [1, 4, 5]) await sendChunk(server, 'manual_1763700999', i, piece(90, i, i === 5 ? 999 : CHUNK), { total_chunks: 6 });
	await assembled(server, 'manual_1763700999');
	await isRecording(server, 'manual_1763700999', 'Manual.webm', whole(90, 5 * CHUNK + 999));

	// tus: where the file stands the client goes on
	const third = await head(server, '/files/sess_tus_1/chunks/2');
	assert.equal(third.headers['upload-offset'], '50000', `HEAD: ${third}`);
	assert.notEqual(third.headers['upload-length'], '50000', 'a chunk on its way is not complete');
	const rest = await patch(server, '/files/sess_tus_1/chunks/2', 50000, piece(91, 2).subarray(50000), { headers: { 'Upload-Length': CHUNK } });
	assert.equal(rest.status, 204, `PATCH: ${rest}`);
	await tusChunk(server, 'sess_tus_1', 3, 4, piece(91, 3, 12345));
	await assembled(server, 'sess_tus_1');
	await isRecording(server, 'sess_tus_1', 'Tus.webm', whole(91, 3 * CHUNK + 12345));

	const second = await head(server, '/files/sess_tus_2/chunks/1');
	assert.equal(second.headers['upload-offset'], '70001', `HEAD: ${second}`);
	assert.equal(second.headers['upload-length'], String(CHUNK));
	assert.equal((await patch(server, '/files/sess_tus_2/chunks/1', 70001, piece(92, 1).subarray(70001))).status, 204);
	// The fallback of a tus client sends the three fields alone.
	assert.equal((await sendChunk(server, 'sess_tus_2', 3, piece(92, 3, 5000))).status, 200);
	await assembled(server, 'sess_tus_2');
	await isRecording(server, 'sess_tus_2', 'Tus two.webm', whole(92, 3 * CHUNK + 5000));
}

async function all100(server, done) {
	const list = [];
	for (let url = '/recordings/?limit=60'; url;) {
		const page = await request(server, 'GET', url);
		assert.equal(page.status, 200, `${page}`);
		list.push(...page.json.recordings);
		url = page.json.next ? `/recordings/?limit=60&before=${page.json.next}` : undefined;
	}
	for (const [sid, { name, data }] of done) {
		assert.equal(list.filter(r => r.session_id === sid).length, 1, `${sid} is listed once`);
		const res = await download(server, sid, name);
		assert.equal(res.status, 200, `${sid}/${name}: ${res}`);
		assert.equal(sha256(res.body), sha256(data), `${sid}/${name}`);
	}
}

// The old server finished it, and its answer was lost: the recorder asks for it until it is told.
async function completedAgain(server, done) {
	for (const [sid, { name, data }] of [...done].slice(0, 12)) {
		const res = await complete(server, sid, name, { name: name.slice(0, -5), extension: 'webm', fileSize: data.length });
		assert.deepEqual([res.status, res.json.status], [200, 'already_completed'], `${sid}: ${res}`);
		assert.equal((await complete(server, sid, 'Another.webm')).status, 404, sid);
	}
}

check('a hundred finished files and five half-done sessions change their back end', async () => {
	const dir = scratch(), tree = halfDone(build100(path.join(dir, 'old')));
	const server = await start();
	try {
		const before = image(tree.dir);
		const dry = await tusctl(server.data, 'import', tree.dir, '--dry-run');
		assert.equal(dry.code, 0, dry.err);
		assert.equal((await request(server, 'GET', '/recordings/')).json.recordings.length, 0, 'a dry run takes nothing');
		const first = await tusctl(server.data, 'import', tree.dir);
		assert.equal(first.code, 0, `${first.err}${first.out}`);
		assert.deepEqual({ ...dry.summary, dry_run: false }, first.summary, 'the dry run said what would come');
		assert.deepEqual([first.summary.finished, first.summary.sessions, first.summary.left, first.summary.failed], [FINISHED, 5, 0, 0]);
		const again = await tusctl(server.data, 'import', tree.dir);
		assert.equal(again.code, 0, again.err);
		assert.deepEqual([again.summary.finished, again.summary.sessions, again.summary.chunks, again.summary.failed], [0, 0, 0, 0], 'the second time there is nothing to do');
		await all100(server, tree.done);
		await completedAgain(server, tree.done);
		await end(server);
		// Also after all has ended, and what clients have sent stays.
		const last = await tusctl(server.data, 'import', tree.dir);
		assert.deepEqual([last.summary.finished, last.summary.sessions, last.summary.chunks, last.summary.left], [0, 0, 0, 5], last.out);
		await all100(server, tree.done);
		assert.deepEqual(image(tree.dir), before, 'nothing was changed in the old folder');
		assert.equal((await tusctl(server.data, 'check')).code, 0);
	} finally {
		await server.stop();
	}
	fs.rmSync(dir, { recursive: true, force: true });
}, { timeout: 120000 });

check('the folder of the old back end becomes that of the new one', async () => {
	const server = await start();
	try {
		const tree = halfDone(build100(server.doneDir));
		const before = image(tree.dir);
		const first = await tusctl(server.data, 'import', tree.dir);
		assert.equal(first.code, 0, `${first.err}${first.out}`);
		assert.deepEqual([first.summary.finished, first.summary.sessions, first.summary.left], [FINISHED, 5, 0], first.out);
		assert.deepEqual(image(tree.dir), before, 'files stay where they are, as they are');
		await all100(server, tree.done);
		await end(server);
		const last = await tusctl(server.data, 'import', tree.dir);
		assert.deepEqual([last.summary.finished, last.summary.sessions, last.summary.chunks], [0, 0, 0], last.out);
		const now = image(tree.dir);
		for (const f of Object.keys(before)) assert.equal(now[f], before[f], f);
	} finally {
		await server.stop();
	}
}, { timeout: 120000 });
