// creation.mjs - making uploads (055-068).
import assert from 'node:assert/strict';
import { OFFSET_TYPE } from '../lib/tus.mjs';
import { b64 } from '../lib/data.mjs';
import { FINE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Creation';
const DEFER = { 'Upload-Defer-Length': '1' };

export default [
	{
		id: '055', title: 'creation is announced', source, level: 'MUST',
		run: async t => {
			if (t.caps.extensions.includes('creation')) return;
			assert.notEqual((await t.create({ length: 10 })).status, 201, 'creation works and is not announced');
			t.skip('uploads cannot be created');
		},
	},
	{
		id: '056', title: 'an upload of a length is 201 with Location', source, level: 'MUST', needs: ['creation'],
		run: async t => {
			const res = t.status(await t.create({ length: 10 }), 201);
			assert.ok(res.headers.location, 'Location');
		},
	},
	{
		id: '057', title: 'Location resolves to the upload', source, level: 'MUST', needs: ['creation'],
		run: async t => {
			const url = t.url(await t.create({ length: 10 }));
			assert.equal(new URL(url).origin, new URL(t.base).origin, 'origin');
			assert.equal(t.status(await t.head(url), FINE).headers['upload-length'], '10');
		},
	},
	{
		id: '058', title: 'neither length nor Upload-Defer-Length is 400', source, level: 'MUST', needs: ['creation'],
		run: async t => t.refused(400, {}),
	},
	{
		id: '059', title: 'both length and Upload-Defer-Length is 400', source, level: 'practice', needs: ['creation'],
		run: async t => t.refused(400, { length: 5, headers: DEFER }),
	},
	{
		id: '060', title: 'Upload-Defer-Length other than 1 is 400', source, level: 'SHOULD', needs: ['creation'],
		run: t => t.each(['0', 'true', '2', '', '01', '1, 1'], v => t.refused(400, { headers: { 'Upload-Defer-Length': v } })),
	},
	{
		id: '061', title: 'bad length is 400', source, level: 'practice', needs: ['creation'],
		run: t => t.each(['-1', '1.5', 'x', '', '1,1'], v => t.refused(400, { length: v })),
	},
	{
		id: '062', title: 'an upload of length 0 is complete at once', source, level: 'MUST', needs: ['creation'], alone: true,
		run: async t => {
			const finished = await t.control.finishedTotal?.();
			const url = await t.made({ length: 0, meta: `filename ${b64('empty.bin')}` });
			const res = t.status(await t.head(url), FINE);
			assert.equal(res.headers['upload-offset'], '0');
			assert.equal(res.headers['upload-length'], '0');
			await t.whole(url, 0);
			if (finished !== undefined) assert.equal(await t.control.finishedTotal() - finished, 1, 'times finished');
			t.status(await t.patch(url, 0, ''), 204, '(practice) empty PATCH');
		},
	},
	{
		id: '063', title: 'a length above the maximum is 413', source, level: 'MUST', needs: ['creation'],
		run: async t => {
			if (t.caps.maxSize === undefined) t.skip('no Tus-Max-Size is announced');
			const res = await t.refused(413, { length: t.caps.maxSize + 1 });
			t.status(await t.create({ length: t.caps.maxSize }), 201, 'exactly the maximum');
			assert.equal(res.headers['tus-max-size'], String(t.caps.maxSize), '(practice) Tus-Max-Size of the 413');
		},
	},
	{
		id: '064', title: 'a new upload has offset 0', source, level: 'MUST', needs: ['creation'],
		run: async t => assert.equal(await t.offset(await t.made({ length: 7 })), 0),
	},
	{
		id: '065', title: 'a body of another type is 415, and without a body the type does not matter', source, level: 'practice', needs: ['creation'],
		run: async t => {
			await t.each(['text/plain', 'multipart/form-data; boundary=x', 'application/octet-stream'], type => t.refused(415, { length: 3, body: 'abc', headers: { 'Content-Type': type } }));
			await t.each(['text/plain', 'application/json', OFFSET_TYPE], async type => t.status(await t.create({ length: 3, headers: { 'Content-Type': type } }), 201, 'no body'));
		},
	},
	{
		id: '066', title: 'URLs are unique and unguessable', source: 'RFC 4086', level: 'practice', needs: ['creation'],
		run: async t => {
			const seen = new Set();
			for (let i = 0; i < 40; i++) for (const url of await Promise.all(Array.from({ length: 5 }, () => t.made({ length: 1 })))) seen.add(url);
			assert.equal(seen.size, 200, 'different URLs');
			// Random bits, judged by how many letters each place has; a version-4 UUID has 122 of them.
			const urls = [...seen];
			let bits = 0;
			for (let at = 0; at < Math.min(...urls.map(u => u.length)); at++) bits += Math.log2(new Set(urls.map(u => u[at])).size);
			assert.ok(bits > 118, `about ${bits.toFixed(0)} random bits`);
		},
	},
	{
		id: '067', title: 'a new upload is known to any process at once', source, level: 'practice', needs: ['creation'],
		run: async t => {
			const other = await t.elsewhere();
			for (let i = 0; i < 20; i++) {
				const [one, two] = [await t.made({ length: 5 }), await t.at(other).made({ length: 5 })];
				assert.deepEqual(await Promise.all([await t.elsewhere(one), await t.elsewhere(one), two, one].map(u => t.offset(u))), [0, 0, 0, 0]);
			}
		},
	},
	{
		id: '068', title: 'a refused creation leaves nothing on the disk', source, level: 'practice', needs: ['creation'], alone: true,
		run: async t => {
			t.controlled('files');
			const html = { length: 5, body: 'x', headers: { 'Content-Type': 'text/html' } }, typed = (await t.create(html)).status !== 201;
			await t.storesNothing(async () => {
				await t.case('neither length nor defer', () => t.refused(400, {}));
				await t.case('defer 2', () => t.refused(400, { headers: { 'Upload-Defer-Length': '2' } }));
				await t.case('bad metadata', () => t.refused(400, { length: 5, meta: 'a b!' }));
				if (typed) await t.case('another type', () => t.refused([400, 415], html));
				if (t.caps.maxSize !== undefined) await t.case('too large', () => t.refused(413, { length: t.caps.maxSize + 1, body: 'x' }));
			});
		},
	},
];
