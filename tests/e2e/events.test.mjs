// events.test.mjs - the outbox and its hook: told once the file is there, again until it is heard, in order, and never in a request's way.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { build, check, start } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { create, head, made, openPatch, patch, remove, TUS } from './lib/tus.mjs';
import { bytes, metadata } from './lib/data.mjs';
import { newSid, sendChunk, complete } from './lib/wave.mjs';

const SECRET = 'a secret of sixteen characters';
const run = promisify(execFile);

// Hears POSTs; answer(event, times this id was heard) gives a status, or null to stay silent.
async function receiver(answer = () => 204) {
	const heard = [];
	const server = http.createServer((req, res) => {
		let body = '';
		req.on('data', d => { body += d; });
		req.on('end', () => {
			const event = JSON.parse(body);
			heard.push({ ...event, body, headers: req.headers, at: Date.now() });
			const status = answer(event, heard.filter(h => h.id === event.id).length);
			if (status === null) return;
			res.writeHead(status, status === 302 ? { Location: '/other' } : {});
			res.end();
		});
	});
	await new Promise(ready => server.listen(0, '127.0.0.1', ready));
	return {
		heard,
		of: subject => heard.filter(h => h.subject === subject),
		port: server.address().port,
		url: `http://127.0.0.1:${server.address().port}/hook`,
		close: () => { server.closeAllConnections(); return new Promise(done => server.close(done)); },
	};
}

const hooked = (url, more = {}) => ({ HOOK_URL: url, HOOK_SECRET: SECRET, HOOK_TIMEOUT: 5, WORKERS: 2, ...more });
const idOf = location => location.split('/').pop();

async function upload(server, data, name = 'a.bin') {
	const at = await made(server, { length: data.length, meta: metadata({ filename: name }) });
	assert.equal((await patch(server, at, 0, data)).status, 204);
	return at;
}

async function tusctl(server, args, settings = {}) {
	const env = { PATH: process.env.PATH, DATA_DIR: server.data, ...settings };
	try {
		return { code: 0, ...await run(path.join(build, 'tusctl'), args, { env }) };
	} catch (e) {
		return { code: e.code, stdout: e.stdout, stderr: e.stderr };
	}
}
const events = async (server, ...args) => JSON.parse((await tusctl(server, ['--json', 'events', '--limit', '1000', ...args])).stdout).events;

check('a_command_is_run_when_the_file_is_there', async t => {
	const server = await start({ settings: { WORKERS: 2 } });
	try {
		const got = path.join(server.dir, 'got'), script = path.join(server.dir, 'hook');
		fs.mkdirSync(got);
		// $1 shows that arguments come and that no shell reads them
		fs.writeFileSync(script, `#!/bin/sh\ncat > ${got}/.$TUS_EVENT_ID && cmp -s "$TUS_PATH" ${server.dir}/want && echo "$1 $TUS_EVENT $TUS_SUBJECT $TUS_SIZE $TUS_NAME \${SECRET_KEY-none}" > ${got}/$TUS_EVENT_ID\n`);
		fs.chmodSync(script, 0o755);
		const data = bytes('command', 0, 300000);
		fs.writeFileSync(path.join(server.dir, 'want'), data);
		await server.restart({ WORKERS: 2, HOOK_COMMAND: `${script} $HOME;x`, HOOK_TIMEOUT: 5, SECRET_KEY: SECRET });
		await until(() => server.pids().hooks, { what: 'the hook process' });
		const at = await made(server, { length: data.length, meta: metadata({ filename: 'my film.webm' }) });
		assert.equal((await patch(server, at, 0, data.subarray(0, 100000))).status, 204);
		const cut = await openPatch(server, at, 100000, 200000);
		await cut.send(data.subarray(100000, 150000));
		await server.arrived(150000);
		cut.close();
		await server.idle();
		assert.deepEqual(fs.readdirSync(got), [], 'nothing is told of an unfinished upload');
		const from = 150000;
		assert.equal((await patch(server, at, from, data.subarray(from))).status, 204);
		const began = Date.now();
		const names = await until(() => { const l = fs.readdirSync(got).filter(f => !f.startsWith('.')); return l.length && l; }, { what: 'hook', timeout: 5000 });
		t.diagnostic(`a command ran ${Date.now() - began} ms after the last byte was acknowledged`);
		assert.ok(Date.now() - began < 2000);
		assert.equal(fs.readFileSync(path.join(got, names[0]), 'utf8'), `$HOME;x completed ${idOf(at)} ${data.length} my film.webm none\n`);
		const event = JSON.parse(fs.readFileSync(path.join(got, `.${names[0]}`), 'utf8'));
		assert.equal(event.id, names[0]);
		assert.equal(event.event, 'completed');
		assert.equal(event.length, data.length);
		assert.deepEqual(fs.readFileSync(event.path), data);
		assert.deepEqual((await events(server)).map(e => e.event), ['created', 'interrupted', 'resumed', 'completed']);
	} finally {
		await server.stop();
	}
});

