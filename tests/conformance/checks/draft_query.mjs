// draft_query.mjs - the IETF draft: offset retrieval, cancellation, and uploads that are not there (Dn-10 to Dn-19).
import assert from 'node:assert/strict';
import { append, begin, cancel, each, interop, lost, offsetOf, openAppend, query, stands, succeeded, tells } from '../lib/draft.mjs';

// Each field that has no place in a query.
const transferOnly = d => [{ 'Upload-Offset': 5 }, { [d.field]: d.more }, { [d.field]: d.done }, { 'Upload-Offset': 5, [d.field]: d.done }];

export default [
	...each('10', {
		title: 'offset retrieval tells offset and completeness', section: 'query',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 7) });
			const res = await stands(t, d, url, 7);
			assert.equal(res.body.length, 0);
		},
	}),
	...each('11', {
		title: 'offset retrieval must not be cached', section: 'query', level: 'SHOULD',
		run: async (t, d) => {
			const res = await stands(t, d, await begin(t, d), 0);
			assert.match(res.headers['cache-control'] ?? '', /\bno-store\b/, `${res}`);
		},
	}),
	...each('12', {
		title: 'offset retrieval with fields of a transfer is 400', of: [3, 4, 5, 6], section: 'query',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			for (const fields of transferOnly(d)) t.status(await query(t, d, url, fields), 400, JSON.stringify(fields));
			if (d.v === 6) t.status(await query(t, d, url, { 'Upload-Length': 9 }), 400, 'Upload-Length');
			await stands(t, d, url, 5);
		},
	}),
	...each('13', {
		title: 'offset retrieval tells the length, once it is known', of: 6, section: 'query',
		run: async (t, d) => {
			const told = await begin(t, d, { headers: { 'Upload-Length': 12 } });
			assert.equal((await stands(t, d, told, 0)).headers['upload-length'], '12', 'length told at creation');
			const late = await begin(t, d, { body: 'bytes' });
			assert.equal((await stands(t, d, late, 5)).headers['upload-length'], undefined, 'length not told');
			t.status(await append(t, d, late, 5, 'more', { headers: { 'Upload-Length': 15 } }), d.appended, 'append');
			if (d.v > 6) assert.equal((await stands(t, d, late, 9)).headers['upload-length'], '15', 'length told by an append');
		},
	}),
	...each('14', {
		title: d => `what is not there is ${d.unknown.join(' or ')}`, section: 'query', level: d => (d.v < 7 ? 'MUST' : 'practice'),
		run: async (t, d) => {
			const url = await begin(t, d), at = url.lastIndexOf('/') + 2;
			const other = url.slice(0, at) + [...url.slice(at)].reverse().join('').replace(/[0-9]/g, 'x');
			const res = t.status(await query(t, d, other), d.unknown, 'offset retrieval');
			assert.equal(offsetOf(res), undefined, `no Upload-Offset: ${res}`);
			t.status(await append(t, d, other, 0, 'x'), d.unknown, 'append');
			t.status(await cancel(t, d, other), d.unknown, 'cancellation');
		},
	}),
	...each('15', {
		title: 'offset retrieval and cancellation do not redirect with 301 or 302', section: 'redirection', level: d => (d.v < 8 ? 'MUST' : 'SHOULD'),
		run: async (t, d) => {
			const url = await begin(t, d);
			for (const [what, res] of Object.entries({
				query: await query(t, d, url), 'query with a slash': await query(t, d, `${url}/`), 'cancellation with a slash': await cancel(t, d, `${url}/`),
				cancellation: await cancel(t, d, url), 'query after it': await query(t, d, url), 'second cancellation': await cancel(t, d, url),
			})) assert.ok(![301, 302].includes(res.status), `${what}: ${res}`);
		},
	}),
	...each('16', {
		title: 'cancellation ends the upload', section: 'cancel', level: d => (d.v < 7 ? 'MUST' : 'SHOULD'),
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			const res = await cancel(t, d, url);
			if (d.v < 7 && res.status === 405) t.skip('the server does not support cancellation');
			t.status(res, d.removed, 'cancellation');
			t.status(await query(t, d, url), d.unknown, 'offset retrieval');
			t.status(await append(t, d, url, 5, 'more', { state: 'done' }), d.unknown, 'append');
			t.status(await cancel(t, d, url), d.unknown, 'second cancellation');
		},
	}),
	...each('17', {
		title: 'cancellation with fields of a transfer is 400 and ends nothing', of: [3, 4, 5, 6], section: 'cancel',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			for (const fields of transferOnly(d)) {
				const res = await cancel(t, d, url, fields);
				if (res.status === 405) t.skip('the server does not support cancellation');
				t.status(res, 400, JSON.stringify(fields));
			}
			await stands(t, d, url, 5);
		},
	}),
	...each('18', {
		title: 'cancellation during an append leaves nothing behind', section: 'cancel', level: d => (d.v < 8 ? 'practice' : 'SHOULD'),
		run: async (t, d) => {
			const url = await begin(t, d), n = 31000 + d.v;
			const c = await openAppend(t, d, url, 0, 2 * n, { state: 'done' });
			try {
				await c.send(t.bytes('upload', 0, n));
				await t.arrived(n);
				t.status(await cancel(t, d, url), d.removed, 'cancellation');
				await c.send(t.bytes('upload', n, n));
				await lost(c);
			} finally {
				c.close();
			}
			t.status(await query(t, d, url), d.unknown, 'offset retrieval');
		},
	}),
	...each('19', {
		title: 'GET tells the state as HEAD does', of: [8], section: 'query',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes', headers: { 'Upload-Length': 9 } });
			const ask = () => t.http('GET', url, { headers: interop(d) });
			const res = await ask();
			if (res.status >= 300) t.skip('GET is not served (the drafts before -12 do not speak of it)');
			assert.equal(offsetOf(res), '5', `Upload-Offset: ${res}`);
			tells(d, res, 'more');
			assert.equal(res.headers['upload-length'], '9', `Upload-Length: ${res}`);
			succeeded(t, await append(t, d, url, 5, 'more', { state: 'done' }), 'append');
			const after = await ask();
			if (after.status >= 300) return;
			assert.equal(offsetOf(after), '9', `Upload-Offset: ${after}`);
			tells(d, after, 'done');
		},
	}),
];
