// draft_append.mjs - the IETF draft: appending and completing (Dn-20 to Dn-27 and Dn-35 to Dn-37).
import assert from 'node:assert/strict';
import {
	PROBLEMS, append, appendHeaders, begin, completes, concludes, each, finished, goesOn, inTwo, offsetOf, openAppend, problem, refused, stands,
	succeeded, tells,
} from '../lib/draft.mjs';

export default [
	...each('20', {
		title: d => `append that is not the last one is ${d.v < 7 ? 201 : '2xx'}`, section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d);
			goesOn(t, d, await append(t, d, url, 0, t.bytes('upload', 0, 10)), 10);
			goesOn(t, d, await append(t, d, url, 10, t.bytes('upload', 10, 15)), 25);
			await completes(t, d, url, 25, 60);
		},
	}),
	...each('21', {
		title: 'last append with content completes', section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 10) });
			concludes(t, d, await append(t, d, url, 10, t.bytes('upload', 10, 30), { state: 'done' }), 40);
			await finished(t, d, url, 40);
			await t.whole(url, 40);
		},
	}),
	...each('22', {
		title: 'last append without content completes', of: 5, section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 33) });
			concludes(t, d, await append(t, d, url, 33, '', { state: 'done' }), 33);
			await finished(t, d, url, 33);
			await t.whole(url, 33);
		},
	}),
	...each('23', {
		title: d => `append without ${d.field} ${d.omitted === 'done' ? 'completes' : 'does not complete'}`, of: [3, 4, 5, 6], section: 'completeness',
		run: async (t, d) => {
			const url = await begin(t, d);
			const res = await append(t, d, url, 0, t.bytes('upload', 0, 50), { state: null });
			if (d.omitted === 'done') {
				concludes(t, d, res, 50);
				return finished(t, d, url, 50);
			}
			goesOn(t, d, res, 50);
			await completes(t, d, url, 50, 70);
		},
	}),
	...each('24', {
		title: 'offset that does not match is 409 with the true one', section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 10) });
			for (const [offset, state] of [[9, 'more'], [11, 'more'], [0, 'done'], [40, 'done']]) {
				const res = t.status(await append(t, d, url, offset, 'other bytes', { state }), 409, `offset ${offset}`);
				assert.equal(offsetOf(res), '10', `Upload-Offset: ${res}`);
				tells(d, res, 'more', { may: d.v < 7 });
			}
			await completes(t, d, url, 10, 30);
		},
	}),
	...each('25', {
		title: 'problem details of a mismatch tell both offsets', of: 6, section: 'problem', level: 'SHOULD',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			const res = t.status(await append(t, d, url, 7, 'x'), 409);
			const p = problem(res) ?? t.skip('the answer has no problem details');
			assert.equal(p.type, `${PROBLEMS}mismatching-upload-offset`);
			assert.equal(p['expected-offset'], 5);
			assert.equal(p['provided-offset'], 7);
		},
	}),
	...each('26', {
		title: d => (d.type ? `append has the type ${d.type}` : 'append may have any type'), section: d => (d.v < 6 ? 'append' : 'type'), level: d => (d.v < 6 ? 'MUST' : 'practice'),
		run: async (t, d) => {
			const url = await begin(t, d);
			let n = 0;
			const send = type => append(t, d, url, n, t.bytes('upload', n, 5), { headers: { 'Content-Type': type } });
			for (const type of ['application/octet-stream', 'text/plain', null]) {
				const res = await send(type);
				if (d.type) t.status(res, [400, 415], `${type}`);
				else goesOn(t, d, res, n += 5);
			}
			await stands(t, d, url, n);
			for (const type of d.type ? ['Application/Partial-Upload', 'application/partial-upload; a=b'] : []) goesOn(t, d, await send(type), n += 5);
			await completes(t, d, url, n, 20);
		},
	}),
	...each('27', {
		title: 'body of unknown length is appended and completes', section: d => (d.v < 6 ? 'append' : 'transfer'),
		run: async (t, d) => {
			const url = await begin(t, d);
			const n = 47000 + 100 * d.v;
			goesOn(t, d, await inTwo(t, await openAppend(t, d, url, 0, undefined, { chunked: true }), n), n + 10);
			concludes(t, d, await inTwo(t, await openAppend(t, d, url, n + 10, undefined, { state: 'done', chunked: true }), n, n + 10), 2 * n + 20);
			await finished(t, d, url, 2 * n + 20);
			await t.whole(url, 2 * n + 20);
		},
	}),
	...each('35', {
		title: d => `complete upload is not appended to${d.v === 6 ? ': 400' : ''}`, of: 6, section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 10) });
			succeeded(t, await append(t, d, url, 10, t.bytes('upload', 10, 10), { state: 'done' }), 'append');
			for (const state of ['more', 'done']) {
				const res = await append(t, d, url, 20, 'and more', { state });
				if (d.v === 6) t.status(res, [400, 404], state);
				else refused(res, state);
				const p = problem(res);
				if (p && res.status === 400) assert.match(p.type, /#(completed-upload|inconsistent-upload-length)$/);
			}
			await finished(t, d, url, 20);
			await t.whole(url, 20);
		},
	}),
	...each('36', {
		title: d => `last append is ${d.v === 8 ? 'refused or gets its answer again' : 'refused'} when the upload is complete`, of: 6, section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 10) });
			const first = succeeded(t, await append(t, d, url, 10, '', { state: 'done' }), 'append');
			const again = await append(t, d, url, 10, '', { state: 'done' });
			if (d.v === 6) t.status(again, [400, 404]);
			else if (d.v === 7 || again.status >= 300) refused(again, 'the same once more');
			else {
				assert.equal(again.status, first.status);
				assert.equal(again.headers.location, first.headers.location);
				tells(d, again, 'done');
			}
			await finished(t, d, url, 10);
			await t.whole(url, 10);
		},
	}),
	...each('37', {
		title: 'append needs an offset', section: 'append', level: 'practice',
		run: async (t, d) => {
			for (const body of ['', 'bytes']) {
				const url = await begin(t, d, { body });
				for (const state of ['more', 'done']) {
					const headers = appendHeaders(d, 0, state, { 'Upload-Offset': null });
					refused(await t.http('PATCH', url, { headers, body: 'x' }), `${state}, at ${body.length}`);
				}
				await stands(t, d, url, body.length);
			}
		},
	}),
];
