// custom.mjs - locks, stopping, full disks, and what errors look like: by custom, not by the text (132-135).
import assert from 'node:assert/strict';
import { FINE } from '../lib/context.mjs';
import { TUS } from '../lib/tus.mjs';

const source = 'what clients need';

export default [
	{
		id: '132', title: 'an upload that is not handed over in time is 423', source, level: 'practice', alone: true,
		run: async t => {
			const freeze = t.controlled('freeze'), url = await t.made({ length: 100000 });
			const c = await t.openPatch(url, 0, 100000);
			await c.send(t.bytes('upload', 0, 30132));
			await t.arrived(30132);
			const thaw = await freeze();
			try {
				const began = Date.now();
				const res = t.status(await t.patch(url, 0, t.bytes('upload', 0, 100000)), 423);
				assert.match(res.headers['retry-after'] ?? '', /^\d+$/, 'Retry-After');
				assert.ok(Date.now() - began < 10000, `after ${Date.now() - began} ms`);
				t.status(await t.head(url), [...FINE, 423], 'HEAD');
			} finally {
				thaw();
			}
			await t.agrees(url, await t.settled(url), 100000);
			c.close();
		},
	},
	{
		id: '133', title: 'a stopping server saves what came, answers 503, and others serve on', source, level: 'practice', alone: true,
		run: async t => {
			const stop = t.controlled('stopGently'), url = await t.made({ length: 100000 }), other = await t.made({ length: 10 });
			const c = await t.openPatch(url, 0, 100000);
			await c.send(t.bytes('upload', 0, 60133));
			await t.arrived(60133);
			await stop();
			const seen = [], answer = c.answer({ timeout: 20000 });
			while (await Promise.race([answer.then(() => false, () => false), t.sleep(50).then(() => true)])) seen.push(await t.head(other));
			t.status(await answer, 503);
			for (const h of seen) t.status(h, FINE, 'HEAD meanwhile');
			await t.agrees(url, 60133, 100000);
			c.close();
		},
	},
	{
		id: '134', title: 'a full disk is 507, and what fits is kept', source: 'RFC 4918, 11.5', level: 'practice',
		run: async t => {
			const full = t.at(await t.controlled('baseFull')()), nearly = t.at(await t.controlled('baseNearlyFull')());
			await t.case('creation', async () => {
				const res = await full.refused(507, { length: 10, headers: { Origin: t.origin } });
				if (t.caps.cors) assert.ok(res.headers['access-control-allow-origin'], 'CORS headers');
			});
			await t.case('in mid-body', async () => {
				const res = t.status(await nearly.create({ length: 8 << 20 }), [201, 507]);
				if (res.status === 507) return;   // the space was reserved beforehand: as good
				const url = nearly.url(res);
				t.status(await nearly.patch(url, 0, t.bytes('upload', 0, 8 << 20)), 507);
				const n = await nearly.offset(url);
				assert.ok(n > 0 && n < 8 << 20, `kept ${n}`);
				t.status(await nearly.head(url), FINE, 'HEAD');
			});
			await t.case('others', async () => {
				const url = await nearly.made({ length: 1000 });
				t.status(await nearly.patch(url, 0, t.bytes('upload', 0, 1000)), 204);
				await nearly.whole(url, 1000);
			});
		},
	},
	{
		id: '135', title: 'errors have CORS headers, nosniff and a short text', source, level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3), Origin = t.origin, from = { ...TUS, Origin };
			const success = await t.create({ length: 1, headers: { Origin } });
			const answers = {
				'400': await t.create({ headers: { Origin } }),
				'409': await t.patch(url, 0, 'x', { headers: { Origin } }),
				'415': await t.patch(url, 3, 'x', { headers: { Origin, 'Content-Type': 'text/plain' } }),
				'404': await t.http('PATCH', await t.unknown(), { headers: { ...from, 'Upload-Offset': 0, 'Content-Type': 'application/offset+octet-stream' }, body: 'x' }),
				'405': await t.http('FROB', url, { headers: from }),
				'412': await t.patch(url, 3, 'x', { headers: { Origin, 'Tus-Resumable': '7' } }),
			};
			if (t.caps.maxSize !== undefined) answers['413'] = await t.create({ length: t.caps.maxSize + 1, headers: { Origin } });
			for (const [what, res] of Object.entries(answers)) await t.case(what, async () => {
				assert.ok(res.status >= 400, `${res}`);
				for (const h of ['access-control-allow-origin', 'access-control-expose-headers']) assert.equal(res.headers[h], success.headers[h], h);
				assert.equal(res.headers['x-content-type-options'], 'nosniff', 'X-Content-Type-Options');
				assert.ok(res.body.length > 0 && res.body.length < 1000, `body of ${res.body.length} bytes`);
			});
			if (!t.caps.cors) return;
			const exposed = (success.headers['access-control-expose-headers'] ?? '').toLowerCase().split(/,\s*/);
			for (const h of ['location', 'upload-offset', 'upload-length', 'upload-metadata', 'upload-defer-length', 'upload-concat', 'upload-expires', 'tus-resumable', 'tus-version', 'tus-extension', 'tus-max-size'])
				assert.ok(exposed.includes(h) || exposed.includes('*'), `${h} exposed`);
		},
	},
];
