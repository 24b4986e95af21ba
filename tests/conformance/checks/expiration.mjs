// expiration.mjs - uploads that go with time (094-100).
import assert from 'node:assert/strict';
import { FINE, GONE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Expiration', needs = ['expiration'];
const IMF = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

const expires = res => Date.parse(res.headers['upload-expires']);
// Until the moment that was told has passed.
const past = (t, when) => t.until(() => Date.now() > when, { what: 'time', timeout: 20000, every: 50 });

export default [
	{
		id: '094', title: 'expiration is announced if and only if uploads expire', source, level: 'MUST',
		run: async t => {
			const made = await t.create({ length: 10 });
			const told = [made, await t.patch(t.url(made), 0, 'abc')].some(r => 'upload-expires' in r.headers);
			assert.equal(told, t.caps.extensions.includes('expiration'), 'Upload-Expires is told');
		},
	},
	{
		id: '095', title: 'Upload-Expires on POST and on every PATCH answer', source, level: 'MUST', needs,
		run: async t => {
			const res = await t.create({ length: 10 }), url = t.url(res);
			const answers = { POST: res };
			for (let at = 0; at < 9; at += 3) answers[`PATCH at ${at}`] = await t.patch(url, at, 'abc');
			answers['refused PATCH'] = t.status(await t.patch(url, 0, 'abc'), 409);
			for (const [what, r] of Object.entries(answers)) {
				const ahead = expires(r) - Date.now();
				assert.ok(ahead > 0, `${what}: Upload-Expires is ${r.headers['upload-expires']}`);
			}
		},
	},
	{
		id: '096', title: 'Upload-Expires is an HTTP date', source, level: 'MUST', needs,
		run: async t => {
			const url = await t.made({ length: 10 });
			for (const res of [await t.patch(url, 0, 'abc'), await t.head(url)])
				if (res.headers['upload-expires'] !== undefined || res.status === 204) assert.match(res.headers['upload-expires'] ?? '', IMF);
		},
	},
	{
		id: '097', title: 'Upload-Expires may move, and HEAD knows it', source, level: 'MAY', needs,
		run: async t => {
			const h = await t.hasty(), url = await h.made({ length: 10 });
			const first = expires(await h.patch(url, 0, 'abc'));
			await past(t, first - 2000);
			const second = expires(t.status(await h.patch(url, 3, 'def'), 204));
			if (second === first) t.skip('it does not move');
			assert.ok(second > first, `from ${first} back to ${second}`);
			const told = expires(await h.head(url));
			if (!Number.isNaN(told)) assert.equal(told, second, 'what HEAD tells');
			await past(t, first + 50);
			t.status(await h.patch(url, 6, 'ghij'), 204, 'PATCH before the new moment');
		},
	},
	{
		id: '098', title: 'going on with a removed upload is 410, or 404 if it is forgotten', source, level: 'SHOULD', needs,
		run: async t => {
			const h = await t.hasty(), url = await h.begun(10, 3);
			const told = expires(await h.patch(url, 3, ''));
			await past(t, told + 1000);
			t.status(await h.patch(url, 3, 'defghij'), GONE);
			await t.until(async () => GONE.includes((await h.head(url)).status), { what: '404 or 410 of HEAD', timeout: 20000 });
		},
	},
	{
		id: '099', title: 'complete uploads do not expire', source, level: 'practice', needs,
		run: async t => {
			const h = await t.hasty(), url = await h.made({ length: 10 });
			const told = expires(await h.patch(url, 0, t.bytes('upload', 0, 5)));
			t.status(await h.patch(url, 5, t.bytes('upload', 5, 5)), 204);
			await past(t, told + 4000);
			t.status(await h.head(url), FINE);
			await h.whole(url, 10);
		},
	},
	{
		id: '100', title: 'a live writer and what was promised are not removed', source, level: 'practice', needs,
		run: async t => {
			const h = await t.hasty();
			await t.case('slow writer', async () => {
				const url = await h.made({ length: 40000 });
				const c = await h.openPatch(url, 0, 40000);
				await c.sendSlowly(h.bytes('upload', 0, 40000), 1000, 180);
				t.status(await c.answer(), 204);
				c.close();
				await h.whole(url, 40000);
			});
			await t.case('before its moment', async () => {
				const url = await h.begun(10, 3);
				const told = expires(await h.patch(url, 3, ''));
				await past(t, told - 2000);
				t.status(await h.patch(url, 3, 'd'), 204);
			});
			if (t.caps.extensions.includes('concatenation')) await t.case('final of expired parts', async () => {
				const part = await h.made({ length: 10, headers: { 'Upload-Concat': 'partial' } });
				const told = expires(t.status(await h.patch(part, 0, h.bytes('upload', 0, 10)), 204));
				const final = await h.made({ headers: { 'Upload-Concat': `final;${new URL(part).pathname}` } });
				await past(t, (told || Date.now() + 4000) + 1500);
				assert.equal(await h.offset(final), 10);
				await h.whole(final, 10);
			});
		},
	},
];
