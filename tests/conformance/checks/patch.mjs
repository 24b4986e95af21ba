// patch.mjs - appending bytes (034 and following).
import assert from 'node:assert/strict';

const source = 'tus 1.0.0, Core Protocol, PATCH';

export default [
	{
		id: '036', title: 'lower offset is 409 and changes nothing', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			t.status(await t.patch(url, 2, 'abcdefgh'), 409);
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
];
