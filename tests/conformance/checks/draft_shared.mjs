// draft_shared.mjs - the IETF draft: uploads shared with tus and among versions, versions that nobody knows, and what holds for all (Dn-60 and following, D-02 and following).
import assert from 'node:assert/strict';
import {
	append, appendHeaders, begin, cite, common, completes, create, each, interop, newest, offsetOf, query, stands, succeeded, tells, versions,
} from '../lib/draft.mjs';
import { TUS } from '../lib/tus.mjs';

const tus = t => { if (!t.caps.extensions.includes('creation')) t.skip('the server does not speak tus'); };
const EXPOSED = ['Location', 'Upload-Offset', 'Upload-Length', 'Upload-Complete', 'Upload-Incomplete', 'Upload-Draft-Interop-Version', 'Upload-Limit'];
const ALLOWED = ['Content-Type', 'Upload-Offset', 'Upload-Length', 'Upload-Complete', 'Upload-Incomplete', 'Upload-Draft-Interop-Version', 'Content-Digest', 'Repr-Digest'];
const names = text => (text ?? '').toLowerCase().split(/ *, */);

export default [
	...each('60', {
		title: 'upload created by tus goes on in the draft', section: 'append', level: 'practice',
		run: async (t, d) => {
			tus(t);
			const url = await t.begun(20, 5);
			const res = await stands(t, d, url, 5);
			if (d.v >= 6) assert.equal(res.headers['upload-length'], '20', `${res}`);
			t.status(await append(t, d, url, 5, t.bytes('upload', 5, 5)), d.appended, 'append');
			assert.equal(await t.offset(url), 10, 'offset that tus tells');
			await completes(t, d, url, 10, 20);
			assert.equal(await t.offset(url), 20, 'offset that tus tells of the complete upload');
		},
	}),
	...each('61', {
		title: 'upload created in the draft goes on by tus', section: 'append', level: 'practice',
		run: async (t, d) => {
			tus(t);
			const url = await begin(t, d, { body: t.bytes('upload', 0, 5), headers: d.v < 6 ? {} : { 'Upload-Length': 20 } });
			const head = await t.head(url);
			assert.equal(offsetOf(head), '5', `${head}`);
			if (d.v < 6) assert.equal(head.headers['upload-defer-length'], '1', `${head}`);
			else assert.equal(head.headers['upload-length'], '20', `${head}`);
			t.status(await t.patch(url, 5, t.bytes('upload', 5, 5)), 204, 'PATCH of tus');
			await completes(t, d, url, 10, 20);
		},
	}),
	common('02', {
		title: 'no interim response 104 for a version that is not known, or none', source: cite(newest, 'identification'), level: 'MUST',
		run: async (t, d) => {
			for (const version of ['99', '0', 'x', null]) {
				const c = await t.open('POST', t.base, {
					headers: { ...(version === null ? {} : { 'Upload-Draft-Interop-Version': version }), [d.field]: d.done, Connection: 'close' }, length: 5,
				});
				try {
					await c.send('bytes');
					const res = await c.answer({ informational: true });
					assert.ok(res.status >= 200, `${version}: ${res}`);
					assert.ok(res.status < 500, `${version}: ${res}`);
				} finally {
					c.close();
				}
			}
		},
	}),
	common('03', {
		title: 'a version that is not known is not repeated', source: cite(newest, 'identification'),
		run: async (t, d) => {
			for (const version of ['99', '2', '3.0', 'x']) {
				const res = await t.http('POST', t.base, { headers: { 'Upload-Draft-Interop-Version': version, [d.field]: d.more }, body: '' });
				assert.ok(res.status < 500, `${version}: ${res}`);
				const said = res.headers['upload-draft-interop-version'];
				assert.ok(said === undefined || versions.some(x => String(x.v) === said), `${version}: ${res}`);
			}
		},
	}),
	common('04', {
		title: 'versions may change from request to request', source: cite(newest, 'identification'),
		run: async (t, d) => {
			const spoken = [];
			for (const x of versions) if ((await create(t, x)).status < 300) spoken.push(x);
			const url = await begin(t, spoken[0]);
			let n = 0;
			for (const x of spoken) {
				await stands(t, x, url, n, `interop ${x.v}`);
				t.status(await append(t, x, url, n, t.bytes('upload', n, 7)), x.appended, `interop ${x.v}`);
				n += 7;
			}
			await completes(t, d, url, n, n + 5);
		},
	}),
	common('05', {
		title: 'an offset that was told survives the death of the server', source: cite(newest, 'offset'), level: 'MUST', alone: true,
		run: async (t, d) => {
			const kill = t.controlled('kill');
			const url = await begin(t, d, { body: t.bytes('upload', 0, 1000) });
			t.status(await append(t, d, url, 1000, t.bytes('upload', 1000, 3000)), d.appended, 'append');
			const full = await begin(t, d, { body: t.bytes('upload', 0, 50), headers: { 'Upload-Length': 50 } });
			await kill();
			await stands(t, d, full, 50, 'whole length, not completed, after the kill');
			await completes(t, d, url, 4000, 5000);
		},
	}),
	common('06', {
		title: 'CORS lets pages send and read the fields', source: 'Fetch, 3.3 (CORS protocol)',
		run: async (t, d) => {
			const asked = { Origin: t.origin, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': ALLOWED.join(',').toLowerCase() };
			const allowed = names((await t.http('OPTIONS', t.base, { headers: asked })).headers['access-control-allow-headers']);
			if (allowed.length === 1 && allowed[0] === '') t.skip('no CORS for this origin');
			for (const h of ALLOWED) assert.ok(allowed.includes(h.toLowerCase()) || allowed.includes('*'), `${h} is allowed: ${allowed}`);
			const exposed = names((await create(t, d, { headers: { Origin: t.origin } })).headers['access-control-expose-headers']);
			for (const h of EXPOSED) assert.ok(exposed.includes(h.toLowerCase()) || exposed.includes('*'), `${h} is exposed: ${exposed}`);
		},
	}),
	common('07', {
		title: '100 (Continue) is not left out', source: cite(newest, '5'), level: 'MUST',
		run: async (t, d) => {
			const url = await begin(t, d);
			const c = await t.open('PATCH', url, { headers: { ...appendHeaders(d, 0, 'done'), Expect: '100-continue' }, length: 5 });
			try {
				for (let res; (res = await c.answer({ informational: true, timeout: 5000 })).status !== 100;) assert.ok(res.status < 200, `${res}`);
				await c.send('bytes');
				const last = await c.answer({ timeout: 15000 });
				succeeded(t, last, 'append');
				tells(d, last, 'done', { may: d.tells });
			} finally {
				c.close();
			}
		},
	}),
	common('08', {
		title: 'a request of tus is not taken for one of the draft', source: 'tus 1.0.0, Core Protocol',
		run: async t => {
			tus(t);
			const url = await t.begun(10, 4);
			const res = await t.http('HEAD', url, { headers: TUS });
			assert.equal(res.headers['tus-resumable'], '1.0.0', `${res}`);
			t.status(await t.patch(url, 4, t.bytes('upload', 4, 6)), 204, 'PATCH of tus');
			assert.equal(await t.offset(url), 10);
			const other = await t.http('POST', t.base, { headers: { ...interop(null), ...TUS, 'Upload-Length': 3 }, body: '' });
			t.status(other, 201, 'creation of tus');
			assert.ok((await query(t, newest, t.url(other))).status < 300);
		},
	}),
];
