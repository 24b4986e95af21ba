// patch.mjs - appending bytes: types, offsets, answers (034-042).
import assert from 'node:assert/strict';
import { GONE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Core Protocol, PATCH';

export default [
	{
		id: '034', title: 'any other content type is 415 and stores nothing', source, level: 'SHOULD',
		run: async t => {
			const url = await t.begun(10, 3);
			await t.each(['text/plain', 'application/octet-stream', 'application/offset+octet-streamx', '', null], async type =>
				t.status(await t.patch(url, 3, 'abcdefg', { headers: { 'Content-Type': type } }), 415));
			assert.equal(await t.offset(url), 3);
			// RFC 9110, 8.3.1: media types have no case
			t.status(await t.patch(url, 3, t.bytes('upload', 3, 2), { headers: { 'Content-Type': 'Application/Offset+Octet-Stream' } }), 204, '(practice) capitals');
			t.status(await t.patch(url, 5, t.bytes('upload', 5, 1), { headers: { 'Content-Type': 'application/offset+octet-stream; charset=binary' } }), 204, '(practice) parameter');
			await t.agrees(url, 6, 10);
		},
	},
	{
		id: '035', title: 'missing Upload-Offset is 400', source, level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 3, 'abcdefg', { headers: { 'Upload-Offset': null } }), 400);
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '036', title: 'lower offset is 409 and changes nothing', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 2, 'abcdefgh'), 409);
			t.status(await t.patch(url, 0, 'abcdefgh'), 409);
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '037', title: 'higher offset is 409 and leaves no hole', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 4, 'abcdef'), 409);
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '038', title: '409 tells the true offset', source: 'TUSKit reads the offset from any answer', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			for (const offset of [2, 4]) {
				const res = t.status(await t.patch(url, offset, 'abcdef'), 409, `offset ${offset}`);
				assert.equal(res.headers['upload-offset'], '3', `offset ${offset}`);
			}
		},
	},
	{
		id: '039', title: 'success is 204 with the new offset', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			const res = t.status(await t.patch(url, 3, t.bytes('upload', 3, 4)), 204);
			assert.equal(res.headers['upload-offset'], '7');
			await t.agrees(url, 7, 10);
		},
	},
	{
		id: '040', title: 'the offset counts stored bytes, not announced ones', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(1000000, 100);
			const c = await t.openPatch(url, 100, 999900);
			await c.send(t.bytes('upload', 100, 200040));
			await t.arrived(200140);
			c.close();
			const n = await t.settled(url);
			assert.ok(n >= 100 && n <= 200140, `offset ${n} after 200140 of 1000000 bytes`);
			await t.agrees(url, n, 1000000);
		},
	},
	{
		id: '041', title: 'an empty body is 204 with the same offset', source: 'tus-js-client and tuspy declare a length this way', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			assert.equal(t.status(await t.patch(url, 3, ''), 204).headers['upload-offset'], '3');
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '042', title: 'unknown upload is 404', source, level: 'SHOULD',
		run: async t => t.status(await t.patch(await t.unknown(), 0, 'x'), GONE),
	},
];
