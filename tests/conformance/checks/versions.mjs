// versions.mjs - protocol versions and the headers that every request may have (001-014).
import assert from 'node:assert/strict';
import { OFFSET_TYPE, TUS, patchHeaders } from '../lib/tus.mjs';
import { FINE, GONE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Core Protocol, Headers';
const WRONG = ['0.2.2', '1.0', '2.0.0', ''];

// Every kind of request in a wrong or missing version.
async function inVersion(t, url, headers) {
	const out = {
		POST: await t.http('POST', t.base, { headers: { ...headers, 'Upload-Length': 5, 'Content-Length': 0 } }),
		PATCH: await t.http('PATCH', url, { headers: { ...headers, 'Upload-Offset': 3, 'Content-Type': OFFSET_TYPE }, body: 'abcdefg' }),
	};
	if (t.caps.extensions.includes('termination')) out.DELETE = await t.http('DELETE', url, { headers });
	return out;
}

function refusedVersions(t, answers, what) {
	for (const [method, res] of Object.entries(answers)) {
		t.status(res, 412, `${method} ${what}`);
		assert.match(res.headers['tus-version'] ?? '', /(^|,)\s*1\.0\.0\s*(,|$)/, `Tus-Version of ${method} ${what}`);
	}
}

// What an announced extension must at least do.
const BEGINNINGS = {
	'creation': async t => t.made({ length: 1 }),
	'creation-with-upload': async t => assert.equal((await t.create({ length: 2, body: 'a' })).headers['upload-offset'], '1', 'Upload-Offset of a creation with a byte'),
	'creation-defer-length': async t => t.made({ headers: { 'Upload-Defer-Length': '1' } }),
	'termination': async t => t.status(await t.remove(await t.made({ length: 1 })), 204),
	'concatenation': async t => t.made({ length: 1, headers: { 'Upload-Concat': 'partial' } }),
	'checksum': async t => assert.ok(t.caps.algorithms.length, 'Tus-Checksum-Algorithm'),
	'expiration': async t => {
		const res = await t.create({ length: 2 });
		assert.ok((res.headers['upload-expires'] ?? (await t.patch(t.url(res), 0, 'a')).headers['upload-expires']), 'Upload-Expires on POST or PATCH');
	},
};

export default [
	{
		id: '001', title: 'every answer carries Tus-Resumable', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			const answers = {
				'POST': await t.create({ length: 1 }), 'HEAD': await t.head(url), 'PATCH': await t.patch(url, 3, 'x'), 'OPTIONS': await t.options(),
				'POST without a length': await t.create({}), 'HEAD of an unknown upload': await t.head(await t.unknown()), 'PUT': await t.http('PUT', url, { headers: TUS, body: 'x' }),
				'PATCH at a wrong offset': await t.patch(url, 0, 'x'), 'HEAD in a wrong version': await t.head(url, { 'Tus-Resumable': '0.2.2' }),
				'PATCH of another type': await t.patch(url, 4, 'x', { headers: { 'Content-Type': 'text/plain' } }),
				'POST of a huge upload': await t.create({ length: '9000000000000000' }),
			};
			if (t.caps.extensions.includes('termination')) answers.DELETE = await t.remove(url);
			for (const [what, res] of Object.entries(answers)) assert.equal(res.headers['tus-resumable'], '1.0.0', `${what}: ${res}`);
		},
	},
	{
		id: '002', title: 'unsupported version is 412 with Tus-Version', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 3);
			for (const v of WRONG) {
				const headers = { 'Tus-Resumable': v };
				refusedVersions(t, { ...await inVersion(t, url, headers), HEAD: await t.head(url, headers) }, `in version "${v}"`);
			}
			await t.each(['1.0.0, 1.0.0', '1.0.00'], async v => t.status(await t.patch(url, 3, 'abcdefg', { headers: { 'Tus-Resumable': v } }), [400, 412]));
		},
	},
	{
		id: '003', title: 'a request in an unsupported version is not processed', source, level: 'MUST', alone: true,
		run: async t => {
			const url = await t.begun(10, 3);
			await t.storesNothing(() => t.each(WRONG, v => inVersion(t, url, { 'Tus-Resumable': v })));
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '004', title: 'absent version on POST, PATCH, DELETE is 412', source, level: 'practice', alone: true,
		run: async t => {
			const url = await t.begun(10, 3);
			refusedVersions(t, await t.storesNothing(() => inVersion(t, url, {})), 'without a version');
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '005', title: 'HEAD without a version is answered, in a wrong one it is 412', source, level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			const res = t.status(await t.head(url, {}), FINE, 'without');
			assert.equal(res.headers['upload-offset'], '3');
			const wrong = t.status(await t.head(url, { 'Tus-Resumable': '2.0.0' }), 412, 'wrong');
			assert.equal(wrong.headers['upload-offset'], undefined);
		},
	},
	{
		id: '006', title: 'OPTIONS ignores Tus-Resumable', source: 'tus 1.0.0, Core Protocol, OPTIONS', level: 'MUST',
		run: t => t.each([{}, TUS, { 'Tus-Resumable': '0.2.2' }, { 'Tus-Resumable': '' }], async headers => t.status(await t.options(t.base, headers), FINE)),
	},
	{
		id: '007', title: 'Tus-Version is a comma list, and no list header has blanks', source, level: 'MUST',
		run: async t => {
			const res = await t.options();
			assert.match(res.headers['tus-version'] ?? '', /^\d+\.\d+\.\d+(\s*,\s*\d+\.\d+\.\d+)*$/, 'Tus-Version');
			assert.ok(t.caps.version.includes('1.0.0'), '1.0.0 in Tus-Version');
			// TUSKit splits at commas and does not trim
			for (const h of ['tus-version', 'tus-extension', 'tus-checksum-algorithm']) assert.doesNotMatch(res.headers[h] ?? '', /\s/, `(practice) blanks in ${h}`);
		},
	},
	{
		id: '008', title: 'Tus-Extension lists only what is on', source, level: 'MUST',
		run: async t => {
			assert.notEqual((await t.options()).headers['tus-extension'], '', 'empty Tus-Extension');
			assert.equal(new Set(t.caps.extensions).size, t.caps.extensions.length, 'names given twice');
			for (const e of t.caps.extensions) if (BEGINNINGS[e]) await t.case(e, () => BEGINNINGS[e](t));
		},
	},
	{
		id: '009', title: 'Tus-Max-Size is a non-negative integer', source, level: 'MUST',
		run: async t => {
			const size = (await t.options()).headers['tus-max-size'];
			if (size === undefined) t.skip('no Tus-Max-Size is announced');
			assert.match(size, /^\d+$/);
		},
	},
	{
		id: '010', title: 'offset and length that are no non-negative integers are refused', source, level: 'MUST',
		run: async t => {
			const url = await t.begun(10, 5);
			// 409 for an offset is as good: it is none at which bytes may be appended. A blank at the end belongs to no header value.
			await t.each(['-1', '+5', '5.0', '0x5', '5e0', '', '5 5', '5, 8', 'abc', Buffer.from('٥').toString('latin1')], async bad => {
				t.status(await t.create({ length: bad }), 400, 'Upload-Length');
				t.status(await t.patch(url, bad, 'abcde'), [400, 409], 'Upload-Offset');
			});
			await t.each(['9223372036854775808', '18446744073709551621', '99999999999999999999999'], async big => {
				t.status(await t.create({ length: big }), [400, 413], 'Upload-Length');
				t.status(await t.patch(url, big, 'abcde'), [400, 409], 'Upload-Offset');
			});
			await t.agrees(url, 5, 10);
		},
	},
	{
		id: '011', title: 'X-HTTP-Method-Override decides', source, level: 'MUST',
		run: async t => {
			const over = m => ({ 'X-HTTP-Method-Override': m }), empty = m => ({ ...TUS, ...over(m), 'Content-Length': 0 });
			const url = await t.begun(10, 3);
			const patched = t.status(await t.http('POST', url, { headers: patchHeaders(3, over('PATCH')), body: t.bytes('upload', 3, 2) }), 204, 'POST as PATCH');
			assert.equal(patched.headers['upload-offset'], '5');
			const headed = t.status(await t.http('POST', url, { headers: empty('HEAD') }), FINE, 'POST as HEAD');
			assert.equal(headed.headers['upload-offset'], '5');
			t.status(await t.http('GET', t.base, { headers: { ...empty('POST'), 'Upload-Length': 1 } }), 201, 'GET as POST');
			if (t.caps.extensions.includes('termination')) {
				t.status(await t.http('PATCH', url, { headers: patchHeaders(5, over('DELETE')), body: 'x' }), 204, 'PATCH as DELETE');
				t.status(await t.head(url), GONE, 'HEAD after PATCH as DELETE');
				const other = await t.begun(10, 3);
				t.status(await t.http('POST', other, { headers: empty('DELETE') }), 204, 'POST as DELETE');
				t.status(await t.head(other), GONE, 'HEAD after POST as DELETE');
			}
			for (const odd of ['FROB', 'patch']) t.status(await t.http('POST', t.base, { headers: { ...empty(odd), 'Upload-Length': 1 } }), [400, 405, 501], `(practice) POST as ${odd}`);
			t.status(await t.http('POST', t.base, { headers: { ...empty(''), 'Upload-Length': 1 } }), 201, '(practice) empty override');
		},
	},
	{
		id: '012', title: 'header names have no case, values are trimmed', source: 'RFC 9110, 5.1 and 5.5', level: 'practice',
		run: async t => {
			const res = t.status(await t.http('POST', t.base, { headers: [
				['tUS-rESUMABLE', ' 1.0.0 '], ['upload-LENGTH', '  10 \t'], ['UPLOAD-metadata', ' a Yg== '], ['content-length', '0']] }), 201);
			const h = await t.head(t.url(res));
			assert.equal(h.headers['upload-length'], '10');
			assert.equal(h.headers['upload-metadata'], 'a Yg==');
		},
	},
	{
		id: '013', title: 'a single-valued header given twice is 400', source: 'RFC 9110, 5.3', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			for (const [name, value, statuses] of [['Upload-Offset', '3', 400], ['Tus-Resumable', '1.0.0', [400, 412]]])
				t.status(await t.http('PATCH', url, { headers: [...Object.entries(patchHeaders(3)), [name, value]], body: 'abcdefg' }), statuses, name);
			for (const extra of [['Upload-Length', '5'], ['Upload-Metadata', 'a Yg==']])
				t.status(await t.http('POST', t.base, {
					headers: [...Object.entries({ ...TUS, 'Upload-Length': '5', 'Upload-Metadata': 'a Yg==', 'Content-Length': 0 }), extra] }), 400, extra[0]);
			await t.agrees(url, 3, 10);
		},
	},
	{
		id: '014', title: 'unknown path is 404, wrong method is 405 with Allow', source: 'RFC 9110, 15.5.5 and 15.5.6', level: 'practice',
		run: async t => {
			const url = await t.begun(10, 3);
			for (const p of [`${url}/x`, await t.unknown(), `${await t.unknown()}/a/b/c/d`]) t.status(await t.http('GET', p, { headers: TUS }), 404, p);
			for (const [method, p] of [['PUT', url], ['FROB', url], ['FROB', t.base]]) {
				const res = t.status(await t.http(method, p, { headers: TUS, body: 'x' }), [405, 501], `${method} ${p}`);
				assert.equal(res.headers['tus-resumable'], '1.0.0', `${method} ${p}: ${res}`);
				if (res.status === 405) assert.ok(res.headers.allow, `Allow of ${method} ${p}`);
			}
			await t.agrees(url, 3, 10);
		},
	},
];