check('a_post_is_signed_and_repeated_until_it_is_heard', async t => {
	const answers = [500, 302, 204];
	const hook = await receiver((e, n) => answers[n - 1] ?? 204);
	const server = await start({ settings: hooked(hook.url) });
	try {
		const at = await upload(server, bytes('post', 0, 5000));
		await until(() => hook.heard.length === 3, { what: 'third delivery', timeout: 15000 });
		for (const h of hook.heard) {
			assert.equal(h.subject, idOf(at));
			assert.equal(h.headers['x-tus-event-id'], hook.heard[0].id);
			assert.equal(h.headers['x-tus-event'], 'completed');
			assert.equal(h.headers['content-type'], 'application/json');
			const mac = createHmac('sha256', SECRET).update(`${h.headers['x-tus-timestamp']}.${h.body}`).digest('hex');
			assert.equal(h.headers['x-tus-signature'], `sha256=${mac}`);
			assert.ok(Math.abs(Number(h.headers['x-tus-timestamp']) * 1000 - Date.now()) < 30000);
		}
		const waits = [1, 2].map(i => hook.heard[i].at - hook.heard[i - 1].at);
		t.diagnostic(`waited ${waits.join(' and ')} ms between tries`);
		assert.ok(waits[0] >= 700 && waits[1] >= 1400, `${waits}`);
		const mine = await until(async () => (await events(server)).find(e => e.hook === 'delivered'), { what: 'delivered row' });
		assert.equal(mine.tries, 3);
		await upload(server, bytes('post', 0, 10));
		await until(() => hook.heard.length === 4, { what: 'the next' });
	} finally {
		await server.stop();
		await hook.close();
	}
});

check('order_within_an_upload_and_not_between_uploads', async () => {
	let slow;
	const hook = await receiver((e, n) => (e.subject === slow && e.event === 'created' && n < 3 ? 503 : 200));
	const server = await start({ settings: hooked(hook.url, { HOOK_EVENTS: 'created,completed,deleted' }) });
	try {
		slow = newSid();
		assert.equal((await sendChunk(server, slow, 0, bytes('s', 0, 2000))).status, 200);
		await until(() => hook.of(slow).length, { what: 'first try' });
		assert.equal((await complete(server, slow, 's.webm', { name: 's', extension: 'webm' })).status, 200);
		const others = [];
		for (let i = 0; i < 5; i++) others.push(idOf(await upload(server, bytes('o', 0, 100 + i))));
		await until(() => others.every(id => hook.of(id).length === 2), { what: 'the others', timeout: 5000 });
		assert.ok(hook.of(slow).every(h => h.event === 'created'), 'the second event waits for the first');
		await until(() => hook.of(slow).length === 4, { what: 'the slow one', timeout: 15000 });
		assert.deepEqual(hook.of(slow).map(h => h.event), ['created', 'created', 'created', 'completed']);
		for (const id of others) assert.deepEqual(hook.of(id).map(h => h.event), ['created', 'completed']);
		assert.equal((await remove(server, `/files/${others[0]}`)).status, 204);
		await until(() => hook.of(others[0]).length === 3, { what: 'deleted' });
	} finally {
		await server.stop();
		await hook.close();
	}
});

check('a_killed_consumer_delivers_again', async () => {
	let silent = true;
	const hook = await receiver(() => (silent ? null : 200));
	const server = await start({ settings: hooked(hook.url, { HOOK_TIMEOUT: 60 }) });
	try {
		const first = await until(() => server.pids().hooks, { what: 'the hook process' });
		const at = await upload(server, bytes('kill', 0, 1000));
		await until(() => hook.heard.length === 1, { what: 'first delivery' });
		silent = false;
		process.kill(first, 'SIGKILL');
		await until(() => hook.heard.length === 2, { what: 'second delivery', timeout: 15000 });
		assert.equal(hook.heard[1].id, hook.heard[0].id);
		assert.equal(hook.heard[1].subject, idOf(at));
		assert.notEqual(server.pids().hooks, first);
		assert.equal(Object.keys(server.pids()).filter(n => n.startsWith('worker')).length, 2, 'the workers live on');
	} finally {
		await server.stop();
		await hook.close();
	}
});

check('what_was_committed_is_delivered_after_the_whole_pool_was_killed', async () => {
	const hook = await receiver();
	const server = await start({ settings: hooked(hook.url) });
	try {
		const hooks = await until(() => server.pids().hooks, { what: 'the hook process' });
		process.kill(hooks, 'SIGSTOP');
		const at = await upload(server, bytes('pool', 0, 4000)), begun = await made(server, { length: 10 });
		for (const pid of server.pool()) process.kill(pid, 'SIGKILL');
		await server.restart();
		await until(() => hook.heard.length, { what: 'delivery', timeout: 10000 });
		await until(async () => (await events(server)).some(e => e.hook === 'delivered'), { what: 'delivered row' });
		assert.deepEqual(hook.heard.map(h => h.subject), [idOf(at)], 'once, and nothing of the upload that only began');
		assert.equal((await head(server, begun)).status, 200);
	} finally {
		await server.stop();
		await hook.close();
	}
});

