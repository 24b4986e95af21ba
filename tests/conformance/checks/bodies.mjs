// bodies.mjs - how bodies come, break off and are too long (043-054).
import assert from 'node:assert/strict';
import { sha256 } from '../lib/data.mjs';

const source = 'tus 1.0.0, Core Protocol, PATCH';

const CUTS = { fin: c => c.close(), rst: c => c.rst(), 'half close': c => c.fin() };

async function cut(t, how, n) {
	const url = await t.begun(1000000, 100);
	const c = await t.openPatch(url, 100, 999900);
	await c.send(t.bytes('upload', 100, n));
	await t.arrived(100 + n);
	CUTS[how](c);
	const kept = await t.settled(url);
	// From outside nobody knows what had arrived.
	if (t.control.arrived) assert.equal(kept, 100 + n, 'bytes kept');
	else assert.ok(kept > 100 && kept <= 100 + n, `${kept} bytes kept of ${100 + n}`);
	await t.agrees(url, kept, 1000000);
	c.close();
}

export default [
	{
		id: '043', title: 'bytes that came before the connection broke are kept', source, level: 'SHOULD',
		run: async t => {
			for (const [i, how] of Object.keys(CUTS).entries()) await t.case(how, () => cut(t, how, 300043 + 10 * i));
		},
	},
	{
		id: '044', title: 'a stalled connection is closed, its bytes are kept and nobody waits for it', source, level: 'SHOULD',
		run: async t => {
			const url = await t.made({ length: 50000 }), began = Date.now();
			const c = await t.openPatch(url, 0, 50000);
			await c.send(t.bytes('upload', 0, 20044));
			await t.arrived(20044);
			await t.case('(practice) taken over', async () => {
				await t.agrees(url, await t.settled(url), 50000);
				assert.ok(Date.now() - began < 6000, `${Date.now() - began} ms`);
			});
			c.close();
			const h = t.at(await t.controlled('baseImpatient')());
			await t.case('closed', async () => {
				const slow = await h.made({ length: 50000 });
				const s = await h.openPatch(slow, 0, 50000);
				await s.send(t.bytes('upload', 0, 20144));
				await t.until(() => s.ended || s.buffer.length, { what: 'end of the stalled connection', timeout: 20000 });
				s.close();
				assert.ok(await h.settled(slow) > 0, 'bytes kept');
				await h.agrees(slow, await h.settled(slow), 50000);
			});
		},
	},
	{
		id: '045', title: 'a chunked body without Content-Length is taken', source: 'tus-java-client always sends one', level: 'MAY',
		run: async t => {
			const url = await t.made({ length: 300000 });
			const res = t.status(await t.patch(url, 0, [[0, 1], [1, 99999], [100000, 100000]].map(([at, n]) => t.bytes('upload', at, n)), { chunked: true }), 204);
			assert.equal(res.headers['upload-offset'], '200000');
			await t.agrees(url, 200000, 300000);
		},
	},
	{
		id: '046', title: 'Expect: 100-continue works', source: 'RFC 9110, 10.1.1', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			const c = await t.openPatch(url, 3, 7, { Expect: '100-continue' });
			t.status(await c.answer({ informational: true, timeout: 10000 }), 100);
			await c.send(t.bytes('upload', 3, 7));
			assert.equal(t.status(await c.answer(), 204).headers['upload-offset'], '10');
			c.close();
			await t.whole(url, 10);
		},
	},
	{
		id: '047', title: 'a body announced as too long is 413 unread', source, level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 3, 'abcdefgh'), 413);
			// The answer comes although no byte of the body was sent (of a small body a server may wait for the rest a while).
			const c = await t.openPatch(url, 3, 4 << 20);
			t.status(await c.answer({ timeout: 5000 }), 413);
			c.close();
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '048', title: 'a chunked body that is too long is 413 and completes nothing', source, level: 'practice',
		run: async t => {
			const url = await t.begun(100000, 3);
			t.status(await t.patchInTwo(url, 3, t.bytes('upload', 3, 50048), Buffer.concat([t.bytes('upload', 50051, 49949), Buffer.from('more')])), 413);
			const n = await t.settled(url);
			assert.ok(n >= 3 && n < 100000, `offset ${n}`);
			await t.agrees(url, n, 100000);
		},
	},
	{
		id: '049', title: 'a complete upload takes an empty body, no bytes, and is not finished twice', source, level: 'practice', alone: true,
		run: async t => {
			const url = await t.begun(10, 10), finished = await t.control.finishedTotal?.();
			assert.equal(t.status(await t.patch(url, 10, ''), 204, 'empty body').headers['upload-offset'], '10');
			t.status(await t.patch(url, 10, 'x'), 413, 'a byte more');
			assert.equal(await t.control.finishedTotal?.(), finished, 'uploads finished');
			assert.equal(await t.offset(url), 10);
			await t.whole(url, 10);
		},
	},
	{
		id: '050', title: 'of two PATCHes at one offset exactly one wins', source, level: 'practice',
		run: async t => {
			for (let round = 0; round < 4; round++) {
				const url = await t.made({ length: 400000 });
				const both = await Promise.all(['one', 'two'].map(seed => t.patch(url, 0, t.bytes(seed, 0, 400000)).catch(e => ({ status: 0, e }))));
				const won = both.map(r => r.status === 204);
				assert.equal(won.filter(Boolean).length, 1, `answers ${both.map(r => r.status)}`);
				// 0: cut off. 503: a front noticed first that the body is taken no more; the client asks HEAD and goes on.
				for (const r of both) assert.ok([204, 409, 423, 413, 503, 0].includes(r.status), `answer ${r.status}`);
				if (!t.caps.download) continue;
				const got = await t.http('GET', url);
				assert.equal(sha256(got.body), sha256(t.bytes(['one', 'two'][won.indexOf(true)], 0, 400000)), 'bytes of the one that won');
			}
		},
	},
	{
		id: '051', title: 'after any error offset and bytes agree', source, level: 'practice',
		run: async t => {
			const url = await t.begun(1000, 500), rest = t.bytes('other', 0, 500);
			for (const [offset, body, headers] of [[499, rest, {}], [501, rest, {}], [500, Buffer.concat([rest, rest]), {}], [500, rest, { 'Content-Type': 'text/plain' }],
				[500, rest, { 'Tus-Resumable': '9' }], ['500x', rest, {}], [500, rest, { 'Upload-Length': 999 }]]) {
				const res = await t.patch(url, offset, body, { headers });
				assert.ok(res.status >= 400, `${offset} ${JSON.stringify(headers)}: ${res}`);
			}
			await t.agrees(url, 500, 1000);
		},
	},
	{
		id: '052', title: 'a coded body is 415', source: 'RFC 9110, 15.5.16', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 3, 'abcdefg', { headers: { 'Content-Encoding': 'gzip' } }), 415);
			t.status(await t.patch(url, 3, t.bytes('upload', 3, 1), { headers: { 'Content-Encoding': 'identity' } }), 204, 'identity');
			await t.agrees(url, 4, 10);
		},
	},
	{
		id: '053', title: 'an early error reaches a client that still sends', source: 'browsers report a network error otherwise', level: 'practice',
		run: async t => {
			const url = await t.begun(8 << 20, 3);
			for (let i = 0; i < 3; i++) t.status(await t.patch(url, 0, t.bytes('upload', 0, 4 << 20)), 409, '4 MiB');
			// Head and body in two packets: the body may already lie there, or not, when the refusal is made.
			for (let i = 0; i < 20; i++) {
				const began = Date.now(), c = await t.openPatch(url, 0, 50);
				await c.send(t.bytes('upload', 0, 50));
				t.status(await c.answer(), 409, '50 bytes');
				assert.ok(Date.now() - began < 2000, `answer after ${Date.now() - began} ms`);
				c.close();
			}
			assert.equal(await t.offset(url), 3);
		},
	},
	{
		id: '054', title: 'many small PATCHes', source, level: 'MAY',
		run: async t => {
			const url = await t.made({ length: 200 });
			for (let at = 0; at < 199; at++) assert.equal((await t.patch(url, at, t.bytes('upload', at, 1))).headers['upload-offset'], String(at + 1));
			await t.agrees(url, 199, 200);
		},
	},
];
