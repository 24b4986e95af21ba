// creation_body.mjs - creation with upload (078-084) and lengths that come later (085-093).
import assert from 'node:assert/strict';
import { b64 } from '../lib/data.mjs';
import { OFFSET_TYPE, TUS } from '../lib/tus.mjs';

const source = 'tus 1.0.0, Creation With Upload', needs = ['creation-with-upload'];
const defer = 'tus 1.0.0, Creation, Upload-Defer-Length', deferred = ['creation-defer-length'];
const DEFER = { 'Upload-Defer-Length': '1' };
const PROBED = 64 << 20;

export default [
	{
		id: '078', title: 'creation-with-upload is announced with creation', source, level: 'MUST', needs,
		run: async t => assert.ok(t.caps.extensions.includes('creation')),
	},
	{
		id: '079', title: 'a body is taken: 201 with Location and Upload-Offset', source, level: 'MUST', needs,
		run: async t => {
			const res = t.status(await t.create({ length: 10, body: t.bytes('upload', 0, 4) }), 201);
			assert.equal(res.headers['upload-offset'], '4');
			await t.agrees(t.url(res), 4, 10);
		},
	},
	{
		// The client of a cut POST never hears where its upload is.
		id: '080', title: 'bytes of a cut creation are kept', source, level: 'SHOULD', needs,
		run: async t => {
			const stored = t.controlled('stored'), data = t.bytes('cut creation', 0, 70080);
			const c = await t.open('POST', t.base, { headers: { ...TUS, 'Upload-Length': 200000, 'Content-Type': OFFSET_TYPE }, length: 200000 });
			await c.send(data);
			await t.arrived(data.length);
			c.close();
			await t.sleep(300);
			await t.until(() => stored(data), { what: 'file with the bytes' });
		},
	},
	{
		id: '081', title: 'a body longer than the upload is 413 and leaves no upload', source, level: 'practice', needs, alone: true,
		run: t => t.storesNothing(async () => {
			await t.case('announced', () => t.refused(413, { length: 3, body: 'abcd' }));
			await t.case('chunked', () => t.refused(413, { length: 3, body: [Buffer.from('ab'), Buffer.from('cd')], chunked: true }));
		}),
	},
	{
		id: '082', title: 'a checksum on the creation is looked at', source: 'tus 1.0.0, Checksum', level: 'practice', needs: [...needs, 'checksum'], alone: true,
		run: async t => {
			await t.storesNothing(() => t.refused(460, { length: 3, body: 'abc', headers: { 'Upload-Checksum': `sha1 ${b64('x'.repeat(20))}` } }));
			const res = t.status(await t.create({ length: 3, body: 'abc', headers: { 'Upload-Checksum': 'sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=' } }), 201, 'match');
			assert.equal(res.headers['upload-offset'], '3');
		},
	},
	{
		id: '083', title: 'a whole file in the creation is complete, finished once', source, level: 'practice', needs, alone: true,
		run: async t => {
			const finished = await t.control.finishedTotal?.();
			const res = t.status(await t.create({ length: 50000, body: t.bytes('upload', 0, 50000) }), 201);
			assert.equal(res.headers['upload-offset'], '50000');
			assert.equal(await t.offset(t.url(res)), 50000);
			await t.whole(t.url(res), 50000);
			if (finished !== undefined) assert.equal(await t.control.finishedTotal() - finished, 1, 'times finished');
		},
	},
	{
		id: '084', title: 'with a deferred length, and for a partial', source, level: 'practice', needs,
		run: async t => {
			const can = e => t.caps.extensions.includes(e);
			if (can('creation-defer-length')) await t.case('deferred', async () => {
				const res = t.status(await t.create({ headers: DEFER, body: t.bytes('upload', 0, 5) }), 201);
				assert.equal(res.headers['upload-offset'], '5');
				t.status(await t.patch(t.url(res), 5, t.bytes('upload', 5, 5), { headers: { 'Upload-Length': 10 } }), 204);
				await t.whole(t.url(res), 10);
			});
			if (can('concatenation')) await t.case('partial', async () => {
				const res = t.status(await t.create({ length: 10, body: 'abc', headers: { 'Upload-Concat': 'partial' } }), 201);
				assert.equal(res.headers['upload-offset'], '3');
			});
			if (!can('creation-defer-length') && !can('concatenation')) t.skip('neither creation-defer-length nor concatenation is announced');
		},
	},
	{
		id: '085', title: 'creation-defer-length is announced', source: defer, level: 'MUST',
		run: async t => {
			if (t.caps.extensions.includes('creation-defer-length')) return t.made({ headers: DEFER });
			assert.notEqual((await t.create({ headers: DEFER })).status, 201, 'it works and is not announced');
			t.skip('lengths cannot be deferred');
		},
	},
	{
		id: '086', title: 'HEAD tells Upload-Defer-Length until the length is known', source: defer, level: 'MUST', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			for (const at of [0, 5, 10]) {
				const h = await t.head(url);
				assert.equal(h.headers['upload-defer-length'], '1', `at ${at}`);
				assert.equal(h.headers['upload-length'], undefined, `at ${at}`);
				assert.equal(h.headers['upload-offset'], String(at));
				t.status(await t.patch(url, at, t.bytes('upload', at, 5)), 204);
			}
		},
	},
	{
		id: '087', title: 'a later PATCH tells the length, others need not', source: defer, level: 'MUST', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			for (const at of [0, 5]) t.status(await t.patch(url, at, t.bytes('upload', at, 5)), 204, 'without a length');
			t.status(await t.patch(url, 10, t.bytes('upload', 10, 5), { headers: { 'Upload-Length': 20 } }), 204, 'with the length');
			assert.equal((await t.head(url)).headers['upload-length'], '20');
			await t.agrees(url, 15, 20);
		},
	},
	{
		id: '088', title: 'a length that is set is not changed', source: defer, level: 'MUST', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			t.status(await t.patch(url, 0, t.bytes('upload', 0, 5), { headers: { 'Upload-Length': 20 } }), 204);
			for (const other of [19, 21]) t.status(await t.patch(url, 5, 'x', { headers: { 'Upload-Length': other } }), 400, `length ${other}`);
			const h = await t.head(url);
			assert.equal(h.headers['upload-length'], '20');
			assert.equal(h.headers['upload-offset'], '5');
			t.status(await t.patch(url, 5, t.bytes('upload', 5, 15), { headers: { 'Upload-Length': 20 } }), 204, '(practice) the same again');
			await t.whole(url, 20);
			const fixed = await t.made({ length: 5 });
			t.status(await t.patch(fixed, 0, 'x', { headers: { 'Upload-Length': 6 } }), 400, 'length of the creation');
			assert.equal((await t.head(fixed)).headers['upload-length'], '5');
		},
	},
	{
		id: '089', title: 'a length below the offset is 400, above the maximum 413', source: defer, level: 'practice', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			await t.patch(url, 0, t.bytes('upload', 0, 10));
			t.status(await t.patch(url, 10, '', { headers: { 'Upload-Length': 9 } }), 400, 'below');
			if (t.caps.maxSize !== undefined) t.status(await t.patch(url, 10, '', { headers: { 'Upload-Length': t.caps.maxSize + 1 } }), 413, 'above');
			const h = await t.head(url);
			assert.equal(h.headers['upload-defer-length'], '1');
			assert.equal(h.headers['upload-offset'], '10');
		},
	},
	{
		id: '090', title: 'a length below offset and body is 413 and stores nothing', source: defer, level: 'practice', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			t.status(await t.patch(url, 0, '0123456789', { headers: { 'Upload-Length': 5 } }), 413);
			assert.equal(await t.offset(url), 0);
		},
	},
	{
		id: '091', title: 'an empty PATCH that tells the length completes', source: 'tus-js-client and tuspy end streams this way', level: 'practice', needs: deferred, alone: true,
		run: async t => {
			const finished = await t.control.finishedTotal?.();
			const url = await t.made({ headers: DEFER });
			t.status(await t.patch(url, 0, t.bytes('upload', 0, 10)), 204);
			assert.equal(t.status(await t.patch(url, 10, '', { headers: { 'Upload-Length': 10 } }), 204).headers['upload-offset'], '10');
			const h = await t.head(url);
			assert.deepEqual([h.headers['upload-length'], h.headers['upload-offset']], ['10', '10']);
			await t.whole(url, 10);
			if (finished !== undefined) assert.equal(await t.control.finishedTotal() - finished, 1, 'times finished');
		},
	},
	{
		id: '092', title: 'the maximum holds while the length is deferred', source: defer, level: 'practice', needs: deferred,
		run: async t => {
			const max = t.caps.maxSize;
			if (!(max <= PROBED)) t.skip('needs a Tus-Max-Size of at most 64 MiB');
			const url = await t.made({ headers: DEFER });
			t.status(await t.patch(url, 0, t.bytes('upload', 0, max - 10), { timeout: 60000 }), 204);
			t.status(await t.patch(url, max - 10, 'x'.repeat(11)), 413, 'announced');
			assert.equal(await t.offset(url), max - 10);
			const more = await t.made({ headers: DEFER });
			t.status(await t.patchInTwo(more, 0, t.bytes('upload', 0, 70092), t.bytes('upload', 70092, max - 70091)), 413, 'chunked');
			assert.ok(await t.settled(more) <= max, 'offset');
			const n = await t.settled(url);
			assert.equal(n, max - 10);
			t.status(await t.patch(url, n, t.bytes('upload', n, max - n), { headers: { 'Upload-Length': max } }), 204, 'exactly the maximum');
			await t.whole(url, max);
		},
	},
	{
		id: '093', title: 'a length stays set when the body that came with it is cut', source: defer, level: 'practice', needs: deferred,
		run: async t => {
			const url = await t.made({ headers: DEFER });
			const c = await t.openPatch(url, 0, 10000, { 'Upload-Length': 10000 });
			await c.send(t.bytes('upload', 0, 4093));
			await t.arrived(4093);
			c.close();
			const n = await t.settled(url);
			assert.ok(n <= 4093, `offset ${n}`);
			assert.equal((await t.head(url)).headers['upload-length'], '10000');
			await t.agrees(url, n, 10000);
		},
	},
];
