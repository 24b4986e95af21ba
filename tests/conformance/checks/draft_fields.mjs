// draft_fields.mjs - the IETF draft: structured fields, limits, digests, problem details and versions (Dn-40 to Dn-59).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
	append, appendHeaders, begin, cancel, create, each, interop, limits, notBeyond, problem, query, refused, stands, succeeded, tells,
} from '../lib/draft.mjs';

const IGNORED = 'RFC 8941, 4.2: a field that cannot be parsed is as if it were not there';
const NO_INTEGER = ['abc', '-5', '5.0', '1e1', '"5"', '5,5', '5 5', '?1', ':NQ==:', '1234567890123456'];
const NO_BOOLEAN = ['1', 'true', '?2', '?', '? 1', '"?1"', '?1, ?1', '?10'];

const digest = (name, data) => createHash(name.replace('-', '')).update(data).digest('base64');
const field = (name, data) => `${name}=:${digest(name, data)}:`;

// The digests of an answer's Repr-Digest, by algorithm.
const digests = res => Object.fromEntries([...(res.headers['repr-digest'] ?? '').matchAll(/([a-z0-9-]+)=:([A-Za-z0-9+/=]*):/g)].map(m => [m[1], m[2]]));

export default [
	...each('40', {
		title: 'Upload-Length that is no Integer is ignored', of: 6, section: () => IGNORED,
		run: async (t, d) => {
			for (const value of NO_INTEGER) {
				const url = await begin(t, d, { body: 'bytes', headers: { 'Upload-Length': value } }).catch(e => assert.fail(`${value}: ${e.message}`));
				assert.equal((await stands(t, d, url, 5)).headers['upload-length'], undefined, value);
			}
			const two = [...Object.entries({ ...interop(d), [d.field]: d.more }), ['Upload-Length', 7], ['Upload-Length', 8]];
			const res = await t.http('POST', t.base, { headers: two, body: '' });
			// RFC 9651, 4.2, lets a recipient take the message for malformed instead.
			if (res.status === 400) return;
			t.status(res, d.created, 'two lines');
			assert.equal((await stands(t, d, t.url(res), 0)).headers['upload-length'], undefined, 'two lines');
		},
	}),
	...each('41', {
		title: 'Upload-Offset that is no Integer is ignored, so nothing is appended', section: () => IGNORED,
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			for (const value of NO_INTEGER) refused(await append(t, d, url, value, 'more'), value);
			await stands(t, d, url, 5);
		},
	}),
	...each('42', {
		title: 'completeness that is no Boolean is ignored, so nothing is completed', of: 4, section: () => IGNORED,
		run: async (t, d) => {
			for (const value of NO_BOOLEAN) {
				const url = await begin(t, d);
				const res = await append(t, d, url, 0, t.bytes('upload', 0, 8), { headers: { [d.field]: value } });
				if (d.v < 7) t.status(res, d.appended, value);
				assert.ok(res.status < 500, `${value}: ${res}`);
				await notBeyond(t, d, url, 8);
			}
		},
	}),
	...each('43', {
		title: 'parameters of an item change nothing', section: () => 'RFC 8941, 3.3', level: 'practice',
		run: async (t, d) => {
			const url = t.url(t.status(await create(t, d, { headers: { [d.field]: `${d.more};a=1`, ...(d.v < 6 ? {} : { 'Upload-Length': '20;b' }) } }), d.created));
			const res = await append(t, d, url, '0;c="x, y"', t.bytes('upload', 0, 20), { headers: { [d.field]: `${d.done}; d=:AA==:` } });
			succeeded(t, res, 'append');
			tells(d, res, 'done', { may: d.tells });
		},
	}),
	...each('44', {
		title: 'OPTIONS tells the limits', of: 6, section: 'limits',
		run: async (t, d) => {
			const res = await t.http('OPTIONS', t.base, { headers: interop(d) });
			t.status(res, [200, 204]);
			const l = limits(res);
			assert.ok(l && Object.keys(l).length, `Upload-Limit: ${res}`);
			assert.equal(l[d.lifetime === 'expires' ? 'max-age' : 'expires'], undefined, `the lifetime is called ${d.lifetime}: ${res.headers['upload-limit']}`);
		},
	}),
	...each('45', {
		title: 'limits are told at creation and by a query', of: 6, section: d => (d.v === 6 ? 'creation' : 'query'), level: d => ({ 6: 'MAY', 7: 'MAY', 8: 'MUST' })[d.v],
		run: async (t, d) => {
			const before = limits(await t.http('OPTIONS', t.base, { headers: interop(d) })) ?? {};
			const made = t.status(await create(t, d), d.created);
			const asked = await stands(t, d, t.url(made), 0);
			for (const [what, res] of [['creation', made], ['query', asked]]) {
				const l = limits(res);
				if (!l && d.v < 8) t.skip(`no Upload-Limit (${what})`);
				if (!l && !Object.keys(before).some(k => k !== 'min-size' || before[k] > 0)) continue;
				assert.ok(l, `Upload-Limit, ${what}: ${res}`);
				assert.equal(l[d.lifetime === 'expires' ? 'max-age' : 'expires'], undefined, `the lifetime is called ${d.lifetime}, ${what}`);
				for (const k of ['max-size', 'max-append-size']) if (before[k] !== undefined) assert.ok(!(l[k] < before[k]), `${k} is not smaller than OPTIONS says, ${what}`);
			}
		},
	}),
	...each('46', {
		title: 'what is too large is refused, with the limits', of: 6, section: 'limits', level: d => (d.v < 8 ? 'practice' : 'SHOULD'),
		run: async (t, d) => {
			const max = (limits(await t.http('OPTIONS', t.base, { headers: interop(d) })) ?? {})['max-size'];
			if (max === undefined || max >= 999999999999999) t.skip('no max-size');
			const res = await create(t, d, { headers: { 'Upload-Length': max + 1 } });
			if (res.status < 300) t.skip('lengths above max-size are not refused at once');
			refused(res, 'creation');
			if (res.status === 413) assert.equal((limits(res) ?? {})['max-size'], max, `Upload-Limit: ${res}`);
			await begin(t, d, { headers: { 'Upload-Length': max } });
		},
	}),
	...each('47', {
		title: 'Content-Digest that does not match: nothing is appended', of: 6, section: 'content', level: 'SHOULD',
		run: async (t, d) => {
			const url = await begin(t, d, { body: t.bytes('upload', 0, 10) });
			const body = t.bytes('upload', 10, 15), wrong = t.bytes('wrong', 10, 15);
			for (const name of ['sha-256', 'sha-512']) for (const state of ['more', 'done']) {
				refused(await append(t, d, url, 10, wrong, { state, headers: { 'Content-Digest': field(name, body) } }), `${name}, ${state}`);
				await stands(t, d, url, 10, `after ${name}, ${state}`);
			}
			refused(await append(t, d, url, 10, wrong, { headers: { 'Content-Digest': `${field('sha-256', wrong)}, ${field('sha-512', body)}` } }), 'one of two');
			t.status(await append(t, d, url, 10, body, { headers: { 'Content-Digest': `${field('sha-256', body)}, ${field('sha-512', body)}` } }), d.appended, 'both match');
			await stands(t, d, url, 25);
		},
	}),
	...each('48', {
		title: 'Content-Digest of a creation that does not match is refused', of: 6, section: 'content', level: 'SHOULD',
		run: async (t, d) => {
			for (const state of ['more', 'done'])
				refused(await create(t, d, { state, body: 'these bytes', headers: { 'Content-Digest': field('sha-256', 'other bytes') } }), state);
			succeeded(t, await create(t, d, { state: 'done', body: 'these bytes', headers: { 'Content-Digest': field('sha-512', 'these bytes') } }));
		},
	}),
	...each('49', {
		title: 'digests of unknown algorithms are ignored, those that cannot be read do no harm', of: 6, section: () => 'RFC 9530, 2 and 5', level: 'practice',
		run: async (t, d) => {
			const url = await begin(t, d);
			let n = 0;
			const send = value => append(t, d, url, n, 'x', { headers: { 'Content-Digest': value } });
			for (const value of ['x-none=:AAAA:', `x-none=:AAAA:, ${field('sha-256', 'x')}`, `${field('sha-256', 'x')}, x-none=5`]) {
				t.status(await send(value), d.appended, value);
				await stands(t, d, url, ++n, value);
			}
			// Who takes the message for malformed instead must not have stored anything.
			for (const value of ['sha-256=deadbeef', 'sha-256', '=:AA==:', 'sha-256=:!!!:', 'sha-256=:AAAA:']) {
				const res = await send(value);
				if (res.status < 300) n++;
				else refused(res, value);
				await stands(t, d, url, n, value);
			}
		},
	}),
	...each('50', {
		title: 'Repr-Digest that does not match fails the upload', of: 6, section: 'repr', level: 'SHOULD',
		run: async (t, d) => {
			const body = t.bytes('upload', 0, 40), wrong = { 'Repr-Digest': field('sha-256', 'something else') };
			refused(await create(t, d, { state: 'done', body, headers: wrong }), 'one request');
			const url = await begin(t, d, { body: body.subarray(0, 10), headers: wrong });
			refused(await append(t, d, url, 10, body.subarray(10), { state: 'done' }), 'two requests');
			for (const name of ['sha-256', 'sha-512']) {
				const right = { 'Repr-Digest': field(name, body) };
				succeeded(t, await create(t, d, { state: 'done', body, headers: right }), `${name}, one request`);
				const two = await begin(t, d, { body: body.subarray(0, 10), headers: right });
				succeeded(t, await append(t, d, two, 10, body.subarray(10), { state: 'done' }), `${name}, two requests`);
			}
		},
	}),
	...each('51', {
		title: 'Want-Repr-Digest: the last answer has Repr-Digest', of: 6, section: 'repr', level: 'SHOULD',
		run: async (t, d) => {
			const body = t.bytes('upload', 0, 40);
			for (const name of ['sha-256', 'sha-512']) {
				const want = { 'Want-Repr-Digest': `${name}=10, x-none=9` };
				const one = succeeded(t, await create(t, d, { state: 'done', body, headers: want }));
				assert.equal(digests(one)[name], digest(name, body), `${name}, one request: ${one}`);
				const url = await begin(t, d, { body: body.subarray(0, 10), headers: want });
				const two = succeeded(t, await append(t, d, url, 10, body.subarray(10), { state: 'done', headers: want }));
				assert.equal(digests(two)[name], digest(name, body), `${name}, two requests: ${two}`);
			}
		},
	}),
	...each('52', {
		title: 'Want-Repr-Digest of the creation holds for the last append', of: 6, section: 'repr', level: 'SHOULD',
		run: async (t, d) => {
			const body = t.bytes('upload', 0, 40);
			const url = await begin(t, d, { body: body.subarray(0, 10), headers: { 'Want-Repr-Digest': 'sha-256=10' } });
			const res = succeeded(t, await append(t, d, url, 10, body.subarray(10), { state: 'done' }));
			assert.equal(digests(res)['sha-256'], digest('sha-256', body), `${res}`);
		},
	}),
	...each('53', {
		title: 'problem details are well formed', of: 6, section: () => 'RFC 9457, 3', level: 'practice',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes', headers: { 'Upload-Length': 9 } });
			const answers = [
				await append(t, d, url, 3, 'x'), await append(t, d, url, 5, 'x', { headers: { 'Content-Type': 'text/plain' } }),
				await append(t, d, url, 5, 'x', { state: 'done' }), await append(t, d, `${url}x`, 0, 'x'),
			].map(res => ({ res, p: problem(res) })).filter(a => a.p);
			if (!answers.length) t.skip('no answer has problem details');
			for (const { res, p } of answers) {
				if (p.type !== undefined) assert.ok(typeof p.type === 'string' && new URL(p.type), `type: ${res}`);
				if (p.title !== undefined) assert.equal(typeof p.title, 'string', `title: ${res}`);
			}
		},
	}),
	...each('54', {
		title: 'every answer about an upload tells the offset, also a refusal', of: [4, 5, 6], section: 'append',
		run: async (t, d) => {
			const url = await begin(t, d, { body: 'bytes' });
			const refusals = {
				'no offset': await t.http('PATCH', url, { headers: appendHeaders(d, 0, 'more', { 'Upload-Offset': null }), body: 'x' }),
				...(d.type ? { 'another type': await append(t, d, url, 5, 'x', { headers: { 'Content-Type': 'text/plain' } }) } : {}),
			};
			for (const [what, res] of Object.entries(refusals)) {
				refused(res, what);
				assert.equal(res.headers['upload-offset'], '5', `Upload-Offset, ${what}: ${res}`);
			}
		},
	}),
	...each('55', {
		title: 'answers name the version that they speak', section: 'identification', level: 'practice',
		run: async (t, d) => {
			const made = t.status(await create(t, d), d.created), url = t.url(made);
			for (const [what, res] of Object.entries({
				creation: made, query: await query(t, d, url), append: await append(t, d, url, 0, 'x'), mismatch: await append(t, d, url, 9, 'x'), cancellation: await cancel(t, d, url),
			})) assert.equal(res.headers['upload-draft-interop-version'], String(d.v), `${what}: ${res}`);
		},
	}),
	...each('56', {
		title: 'interim responses 104', section: 'identification', level: 'MAY',
		run: async t => t.skip('no server behind FastCGI or CGI can send them; the text does not demand them'),
	}),
];
