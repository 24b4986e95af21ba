// options.mjs - OPTIONS: what a server tells of itself, and the preflights of browsers (015-019).
import assert from 'node:assert/strict';
import { FINE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Core Protocol, OPTIONS';
// What tus-js-client and Uppy may send; the application's own headers apart.
const SENT = ['tus-resumable', 'upload-length', 'upload-metadata', 'upload-offset', 'upload-defer-length', 'upload-concat', 'content-type', 'x-http-method-override',
	'x-requested-with', 'x-request-id', 'authorization'];

export default [
	{
		id: '015', title: 'OPTIONS is 200 or 204 with Tus-Version', source, level: 'MUST',
		run: async t => {
			const res = t.status(await t.options(), FINE);
			assert.ok(res.headers['tus-version'], 'Tus-Version');
		},
	},
	{
		id: '016', title: 'OPTIONS tells extensions, size and checksum algorithms', source, level: 'MUST',
		run: async t => {
			const res = await t.options();
			if (t.caps.extensions.length) assert.match(res.headers['tus-extension'], /^[a-z-]+(\s*,\s*[a-z-]+)*$/, 'Tus-Extension');
			assert.equal('tus-checksum-algorithm' in res.headers, t.caps.extensions.includes('checksum'), 'Tus-Checksum-Algorithm, if and only if there is checksum');
		},
	},
	{
		id: '017', title: 'OPTIONS works on any upload URL, without credentials', source: 'Fetch, CORS-preflight request', level: 'practice',
		run: async t => {
			const bare = Object.fromEntries(t.common.map(([k]) => [k, null]));
			for (const url of [t.base, await t.begun(10, 3), await t.unknown()]) {
				const res = t.status(await t.options(url, bare), FINE, url);
				assert.ok(res.headers['tus-version'], `Tus-Version at ${url}`);
			}
		},
	},
	{
		id: '018', title: 'OPTIONS creates and changes nothing', source, level: 'practice', alone: true,
		run: async t => {
			const url = await t.unknown(), mine = await t.begun(10, 3);
			await t.storesNothing(async () => { for (const u of [url, mine, t.base]) await t.options(u, { 'Upload-Length': 5, 'Upload-Offset': 0 }); });
			t.status(await t.head(url), [404, 410, 403]);
			await t.agrees(mine, 3, 10);
		},
	},
	{
		id: '019', title: 'a preflight lets browsers in', source: 'Fetch, CORS protocol', level: 'practice',
		run: async t => {
			if (!t.caps.cors) t.skip(`no CORS for ${t.origin}`);
			const asked = { Origin: t.origin, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': SENT.join(',') };
			for (const url of [t.base, await t.begun(10, 3), await t.unknown()]) {
				const { headers: h, status } = await t.options(url, asked);
				assert.ok(status >= 200 && status < 300, `status ${status}`);
				assert.ok([t.origin, '*'].includes(h['access-control-allow-origin']), `Access-Control-Allow-Origin: ${h['access-control-allow-origin']}`);
				// GET, HEAD and POST need no permission
				for (const m of ['PATCH', 'DELETE']) assert.match(h['access-control-allow-methods'] ?? '', new RegExp(`\\b${m}\\b|^\\*$`), `${m} allowed`);
				const allowed = (h['access-control-allow-headers'] ?? '').toLowerCase().split(/,\s*/);
				for (const name of SENT) assert.ok(allowed.includes(name) || (allowed.includes('*') && name !== 'authorization'), `${name} allowed`);
				assert.ok(Number(h['access-control-max-age']) > 0, 'Access-Control-Max-Age');
				if (h['access-control-allow-origin'] !== '*') assert.match(h.vary ?? '', /origin/i, 'Vary');
			}
		},
	},
];
