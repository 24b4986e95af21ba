// memory.test.mjs - a big body passes through the pool in constant memory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { check, everything, useServer } from './lib/server.mjs';
import { request } from './lib/http.mjs';
import { made, openPatch, remove } from './lib/tus.mjs';
import { pieces, sha256Range } from './lib/data.mjs';
import { createHash } from 'node:crypto';
import http from 'node:http';

const SIZE = (everything ? 4096 : 512) * 1048576;
const LIMIT_KB = 40 * 1000;
const server = useServer({ settings: { WORKERS: 4 } });

const field = (pid, file, name) => {
	try {
		return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1] ?? 0);
	} catch {
		return 0;
	}
};

// Peak of the sums over all processes of the pool while fn runs.
async function peaks(fn) {
	const top = { pss: 0, rss: 0, samples: 0 };
	const look = () => {
		const pids = server.pool();
		top.pss = Math.max(top.pss, pids.reduce((n, p) => n + field(p, 'smaps_rollup', 'Pss'), 0));
		top.rss = Math.max(top.rss, pids.reduce((n, p) => n + field(p, 'status', 'VmRSS'), 0));
		top.samples++;
	};
	look();
	const timer = setInterval(look, 100);
	try { await fn(); } finally { clearInterval(timer); }
	look();
	return top;
}

function judged(t, what, top) {
	t.diagnostic(`${what} of ${SIZE / 1048576} MiB: ${server.pool().length} processes, peak sum of Pss ${top.pss} kB, of VmRSS ${top.rss} kB (${top.samples} samples)`);
	assert.ok(top.samples > 3 && top.rss > 1000, 'it was measured');
	assert.ok(top.pss < LIMIT_KB, `Pss ${top.pss} kB`);
	assert.ok(top.rss < LIMIT_KB, `VmRSS ${top.rss} kB`);
}

// Digest of a download that is not held in memory.
const digest = url => new Promise((done, fail) => {
	http.get(server.url + url, { agent: false }, res => {
		const h = createHash('sha256');
		res.on('data', d => h.update(d)).on('end', () => done({ status: res.statusCode, sha256: h.digest('hex') })).on('error', fail);
	}).on('error', fail);
});

const skip = process.env.SANITIZED ? 'a sanitizer takes memory of its own' : false;

check('put_in_constant_memory', async t => {
	let res;
	const top = await peaks(async () => {
		res = await request(server, 'PUT', '/upload/big.bin', { headers: { 'Content-Length': SIZE }, body: pieces('mem', 0, SIZE), timeout: 600000 });
	});
	assert.ok([200, 201].includes(res.status), `${res}`);
	judged(t, 'PUT', top);
	const url = new URL(res.headers.location ?? res.json.url, server.url).pathname;
	const down = await peaks(async () => {
		const got = await digest(url);
		assert.equal(got.status, 200);
		assert.equal(got.sha256, sha256Range('mem', 0, SIZE));
	});
	judged(t, 'download', down);
	await request(server, 'DELETE', url, { headers: { 'Tus-Resumable': '1.0.0' } });
}, { timeout: 1800000, skip });

check('patch_in_constant_memory', async t => {
	const url = await made(server, { length: SIZE });
	let res;
	const top = await peaks(async () => {
		const c = await openPatch(server, url, 0, SIZE);
		await c.send(pieces('mem', 0, SIZE));
		res = await c.answer({ timeout: 600000 });
		c.close();
	});
	assert.equal(res.status, 204, `${res}`);
	assert.equal(res.headers['upload-offset'], String(SIZE));
	judged(t, 'PATCH', top);
	await remove(server, url);
}, { timeout: 1800000, skip });
