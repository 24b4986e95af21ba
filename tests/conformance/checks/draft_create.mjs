// draft_create.mjs - the IETF draft: upload creation, what it leaves behind, and its other methods (Dn-01 to Dn-09).
import assert from 'node:assert/strict';
import { append, begin, cite, common, completes, create, each, finished, inTwo, newest, offsetOf, openCreate, refused, stands, succeeded, tells } from '../lib/draft.mjs';

// The answer to a creation that goes on: URL, completeness, and where the version demands it the offset.
function announces(t, d, res, n) {
	t.status(res, d.created, 'creation');
	assert.ok(res.headers.location, `Location: ${res}`);
	tells(d, res, 'more', { may: !d.tells });
	if (d.tells || offsetOf(res) !== undefined) assert.equal(offsetOf(res), String(n), `Upload-Offset: ${res}`);
	return t.url(res);
}

// The answer to one that was all: it may be any resource's, but it is no "go on".
async function concludes(t, d, res, n) {
	succeeded(t, res, 'creation');
	if (res.headers[d.field.toLowerCase()] !== undefined) tells(d, res, 'done');
	if (!d.tells) return;
	assert.ok(res.headers.location, `Location: ${res}`);
	assert.equal(offsetOf(res), String(n), `Upload-Offset: ${res}`);
	await finished(t, d, t.url(res), n);
}

export default [
	...each('01', {
		title: 'creation without content gives the URL of an upload', section: 'creation',
		run: async (t, d) => {
			const url = announces(t, d, await create(t, d), 0);
			await completes(t, d, url, 0, 20);
		},
	}),
	...each('02', {
		title: 'creation with the first bytes keeps them', section: 'creation',
		run: async (t, d) => {
			const url = announces(t, d, await create(t, d, { body: t.bytes('upload', 0, 25) }), 25);
			await completes(t, d, url, 25, 100);
		},
	}),
	...each('03', {
		title: 'creation with all bytes is a whole upload', section: 'creation',
		run: async (t, d) => concludes(t, d, await create(t, d, { state: 'done', body: t.bytes('upload', 0, 100) }), 100),
	}),
	...each('04', {
		title: 'complete creation without content is an empty representation', of: 5, section: 'creation',
		run: async (t, d) => concludes(t, d, await create(t, d, { state: 'done' }), 0),
	}),
	...each('05', {
		title: 'PUT creates where the server offers it', section: 'creation', level: 'MAY',
		run: async (t, d) => {
			const url = new URL(t.controlled('putTarget')(`draft-${d.v}.bin`), t.base).href;
			const part = await create(t, d, { url, method: 'PUT', body: t.bytes('upload', 0, 10) });
			await completes(t, d, announces(t, d, part, 10), 10, 30);
			await concludes(t, d, await create(t, d, { url: url.replace('draft', 'whole'), method: 'PUT', state: 'done', body: 'all of it' }), 9);
		},
	}),
	...each('06', {
		title: 'creation by a body of unknown length', section: d => (d.v < 6 ? 'creation' : 'transfer'),
		run: async (t, d) => {
			const n = 46000 + 100 * d.v;
			const part = await inTwo(t, await openCreate(t, d), n);
			await completes(t, d, announces(t, d, part, n + 10), n + 10, n + 20);
			await concludes(t, d, await inTwo(t, await openCreate(t, d, 'done'), n + 50), n + 60);
		},
	}),
	...each('07', {
		title: 'lengths that differ in one creation are refused', of: 6, section: 'length',
		run: async (t, d) => {
			const body = t.bytes('upload', 0, 10);
			for (const length of [9, 11]) {
				const res = await create(t, d, { state: 'done', body, headers: { 'Upload-Length': length } });
				if (d.v === 6) t.status(res, 400, `Upload-Length ${length}`);
				else refused(res, `Upload-Length ${length}`);
			}
			await concludes(t, d, await create(t, d, { state: 'done', body, headers: { 'Upload-Length': 10 } }), 10);
		},
	}),
	...each('08', {
		title: 'offsets count coded bytes', of: 6, section: 'coding',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('coded', 0, 21), headers: { 'Content-Encoding': 'gzip' } });
			await stands(t, d, url, 21);
			t.status(await append(t, d, url, 21, t.bytes('coded', 21, 4)), d.appended, 'append');
			await stands(t, d, url, 25);
		},
	}),
	...each('09', {
		title: 'name of the file is kept', section: 'creation', level: 'MAY',
		run: async (t, d) => {
			if (!t.caps.download) t.skip('finished uploads cannot be downloaded from their URL');
			const name = `${d.v}-${Math.random().toString(36).slice(2)}.bin`;
			const url = await begin(t, d, { headers: { 'Content-Disposition': `inline; filename="plain.bin"; filename*=UTF-8''na%C3%AFve-${name}` } });
			succeeded(t, await append(t, d, url, 0, 'abc', { state: 'done' }), 'append');
			const got = t.status(await t.http('GET', url), 200, 'download');
			assert.ok((got.headers['content-disposition'] ?? '').includes(`na%C3%AFve-${name}`), `file name: ${got}`);
		},
	}),
	common('01', {
		title: 'every upload has a URL of its own', source: cite(newest, '4'), level: 'SHOULD',
		run: async (t, d) => {
			const urls = [];
			for (let i = 0; i < 4; i++) urls.push(await begin(t, d));
			assert.equal(new Set(urls).size, urls.length, `${urls}`);
		},
	}),
];
