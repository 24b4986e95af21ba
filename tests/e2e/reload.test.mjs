// reload.test.mjs - new settings behind a real web server: a running body goes on with the old worker, new requests meet a new one, and nobody is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { check, scratch, start } from './lib/server.mjs';
import { request, until } from './lib/http.mjs';
import { made, offsetOf, openPatch, options, patch } from './lib/tus.mjs';
import { bytes, sha256 } from './lib/data.mjs';

const SIZE = 1000000;
const maxSize = async server => Number((await options(server, '/files/')).headers['tus-max-size']);
const lives = pid => fs.existsSync(`/proc/${pid}`);

check('SIGHUP: a body goes on, new requests meet new settings, the old worker ends after it', async () => {
	const dir = scratch();
	const file = path.join(dir, 'settings.json');
	const write = max => fs.writeFileSync(file, JSON.stringify({ TUS_MAX_SIZE: max }));
	write(5000000);
	const server = await start({ settings: { CONFIG_FILE: file, WORKERS: 1 } });
	try {
		const data = bytes('reload', 0, SIZE);
		assert.equal(await maxSize(server), 5000000);
		const url = await made(server, { length: SIZE });
		const old = server.workers()[0];
		const c = await openPatch(server, url, 0, SIZE);
		await c.send(data.subarray(0, 400000));
		await server.arrived(400000);

		write(6000000);
		process.kill(server.pids().supervisor, 'SIGHUP');
		// until the old worker accepts no more, either may answer; somebody always does
		await until(async () => {
			assert.equal((await request(server, 'GET', '/health')).status, 200);
			return /no more requests are accepted/.test(server.log());
		}, { what: 'the new workers', timeout: 15000 });
		await until(async () => await maxSize(server) === 6000000, { what: 'the new settings' });
		for (let i = 0; i < 10; i++) assert.equal(await maxSize(server), 6000000);
		assert.notEqual(server.workers()[0], old);
		assert.ok(lives(old), 'the old worker has a body to receive');

		// a second reload meanwhile ends nothing either
		process.kill(old, 'SIGHUP');
		await c.send(data.subarray(400000));
		const res = await c.answer();
		assert.equal(res.status, 204, `${res}`);
		assert.equal(res.headers['upload-offset'], String(SIZE));
		c.close();
		await until(() => !lives(old), { what: 'end of the old worker' });
		const got = await request(server, 'GET', url);
		assert.equal(sha256(got.body), sha256(data));

		const next = await made(server, { length: 5500000 });
		assert.equal((await patch(server, next, 0, data)).status, 204);
		assert.equal(await offsetOf(server, next), SIZE);
	} finally {
		await server.stop();
		fs.rmSync(dir, { recursive: true, force: true });
	}
});
