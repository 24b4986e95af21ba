// live.test.mjs - an hour of the live recorder, request by request as its worker sends it.
import assert from 'node:assert/strict';
import { check, completed, everything, metrics, useServer } from './lib/server.mjs';
import { complete, isRecording, assembled, newSid, sendChunk, status } from './lib/wave.mjs';
import { request } from './lib/http.mjs';
import { bytes } from './lib/data.mjs';

const server = useServer({ settings: { WORKERS: 3 } });
const size = i => 12000 + (i * 2654435761 % 4001);   // 12 to 16 kB
const chunk = (sid, i) => bytes(`${sid} ${i}`, 0, size(i));

// One chunk: POST with three fields, then verify, each judged as the worker does.
async function one(sid, i) {
	const began = process.hrtime.bigint();
	const res = await sendChunk(server, sid, i, chunk(sid, i));
	const posted = process.hrtime.bigint();
	assert.equal(res.status, 200, `${res}`);
	const j = res.json;
	assert.equal(j.status, 'chunk_received');
	assert.ok(j.chunk_index === i);
	const v = await request(server, 'GET', `/api/verify/${sid}/${i}`);
	assert.equal(v.status, 200);
	assert.equal(v.json.exists, true);
	return [Number(posted - began) / 1e6, Number(process.hrtime.bigint() - posted) / 1e6];
}

const mean = list => list.reduce((a, b) => a + b, 0) / list.length;
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];

async function record(t, n) {
	const sid = newSid();
	assert.equal((await request(server, 'GET', '/api/config')).status, 200);
	const post = [], verify = [];
	for (let i = 0; i < n; i++) {
		if (i % 600 === 0) assert.equal((await request(server, 'HEAD', '/health')).status, 200);
		const [p, v] = await one(sid, i);
		post.push(p);
		verify.push(v);
	}
	t.diagnostic(`${n} live chunks: POST ${mean(post).toFixed(2)} ms (p50 ${quantile(post, 0.5).toFixed(2)}, p99 ${quantile(post, 0.99).toFixed(2)}), verify ${mean(verify).toFixed(2)} ms a chunk`);
	const joined = (await metrics(server)).waveforge_joined_bytes_total;
	const total = Array.from({ length: n }, (_, i) => size(i)).reduce((a, b) => a + b, 0);
	const meta = { name: 'Sequence 20:11:19', mimeType: 'audio/webm', extension: 'webm', recordingCompletedAt: new Date().toISOString(), fileSize: total };
	const began = Date.now();
	const first = await complete(server, sid, 'Sequence 20:11:19.webm', meta);
	assert.equal(first.status, 200, `${first}`);
	await assembled(server, sid);
	t.diagnostic(`complete and assembled after ${Date.now() - began} ms`);
	const second = await complete(server, sid, 'Sequence 20:11:19.webm', meta);
	assert.equal(second.status, 200);
	assert.equal(second.json.status, 'already_completed');
	const names = Object.keys(completed(server, sid));
	assert.equal(names.length, 1, `${names}`);
	await isRecording(server, sid, names[0], Buffer.concat(Array.from({ length: n }, (_, i) => chunk(sid, i))));
	assert.equal((await status(server, sid)).json.uploaded_chunks, n);
	assert.equal((await metrics(server)).waveforge_joined_bytes_total, joined, 'live chunks are placed: nothing is copied at the end');
	return post;
}

check('an_hour_of_live_recording', async t => { await record(t, 3600); }, { timeout: 600000 });

if (everything)
	check('ten_hours_of_live_recording', async t => {
		const post = await record(t, 36000);
		const early = mean(post.slice(36, 136)), late = mean(post.slice(35900));
		t.diagnostic(`POST around chunk 36: ${early.toFixed(3)} ms, around 36,000: ${late.toFixed(3)} ms, ratio ${(late / early).toFixed(2)}`);
	}, { timeout: 3600000 });
