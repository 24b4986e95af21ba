// head.mjs - asking where an upload stands (020-033).
import assert from 'node:assert/strict';
import { b64 } from '../lib/data.mjs';
import { FINE, GONE } from '../lib/context.mjs';
import { TUS } from '../lib/tus.mjs';

const source = 'tus 1.0.0, Core Protocol, HEAD';

export default [
	{
		id: '020', title: 'HEAD is 200 or 204 and has no body', source, level: 'SHOULD',
		run: async t => {
			const c = await t.open('HEAD', await t.begun(10, 3), { headers: TUS });
			t.status(await c.answer({ method: 'HEAD' }), FINE);
			await t.until(() => c.ended, { what: 'end of the connection' });
			assert.equal(c.buffer.length, 0, 'bytes after the header');
			c.close();
		},
	},
	{
		id: '021', title: 'Upload-Offset is always told, also 0 and when complete', source, level: 'MUST',
		run: async t => {
			const url = await t.made({ length: 10 });
			for (const [from, n] of [[0, 0], [0, 4], [4, 6]]) {
				if (n) t.status(await t.patch(url, from, t.bytes('upload', from, n)), 204);
				assert.equal((await t.head(url)).headers['upload-offset'], String(from + n));
			}
		},
	},
	{
		id: '022', title: 'Upload-Length is told when it is known', source, level: 'MUST',
		run: async t => {
			const url = await t.made({ length: 10 });
			for (const [from, n] of [[0, 0], [0, 4], [4, 6]]) {
				if (n) t.status(await t.patch(url, from, t.bytes('upload', from, n)), 204);
				assert.equal((await t.head(url)).headers['upload-length'], '10', `at ${from + n}`);
			}
			if (!t.caps.extensions.includes('creation-defer-length')) return;
			const later = await t.made({ headers: { 'Upload-Defer-Length': '1' } });
			t.status(await t.patch(later, 0, 'abc', { headers: { 'Upload-Length': 6 } }), 204);
			assert.equal((await t.head(later)).headers['upload-length'], '6', 'length that came later');
		},
	},
	{
		id: '023', title: 'HEAD has Cache-Control: no-store', source, level: 'MUST',
		run: async t => assert.match((await t.head(await t.begun(10, 0))).headers['cache-control'] ?? '', /\bno-store\b/),
	},
	{
		id: '024', title: 'unknown upload is 404, 410 or 403, without an offset', source, level: 'SHOULD',
		run: async t => {
			for (const url of [await t.unknown(), `${t.base.replace(/\/?$/, '/')}nosuchupload`]) {
				const res = t.status(await t.head(url), [404, 410, 403], url);
				assert.equal(res.headers['upload-offset'], undefined, `Upload-Offset of ${url}`);
			}
		},
	},
	{
		id: '025', title: 'expired upload is 410, or 404 if it is forgotten', source: 'tus 1.0.0, Expiration', level: 'SHOULD', needs: ['expiration'],
		run: async t => {
			const h = await t.hasty(), url = await h.begun(10, 3);
			const res = await t.until(async () => {
				const r = await h.head(url);
				return !FINE.includes(r.status) && r;
			}, { what: 'expiry', timeout: 20000, every: 200 });
			t.status(res, GONE);
			assert.equal(res.headers['upload-offset'], undefined);
		},
	},
	{
		id: '026', title: 'metadata comes back as it was given', source: 'tus 1.0.0, Creation, POST', level: 'MUST',
		run: t => t.each([`filename ${b64('Grüße 100%.webm')}`, 'a Yg==,empty,other ', 'empty', 'a ,b Yg==', `x ${b64('\r\nSet-Cookie: a=b')}`, 'B Yg==,a Yw=='], async meta =>
			// blanks at the end belong to no header value
			assert.equal((await t.head(await t.made({ length: 3, meta }))).headers['upload-metadata'], meta.trimEnd())),
	},
	{
		id: '027', title: 'no metadata, no header', source, level: 'practice',
		run: async t => assert.equal((await t.head(await t.made({ length: 3 }))).headers['upload-metadata'], undefined),
	},
	{
		id: '028', title: 'Upload-Defer-Length and Upload-Length are never there together', source: 'tus 1.0.0, Creation, Upload-Defer-Length', level: 'MUST', needs: ['creation-defer-length'],
		run: async t => {
			const url = await t.made({ headers: { 'Upload-Defer-Length': '1' } });
			const before = await t.head(url);
			assert.equal(before.headers['upload-defer-length'], '1');
			assert.equal(before.headers['upload-length'], undefined);
			t.status(await t.patch(url, 0, 'abc', { headers: { 'Upload-Length': 6 } }), 204);
			const after = await t.head(url);
			assert.equal(after.headers['upload-defer-length'], undefined);
			assert.equal(after.headers['upload-length'], '6');
		},
	},
	{
		id: '029', title: 'Upload-Concat comes back on partial and final', source: 'tus 1.0.0, Concatenation', level: 'MUST', needs: ['concatenation'],
		run: async t => {
			const part = await t.made({ length: 3, headers: { 'Upload-Concat': 'partial' } });
			assert.equal((await t.head(part)).headers['upload-concat'], 'partial');
			t.status(await t.patch(part, 0, 'abc'), 204);
			assert.equal((await t.head(part)).headers['upload-concat'], 'partial', 'complete');
			const concat = `final;${new URL(part).pathname}`;
			const final = await t.made({ headers: { 'Upload-Concat': concat } });
			assert.equal((await t.head(final)).headers['upload-concat'], concat, 'final');
		},
	},
	{
		id: '030', title: 'the offset that HEAD tells is accepted next', source: 'draft-ietf-httpbis-resumable-upload, Offset Retrieval', level: 'practice',
		run: async t => {
			const url = await t.made({ length: 100000 });
			const c = await t.openPatch(url, 0, 100000);
			await c.send(t.bytes('upload', 0, 40030));
			await t.arrived(40030);
			const n = await t.until(async () => { const at = await t.offset(url); return at >= 0 && { at }; }, { what: 'HEAD beside a silent writer' });
			assert.ok(n.at <= 40030, `${n.at}`);
			await t.agrees(url, n.at, 100000);
			c.close();
		},
	},
	{
		id: '031', title: 'the offset is right at any process at once', source, level: 'practice',
		run: async t => {
			const url = await t.made({ length: 4000 }), other = await t.elsewhere(url);
			for (let at = 0; at < 4000; at += 100) {
				t.status(await t.patch(url, at, t.bytes('upload', at, 100)), 204);
				assert.deepEqual(await Promise.all([url, other, other].map(u => t.offset(u))), Array(3).fill(at + 100));
			}
		},
	},
	{
		id: '032', title: 'HEAD of a live upload never fails but with 423', source: 'tus-js-client begins anew after any other error', level: 'practice',
		run: async t => {
			const url = await t.made({ length: 200000 });
			for (let round = 0; round < 5; round++) {
				const at = await t.settled(url);
				const c = await t.openPatch(url, at, 200000 - at);
				await c.send(t.bytes('upload', at, 5000));
				for (const res of await Promise.all(Array.from({ length: 8 }, () => t.head(url)))) t.status(res, [...FINE, 423], `round ${round}`);
				c.close();
			}
			await t.agrees(url, await t.settled(url), 200000);
		},
	},
	{
		id: '033', title: 'HEAD tells Upload-Expires, too', source: 'tus 1.0.0, Expiration', level: 'practice', needs: ['expiration'],
		run: async t => assert.match((await t.head(await t.begun(10, 3))).headers['upload-expires'] ?? '', /GMT$/),
	},
];
