// concatenation.mjs - one upload made of several (116-131).
import assert from 'node:assert/strict';
import { b64 } from '../lib/data.mjs';
import { FINE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Concatenation', needs = ['concatenation'];
const PARTIAL = { 'Upload-Concat': 'partial' };
const pathOf = url => new URL(url).pathname;
const concat = list => ({ 'Upload-Concat': `final;${list.join(' ')}` });

// A complete partial of the bytes [from, from + n) of the test data; its URL.
async function part(t, from, n, { meta, upto = n } = {}) {
	const url = await t.made({ length: n, meta, headers: PARTIAL });
	if (upto) t.status(await t.patch(url, 0, t.bytes('upload', from, upto)), 204, 'bytes of a part');
	return url;
}
// A final upload of these URLs that is done; its URL.
async function joined(t, list, options = {}) {
	const url = await t.made({ ...options, headers: { ...concat(list), ...options.headers } });
	return done(t, url);
}
async function done(t, url, timeout = 10000) {
	await t.until(async () => {
		const h = (await t.head(url)).headers;
		return h['upload-offset'] !== undefined && h['upload-offset'] === h['upload-length'];
	}, { what: 'final upload that is complete', timeout });
	return url;
}
// What a creation of a final says that must not be one.
const refused = (t, statuses, value, what = value) => t.refused(statuses, { headers: { 'Upload-Concat': value } }, what);

// The final holds the bytes [from, from + n) of the test data for each of the ranges, one behind the other.
async function holds(t, url, ranges) {
	const length = ranges.reduce((sum, [, n]) => sum + n, 0), h = t.status(await t.head(url), FINE).headers;
	assert.deepEqual([h['upload-length'], h['upload-offset']], [String(length), String(length)], 'length and offset');
	if (!t.caps.download) return;
	const got = t.status(await t.http('GET', url), 200, 'download').body;
	assert.ok(got.equals(Buffer.concat(ranges.map(([from, n]) => t.bytes('upload', from, n)))), 'bytes of the final upload');
}

export default [
	{
		id: '116', title: 'concatenation is announced', source, level: 'MUST',
		run: async t => {
			if (t.caps.extensions.includes('concatenation')) return part(t, 0, 5);
			const res = await t.create({ length: 5, headers: PARTIAL });
			if (res.status === 201) assert.notEqual((await t.head(t.url(res))).headers['upload-concat'], 'partial', 'it works and is not announced');
			t.skip('uploads cannot be concatenated');
		},
	},
	{
		id: '117', title: 'a partial is 201; HEAD tells Upload-Concat and Upload-Offset', source, level: 'MUST', needs,
		run: async t => {
			const url = await part(t, 0, 5, { upto: 0 });
			for (const [at, n] of [[0, 2], [2, 3]]) {
				const h = t.status(await t.head(url), FINE).headers;
				assert.equal(h['upload-concat'], 'partial');
				assert.equal(h['upload-offset'], String(at));
				t.status(await t.patch(url, at, t.bytes('upload', at, n)), 204);
			}
			assert.equal((await t.head(url)).headers['upload-offset'], '5');
		},
	},
	{
		id: '118', title: 'final: absolute and relative URLs, bytes in the order listed, length is the sum', source, level: 'MUST', needs,
		run: async t => {
			const [a, b, c] = [await part(t, 0, 5), await part(t, 100, 70000), await part(t, 300, 7)];
			await t.case('absolute', async () => holds(t, await joined(t, [a, b, c]), [[0, 5], [100, 70000], [300, 7]]));
			const [d, e] = [await part(t, 0, 5), await part(t, 100, 6)];
			await t.case('path, in another order', async () => holds(t, await joined(t, [e, d].map(pathOf)), [[100, 6], [0, 5]]));
			const [f, g] = [await part(t, 0, 5), await part(t, 0, 0)];
			await t.case('an empty part', async () => holds(t, await joined(t, [f, g]), [[0, 5]]));
		},
	},
	{
		id: '119', title: 'Upload-Length with a final is ignored', source, level: 'practice', needs,
		run: async t => holds(t, await joined(t, [await part(t, 0, 5), await part(t, 10, 5)], { length: 3 }), [[0, 5], [10, 5]]),
	},
	{
		id: '120', title: 'unknown parts, other hosts and malformed lists are refused', source, level: 'practice', needs,
		run: async t => {
			const url = await part(t, 0, 5), path = pathOf(url), unknown = await t.unknown();
			await refused(t, [400, 404, 410], `final;${unknown}`, 'unknown part');
			await refused(t, [400, 404, 410], `final;${path} ${pathOf(unknown)}`, 'unknown second part');
			for (const value of [`final;https://elsewhere.example${path}`, `final;${path.replace(/([^/]*)$/, '../$1')}`, 'final;', 'final; ', 'final', 'partial;', 'whole', 'FINAL', `partial;${path}`, `final ${path}`, ''])
				await t.refused(400, { ...(value.startsWith('final') ? {} : { length: 5 }), headers: { 'Upload-Concat': value } }, `"${value}"`);
		},
	},
	{
		id: '121', title: 'an upload that was not made as a partial is no part', source: 'a guessed URL would copy what belongs to others', level: 'practice', needs,
		run: async t => {
			const url = await t.begun(5, 5);
			await refused(t, [400, 403, 404], `final;${url}`, 'whole upload');
			const final = await joined(t, [await part(t, 0, 5)]);
			await refused(t, [400, 403, 404], `final;${final}`, 'final upload');
		},
	},
	{
		id: '122', title: 'an unfinished part is 400 without concatenation-unfinished', source, level: 'practice', needs,
		run: async t => {
			const u = t.caps.extensions.includes('concatenation-unfinished') ? t.at(await t.controlled('baseFinishedParts')()) : t;
			await refused(u, 400, `final;${await part(u, 0, 5, { upto: 3 })}`, 'unfinished part');
		},
	},
	{
		id: '123', title: 'a part may be used several times', source, level: 'MAY', needs,
		run: async t => {
			const [a, b] = [await part(t, 0, 50), await part(t, 100, 60)];
			await t.case('in one final', async () => holds(t, await joined(t, [a, b, a]), [[0, 50], [100, 60], [0, 50]]));
			// a server may remove parts after
			const again = await t.create({ headers: concat([b, a]) });
			if (again.status === 201) await t.case('in another', async () => holds(t, await done(t, t.url(again)), [[100, 60], [0, 50]]));
			else t.status(again, [400, 404, 410], 'parts that were removed');
		},
	},
	{
		id: '124', title: 'metadata of parts is not inherited, the final has its own', source, level: 'MUST', needs,
		run: async t => {
			const parts = [await part(t, 0, 5, { meta: `filename ${b64('part')}` }), await part(t, 5, 5, { meta: `other ${b64('x')}` })];
			const meta = `filename ${b64('whole')}`;
			assert.equal((await t.head(await joined(t, [parts[0]]))).headers['upload-metadata'], undefined, 'none given');
			const rest = await t.create({ headers: concat([parts[1]]), meta });
			assert.equal((await t.head(t.url(t.status(rest, 201)))).headers['upload-metadata'], meta, 'its own');
		},
	},
	{
		id: '125', title: 'PATCH to a final is 403 and changes nothing', source, level: 'MUST', needs,
		run: async t => {
			const parts = [await part(t, 0, 5), await part(t, 5, 5)], final = await joined(t, parts);
			for (const [offset, body] of [[10, 'x'], [10, ''], [0, 'x']]) t.status(await t.patch(final, offset, body), 403, `offset ${offset}`);
			await holds(t, final, [[0, 5], [5, 5]]);
			if (!t.caps.extensions.includes('concatenation-unfinished')) return;
			const running = await part(t, 0, 5, { upto: 3 }), waiting = await t.made({ headers: concat([running]) });
			t.status(await t.patch(waiting, 0, 'x'), 403, 'a final that waits');
			t.status(await t.patch(running, 3, t.bytes('upload', 3, 2)), 204);
			await holds(t, await done(t, waiting), [[0, 5]]);
		},
	},
	{
		id: '126', title: 'HEAD of a final: offset equals length when it is done, no offset before', source, level: 'MUST', needs,
		run: async t => {
			const h = (await t.head(await joined(t, [await part(t, 0, 5), await part(t, 5, 5)]))).headers;
			assert.deepEqual([h['upload-length'], h['upload-offset']], ['10', '10']);
			if (!t.caps.extensions.includes('concatenation-unfinished')) return;
			const waiting = (await t.head(await t.made({ headers: concat([await part(t, 0, 5), await part(t, 0, 5, { upto: 3 })]) }))).headers;
			assert.equal(waiting['upload-length'], '10', 'length can be computed');
			assert.equal(waiting['upload-offset'], undefined, '(SHOULD NOT) offset of a final that waits');
		},
	},
	{
		id: '127', title: 'HEAD tells Upload-Concat exactly as it came', source, level: 'MUST', needs,
		run: async t => {
			for (const form of [u => u, pathOf]) {
				const list = [await part(t, 0, 5), await part(t, 5, 5)].map(form), final = await joined(t, list);
				assert.equal((await t.head(final)).headers['upload-concat'], `final;${list.join(' ')}`);
			}
		},
	},
	{
		id: '128', title: 'a sum above the maximum is 413, a body on a final 400 or 403', source, level: 'practice', needs,
		run: async t => {
			const url = await part(t, 0, 5);
			await t.refused([400, 403], { headers: concat([url]), body: 'abc' }, 'body');
			const max = t.caps.maxSize;
			if (!(max <= 64 << 20)) return;
			const half = Math.floor(max / 2) + 1, [a, b] = [await part(t, 0, half), await part(t, 0, half)];
			await refused(t, 413, `final;${a} ${b}`, 'sum');
		},
	},
	{
		id: '129', title: 'a final of running parts becomes complete by itself', source, level: 'MUST', needs: [...needs, 'concatenation-unfinished'], alone: true,
		run: async t => {
			const run = async between => {
				const [a, b] = [await part(t, 0, 50, { upto: 20 }), await part(t, 50, 60, { upto: 0 })];
				const final = await t.made({ headers: concat([a, b]) });
				t.status(await t.patch(a, 20, t.bytes('upload', 20, 30)), 204);
				await between();
				t.status(await t.patch(b, 0, t.bytes('upload', 50, 60)), 204);
				await holds(t, await done(t, final), [[0, 50], [50, 60]]);
			};
			await run(async () => {});
			if (t.control.kill) await t.case('the processes are gone', () => run(t.control.kill));
		},
	},
	{
		id: '130', title: 'parts are not finished on their own', source, level: 'SHOULD', needs, alone: true,
		run: async t => {
			const total = t.controlled('finishedTotal'), before = await total();
			const parts = [await part(t, 0, 5), await part(t, 5, 5)];
			assert.equal(await total(), before, 'finished after the parts');
			await joined(t, parts);
			await t.until(async () => await total() === before + 1, { what: 'one finished upload' });
		},
	},
	{
		id: '131', title: 'the final is answered quickly whatever its size', source, level: 'practice', needs,
		run: async t => {
			const n = Math.min(8 << 20, Math.floor((t.caps.maxSize ?? 1 << 30) / 2)), parts = [await part(t, 0, n), await part(t, n, n)];
			const began = Date.now(), final = await t.made({ headers: concat(parts) });
			assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
			await done(t, final);
			await t.whole(final, 2 * n);
		},
	},
];
