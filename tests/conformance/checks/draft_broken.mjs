// draft_broken.mjs - the IETF draft: bodies that break off, two writers, and lengths that do not agree (Dn-28 to Dn-34, Dn-38).
import assert from 'node:assert/strict';
import {
	PROBLEMS, append, begin, completes, concludes, each, finished, goesOn, inTwo, lost, notBeyond, offsetOf, openAppend, problem, query, refused, stands, tells,
} from '../lib/draft.mjs';

// Sends the first n of `length` bytes of an append and breaks off.
async function cut(t, d, url, offset, length, n, seed) {
	const c = await openAppend(t, d, url, offset, length, { state: 'done' });
	await c.send(t.bytes(seed ?? 'upload', offset, n));
	await t.arrived(offset + n);
	c.close();
}

const rejects = (t, d, res) => (d.v === 6 ? t.status(res, 400) : refused(res, 'append'));

export default [
	...each('28', {
		title: 'body that breaks off does not complete', section: d => (d.v < 6 ? 'completeness' : 'append'),
		run: async (t, d) => {
			const url = await begin(t, d), n = 41000 + d.v;
			await cut(t, d, url, 0, 2 * n, n);
			const res = await t.until(async () => {
				const r = t.status(await query(t, d, url), d.query, 'offset retrieval');
				tells(d, r, 'more');
				return r;
			});
			assert.ok(Number(offsetOf(res)) <= n, `Upload-Offset: ${res}`);
			await completes(t, d, url, Number(offsetOf(res)), 2 * n);
		},
	}),
	...each('29', {
		title: 'body that breaks off is kept as far as it came', section: 'append', level: d => (d.v < 6 ? 'practice' : 'SHOULD'),
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 100) }), n = 42000 + d.v;
			await cut(t, d, url, 100, 2 * n, n);
			await t.until(async () => Number(offsetOf(await query(t, d, url))) === 100 + n, { what: `Upload-Offset ${100 + n}` });
			await completes(t, d, url, 100 + n, 100 + 2 * n);
		},
	}),
	...each('30', {
		title: 'offset told while another append hangs is accepted', section: 'query',
		run: async (t, d) => {
			const url = await begin(t, d), n = 51000 + d.v;
			const hanging = await openAppend(t, d, url, 0, 3 * n, { state: 'done' });
			try {
				await hanging.send(t.bytes('upload', 0, n));
				await t.arrived(n);
				const res = t.status(await query(t, d, url), d.query, 'offset retrieval');
				tells(d, res, 'more');
				const at = Number(offsetOf(res));
				assert.ok(at <= n, `Upload-Offset: ${res}`);
				goesOn(t, d, await append(t, d, url, at, t.bytes('upload', at, 2 * n - at)), 2 * n);
				await hanging.send(t.bytes('late', n, 2 * n)).catch(() => {});
				await lost(hanging);
			} finally {
				hanging.close();
			}
			await completes(t, d, url, 2 * n, 3 * n);
		},
	}),
	...each('31', {
		title: 'append takes over from one that hangs', section: 'concurrency', level: d => (d.v < 8 ? 'SHOULD' : 'MUST'),
		run: async (t, d) => {
			const url = await begin(t, d), n = 52000 + d.v;
			const hanging = await openAppend(t, d, url, 0, 3 * n, { state: 'done' });
			try {
				await hanging.send(t.bytes('late', 0, n));
				await t.arrived(n);
				const res = await append(t, d, url, 0, t.bytes('upload', 0, n));
				// Either the hanging bytes were taken, and the newcomer learns where they end, or its own were, from the start.
				if (res.status !== 409) return goesOn(t, d, res, n);
				assert.equal(offsetOf(res), String(n), `Upload-Offset: ${res}`);
				await completes(t, d, url, n, 3 * n, 'late');
			} finally {
				hanging.close();
			}
		},
	}),
	...each('32', {
		title: 'offset that equals the length does not complete', section: 'completeness',
		run: async (t, d) => {
			const n = 2 * (43000 + d.v);
			const url = await begin(t, d, { headers: d.v < 6 ? {} : { 'Upload-Length': n } });
			// Before Upload-Length, only a last append says where the upload ends; it breaks off.
			if (d.v < 6) await cut(t, d, url, 0, n, n / 2);
			const at = Number(offsetOf(await query(t, d, url)));
			goesOn(t, d, await append(t, d, url, at, t.bytes('upload', at, n - at)), n);
			await stands(t, d, url, n);
			concludes(t, d, await append(t, d, url, n, '', { state: 'done' }), n);
			await finished(t, d, url, n);
			await t.whole(url, n);
		},
	}),
	...each('33', {
		title: 'length that differs from that of an earlier request is refused', of: 4, section: d => (d.v < 6 ? 'append' : 'length'),
		run: async (t, d) => {
			const n = 44000 + d.v;
			const url = await begin(t, d, { headers: d.v < 6 ? {} : { 'Upload-Length': 2 * n } });
			await cut(t, d, url, 0, 2 * n, n);
			const at = Number(offsetOf(await query(t, d, url)));
			const others = [['body', append(t, d, url, at, t.bytes('other', at, 100), { state: 'done' })]];
			if (d.v > 6) others.push(['Upload-Length', append(t, d, url, at, t.bytes('other', at, 100), { headers: { 'Upload-Length': 2 * n - 1 } })]);
			for (const [what, asked] of others) {
				const res = await asked;
				if (d.v < 7) t.status(res, 400, what);
				else refused(res, what);
				if (d.tells) assert.equal(offsetOf(res), String(at), `Upload-Offset, ${what}: ${res}`);
				const p = problem(res);
				if (d.v > 6 && p) assert.equal(p.type, `${PROBLEMS}inconsistent-upload-length`);
			}
			if ((await notBeyond(t, d, url, at)).status < 300) await completes(t, d, url, at, 2 * n);
		},
	}),
	...each('34', {
		title: 'nothing is appended past the length', of: 6, section: 'append',
		run: async (t, d) => {
			for (const state of ['more', 'done']) await t.case(state, async () => {
				const url = await begin(t, d, { body: 'start', headers: { 'Upload-Length': 10 } });
				rejects(t, d, await append(t, d, url, 5, 'six more', { state }));
				await notBeyond(t, d, url, 10);
			});
		},
	}),
	...each('38', {
		title: d => `body of unknown length that passes the length is refused${d.v === 8 ? ', and its upload is invalid' : ''}`, of: 6, section: 'append',
		run: async (t, d) => {
			for (const state of ['more', 'done']) await t.case(state, async () => {
				const n = 45000 + 100 * d.v + (state === 'done' ? 50 : 0);
				const url = await begin(t, d, { headers: { 'Upload-Length': n + 5 } });
				rejects(t, d, await inTwo(t, await openAppend(t, d, url, 0, undefined, { state, chunked: true }), n));
				const after = await notBeyond(t, d, url, n + 5);
				// "marking the upload resource invalid and rejecting any further interaction with it": version 7 is also that of -06 and -07, which do not say so.
				if (d.v === 8) refused(after, 'offset retrieval after it');
			});
		},
	}),
];
