// parallel.test.mjs - several processes at once on one recording and on one upload.
import assert from 'node:assert/strict';
import { check, useServer } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { made, offsetOf, openPatch, patch } from './lib/tus.mjs';
import { assembled, complete, isRecording, newSid, postChunk, sendChunk, status } from './lib/wave.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 4 } });
const SIZE = 200000;
const chunk = (sid, i) => bytes(`${sid} ${i}`, 0, SIZE);

// Slow bodies of several chunks at the same time, until at least three processes are seen receiving at once.
check('three_chunk_patches_in_three_processes_are_all_registered', async t => {
	for (let attempt = 1; ; attempt++) {
		const sid = newSid();
		const n = 3 * attempt;
		const bodies = [];
		for (let i = 0; i < n; i++) {
			const url = (await postChunk(server, sid, i, n, SIZE)).headers.location;
			const c = await openPatch(server, url, 0, SIZE);
			await c.send(chunk(sid, i).subarray(0, SIZE / 2));
			bodies.push(c);
		}
		const seen = await until(() => server.holders().length >= Math.min(3, attempt) && server.holders(), { what: 'processes that receive' });
		await Promise.all(bodies.map((c, i) => c.send(chunk(sid, i).subarray(SIZE / 2))));
		for (const c of bodies) {
			const res = await c.answer();
			assert.equal(res.status, 204, `${res}`);
			assert.equal(res.headers['upload-offset'], String(SIZE));
			c.close();
		}
		const s = await assembled(server, sid);
		assert.equal(s.uploaded_chunks, n);
		await isRecording(server, sid, 'take.webm', Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i))));
		if (seen.length >= 3) {
			t.diagnostic(`${n} chunks overlapped in ${seen.length} processes`);
			return;
		}
		assert.ok(attempt < 8, 'no three processes shared the bodies');
	}
});

check('two_patches_at_the_same_offset_one_wins', async t => {
	const tally = {};
	for (let round = 0; round < 12; round++) {
		const url = await made(server, { length: SIZE });
		const start = round % 2 ? 0 : 1000;
		const base = bytes('base', 0, start);
		if (start) await patch(server, url, 0, base);
		const seeds = ['left', 'right'];
		// Slow in odd rounds, so that one is displaced in the middle of its body.
		const conns = await Promise.all(seeds.map(() => openPatch(server, url, start, SIZE - start)));
		const answers = await Promise.all(conns.map(async (c, i) => {
			const data = bytes(seeds[i], 0, SIZE - start);
			if (round % 2) await c.sendSlowly(data, 20000, 5);
			else await c.send(data);
			const res = await c.answer().catch(() => ({ status: 0 }));
			c.close();
			return res;
		}));
		const st = answers.map(a => a.status);
		tally[st.sort().join('+')] = (tally[st.sort().join('+')] ?? 0) + 1;
		assert.equal(answers.filter(a => a.status === 204).length, 1, `${st}`);
		const won = answers.findIndex(a => a.status === 204);
		// 503 is nginx's word where it noticed first that the worker takes no more of this body; a client goes on as after a 409.
		for (const a of answers) assert.ok([0, 204, 409, 413, 423, 503].includes(a.status), `${a}`);
		assert.equal(answers[won].headers['upload-offset'], String(SIZE));
		assert.equal(await offsetOf(server, url), SIZE);
		const got = await request(server, 'GET', url);
		assert.equal(sha256(got.body), sha256(Buffer.concat([base, bytes(seeds[won], 0, SIZE - start)])), 'bytes of the winner alone');
	}
	t.diagnostic(`outcomes: ${JSON.stringify(tally)}`);
});

check('twenty_fallback_chunks_at_once', async () => {
	const sid = newSid();
	const n = 20;
	const all = await Promise.all(Array.from({ length: n }, (_, i) => sendChunk(server, sid, i, chunk(sid, i).subarray(0, 14000))));
	for (const res of all) assert.equal(res.status, 200, `${res}`);
	assert.equal((await status(server, sid)).json.uploaded_chunks, n);
	assert.equal((await complete(server, sid, 'par.webm')).status, 200);
	await isRecording(server, sid, 'par.webm', Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i).subarray(0, 14000))));
});

check('four_hundred_chunks_from_eight_senders', async () => {
	const sid = newSid();
	const n = 400;
	let next = 0;
	await Promise.all(Array.from({ length: 8 }, async () => {
		while (next < n) {
			const i = next++;
			const res = await sendChunk(server, sid, i, chunk(sid, i).subarray(0, 2000), { total_chunks: n, recording_name: 'eight' });
			assert.equal(res.status, 200, `${res}`);
		}
	}));
	await assembled(server, sid);
	await isRecording(server, sid, 'eight.webm', Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i).subarray(0, 2000))));
});
