// termination.mjs - removing uploads (110-115).
import assert from 'node:assert/strict';
import { FINE, GONE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Termination', needs = ['termination'];

export default [
	{
		id: '110', title: 'termination is announced', source, level: 'MUST',
		run: async t => {
			const res = await t.remove(await t.begun(10, 3));
			if (t.caps.extensions.includes('termination')) return t.status(res, 204);
			assert.notEqual(res.status, 204, 'DELETE works and is not announced');
			t.skip('uploads cannot be removed');
		},
	},
	{
		id: '111', title: 'DELETE is 204, complete or not', source, level: 'MUST', needs,
		run: async t => {
			for (const n of [0, 3, 10]) await t.case(`${n} of 10 bytes`, async () => t.status(await t.remove(await t.begun(10, n)), 204));
		},
	},
	{
		id: '112', title: 'later requests are 404 or 410, and the space is given back', source, level: 'SHOULD', needs, alone: true,
		run: async t => {
			for (const n of [0, 3, 10]) await t.case(`${n} of 10 bytes`, async () => {
				const url = await t.begun(10, n);
				t.status(await t.remove(url), 204);
				for (const res of [await t.head(url), await t.patch(url, n, 'x'), await t.http('GET', url)]) t.status(res, GONE);
				assert.equal((await t.head(url)).headers['upload-offset'], undefined);
			});
			if (!t.control.files) return;
			const used = () => [...t.control.files().values()].reduce((a, b) => a + b, 0), before = used();
			const urls = [await t.begun(16 << 20, 8 << 20), await t.begun(8 << 20, 8 << 20)];
			assert.ok(used() > before + (15 << 20), 'space taken');
			for (const url of urls) t.status(await t.remove(url), 204);
			await t.until(() => used() < before + (2 << 20), { what: 'freed space' });
		},
	},
	{
		id: '113', title: 'DELETE of an unknown upload is 404, a second one 404 or 410', source, level: 'practice', needs,
		run: async t => {
			t.status(await t.remove(await t.unknown()), 404);
			const url = await t.made({ length: 3 });
			t.status(await t.remove(url), 204);
			t.status(await t.remove(url), GONE);
		},
	},
	{
		id: '114', title: 'DELETE ends a PATCH, and nothing comes back to life', source, level: 'practice', needs,
		run: async t => {
			for (let round = 0; round < 3; round++) {
				const url = await t.made({ length: 100000 });
				const c = await t.openPatch(url, 0, 100000);
				await c.send(t.bytes('upload', 0, 50114 + round));
				await t.arrived(50114 + round);
				t.status(await t.remove(url), 204);
				c.send(t.bytes('upload', 50114 + round, 49886 - round));
				const res = await c.answer({ timeout: 10000 }).catch(() => null);
				// Or it had ended with the bytes that it had, before it was removed.
				assert.ok(res === null || res.status >= 400 || Number(res.headers['upload-offset']) <= 50114 + round, `the writer hears ${res}`);
				c.close();
				t.status(await t.head(url), GONE);
				t.status(await t.patch(url, 0, 'x'), GONE);
			}
		},
	},
	{
		id: '115', title: 'partial and final live apart', source, level: 'practice', needs: [...needs, 'concatenation'],
		run: async t => {
			const part = async () => {
				const url = await t.made({ length: 5, headers: { 'Upload-Concat': 'partial' } });
				t.status(await t.patch(url, 0, t.bytes('upload', 0, 5)), 204);
				return url;
			};
			const done = url => t.until(async () => (await t.offset(url)) === 5, { what: 'final upload' });
			const of = url => t.made({ headers: { 'Upload-Concat': `final;${new URL(url).pathname}` } });
			const first = await part(), final = await of(first);
			await done(final);
			t.status(await t.remove(first), [204, ...GONE], 'DELETE of the part');
			t.status(await t.head(final), FINE, 'final without its part');
			await t.whole(final, 5);
			const second = await part(), other = await of(second);
			await done(other);
			t.status(await t.remove(other), 204, 'DELETE of the final');
			const res = await t.head(second);
			t.status(res, [...FINE, ...GONE], 'part without its final');
			if (!FINE.includes(res.status)) return;
			assert.equal(res.headers['upload-offset'], '5');
			const again = await of(second);
			await done(again);
			await t.whole(again, 5);
		},
	},
];