check('a_hanging_hook_is_in_nobodys_way', async t => {
	const hook = await receiver(() => null);
	const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];
	const measure = async server => {
		const at = await made(server, { length: 200 }), ms = [];
		for (let i = 0; i < 200; i++) {
			const began = process.hrtime.bigint();
			assert.equal((await head(server, at)).status, 200);
			assert.equal((await patch(server, at, i, 'x')).status, 204);
			ms.push(Number(process.hrtime.bigint() - began) / 1e6);
		}
		return ms;
	};
	const server = await start({ settings: hooked(hook.url, { HOOK_TIMEOUT: 60, SHUTDOWN_WAIT_MS: 500 }) });
	try {
		const before = await measure(server);
		for (let i = 0; i < 8; i++) await upload(server, bytes('hang', 0, 100));
		await until(() => hook.heard.length === 4, { what: 'four deliveries under way' });
		const during = await measure(server);
		const [a, b] = [quantile(before, 0.9), quantile(during, 0.9)];
		t.diagnostic(`HEAD and PATCH without hook p90 ${a.toFixed(2)} ms, with four deliveries hanging ${b.toFixed(2)} ms`);
		assert.ok(b < 2 * a + 20, `${a} -> ${b}`);
		assert.equal(hook.heard.length, 4, 'no more than four at a time');
		const began = Date.now();
		await server.halt();
		assert.ok(Date.now() - began < 5000, 'and the pool ends in its time');
	} finally {
		await server.stop();
		await hook.close();
	}
});

check('refused_creations_are_told_within_bounds', async () => {
	const server = await start({ settings: { WORKERS: 1, TUS_MAX_SIZE: 1000 } });
	try {
		for (let i = 0; i < 150; i++) assert.equal((await create(server, { length: 5000 })).status, 413);
		const list = await events(server);
		assert.ok(list.length >= 60 && list.length <= 120, `${list.length} events`);
		assert.deepEqual([list[0].event, list[0].reason, list[0].length], ['rejected', 'too_large', 5000]);
		assert.equal((await request(server, 'GET', '/files/_nobodyhasthisidtoday00', { headers: TUS })).status, 404);
		assert.equal((await events(server)).length, list.length, 'only creations');
	} finally {
		await server.stop();
	}
});

check('tusctl_tells_and_follows', async () => {
	const server = await start({ settings: { WORKERS: 1 } });
	try {
		await upload(server, bytes('t', 0, 10));
		const two = await events(server);
		assert.deepEqual(two.map(e => e.event), ['created', 'completed']);
		assert.deepEqual((await events(server, '--after', String(two[0].n))).map(e => e.n), [two[1].n]);
		assert.equal(JSON.parse((await tusctl(server, ['events', '--limit', '1', '--json'])).stdout).events.length, 1);
		assert.match((await tusctl(server, ['events'])).stdout, /completed .* a\.bin/);
		assert.equal((await tusctl(server, ['events', '--limit', 'x'])).code, 2);
		const follower = spawn(path.join(build, 'tusctl'), ['--json', 'events', '--follow', '--limit', '4'], { env: { DATA_DIR: server.data } });
		let text = '';
		follower.stdout.on('data', d => { text += d; });
		const ended = new Promise(done => follower.on('exit', done));
		await until(() => text.split('\n').length === 3, { what: 'two lines' });
		await upload(server, bytes('t', 0, 20));
		assert.equal(await ended, 0);
		assert.deepEqual(text.trim().split('\n').map(l => JSON.parse(l).event), ['created', 'completed', 'created', 'completed']);
	} finally {
		await server.stop();
	}
});

check('without_a_pool_tusctl_delivers', async () => {
	let status = 500;
	const hook = await receiver(() => status);
	const server = await start({ settings: hooked(hook.url) });
	try {
		const settings = { HOOK_URL: hook.url, HOOK_SECRET: SECRET };
		await until(() => server.pids().hooks, { what: 'the hook process' });
		assert.match((await tusctl(server, ['hooks'], settings)).stdout, /busy +yes/);
		const at = await upload(server, bytes('c', 0, 10));
		await until(() => hook.heard.length === 1, { what: 'a failed delivery' });
		await server.halt();
		status = 200;
		const out = await until(async () => { const o = JSON.parse((await tusctl(server, ['--json', 'hooks'], settings)).stdout); return o.delivered && o; }, { what: 'delivery' });
		assert.deepEqual(out, { delivered: 1, failed: 0, waiting: 0, busy: false });
		assert.equal(hook.heard.at(-1).subject, idOf(at));
		assert.equal((await tusctl(server, ['hooks'])).code, 1, 'no hook is set');
	} finally {
		await server.stop();
		await hook.close();
	}
});
