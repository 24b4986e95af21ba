// checksum.mjs - digests of request bodies (101-109).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { patchHeaders } from '../lib/tus.mjs';
import { b64 } from '../lib/data.mjs';

const source = 'tus 1.0.0, Checksum', needs = ['checksum'];

const digest = (name, data) => createHash(name).update(data).digest('base64');
const sum = (data, name = 'sha1') => ({ 'Upload-Checksum': `${name} ${digest(name, data)}` });
const wrong = (name = 'sha1') => sum(Buffer.from('something else'), name);
const KNOWN = ['sha1', 'sha256', 'sha512', 'md5'];
const put = (t, url, offset, body, headers, rest) => t.patch(url, offset, body, { headers, ...rest });

// The refused body left nothing.
async function discarded(t, status, body, headers, what, rest) {
	const url = await t.begun(20, 5);
	const res = t.status(await put(t, url, 5, body, headers, rest), status, what);
	await t.case(what, () => t.agrees(url, 5, 20));
	return res;
}
const BODY = Buffer.from('0123456789');

export default [
	{
		id: '101', title: 'checksum is announced with its algorithms', source, level: 'MUST', needs,
		run: async t => assert.ok((await t.options()).headers['tus-checksum-algorithm'], 'Tus-Checksum-Algorithm'),
	},
	{
		id: '102', title: 'sha1 is there, and no name has capitals', source, level: 'MUST', needs,
		run: async t => {
			assert.ok(t.caps.algorithms.includes('sha1'), `${t.caps.algorithms}`);
			for (const a of t.caps.algorithms) assert.match(a, /^[!-@[-~]+$/, a);
		},
	},
	{
		id: '103', title: 'unknown algorithm is 400 and the bytes are discarded', source, level: 'MUST', needs,
		run: async t => {
			for (const name of ['sha0', 'nosuch', 'SHA1x']) await discarded(t, 400, BODY, { 'Upload-Checksum': `${name} ${digest('sha1', BODY)}` }, name);
		},
	},
	{
		id: '104', title: 'mismatch is 460 and the bytes are discarded', source, level: 'MUST', needs,
		run: async t => {
			for (const name of KNOWN.filter(n => t.caps.algorithms.includes(n))) await discarded(t, 460, BODY, wrong(name), name);
			await discarded(t, 460, [BODY.subarray(0, 4), BODY.subarray(4)], wrong(), 'chunked', { chunked: true });
			await t.case('the last bytes', async () => {
				const url = await t.begun(10, 5);
				t.status(await put(t, url, 5, 'wrong', sum(t.bytes('upload', 5, 5))), 460);
				await t.agrees(url, 5, 10);
			});
			await t.case('3 MiB', async () => {
				const url = await t.made({ length: 3 << 20 }), data = t.bytes('upload', 0, 3 << 20);
				t.status(await put(t, url, 0, data, wrong()), 460);
				await t.agrees(url, 0, 3 << 20);
			});
		},
	},
	{
		id: '105', title: 'match is 204', source, level: 'MUST', needs,
		run: async t => {
			for (const name of KNOWN.filter(n => t.caps.algorithms.includes(n))) await t.case(name, async () => {
				const url = await t.begun(20, 5), data = t.bytes('upload', 5, 10);
				assert.equal(t.status(await put(t, url, 5, data, sum(data, name)), 204).headers['upload-offset'], '15');
				await t.agrees(url, 15, 20);
			});
			if (t.caps.algorithms.includes('crc32') && zlib.crc32) await t.case('crc32', async () => {
				const url = await t.made({ length: 10 }), data = t.bytes('upload', 0, 10), value = Buffer.alloc(4);
				value.writeUInt32BE(zlib.crc32(data));
				t.status(await put(t, url, 0, data, { 'Upload-Checksum': `crc32 ${value.toString('base64')}` }), 204);
			});
			await t.case('chunked', async () => {
				const url = await t.made({ length: 300000 }), data = t.bytes('upload', 0, 300000);
				t.status(await put(t, url, 0, [data.subarray(0, 7), data.subarray(7)], sum(data), { chunked: true }), 204);
				await t.whole(url, 300000);
			});
		},
	},
	{
		id: '106', title: 'a malformed checksum is 400 and stores nothing', source, level: 'practice', needs,
		run: async t => {
			const good = digest('sha1', BODY);
			for (const bad of ['sha1', 'sha1 ', `sha1${good}`, 'sha1 !!!!', `sha1 ${good.slice(0, -1)}`, `sha1 ${good.slice(4)}`, `sha1 ${b64('short')}`, `sha1 ${digest('sha256', BODY)}`, ` ${good}`, `sha1 ${good} x`])
				await discarded(t, 400, BODY, { 'Upload-Checksum': bad }, `"${bad}"`);
		},
	},
	{
		id: '107', title: 'a cut body with a checksum stores nothing', source, level: 'MUST', needs, alone: true,
		run: async t => {
			const cut = async (name, n, how) => t.case(name, async () => {
				const url = await t.begun(200000, 5), data = t.bytes('upload', 5, 199995);
				const c = await t.openPatch(url, 5, data.length, sum(data));
				await c.send(data.subarray(0, n));
				await t.arrived(n + 5);
				await how(c);
				assert.equal(await t.settled(url), 5);
				c.close();
				await t.agrees(url, 5, 200000);
			});
			await cut('closed', 100107, c => c.close());
			await cut('asked for while it comes', 100207, () => {});
			if (t.control.kill) await cut('processes killed', 100307, t.control.kill);
		},
	},
	{
		id: '108', title: 'an empty body with the digest of nothing is 204', source, level: 'practice', needs,
		run: async t => {
			const url = await t.begun(10, 5);
			assert.equal(t.status(await put(t, url, 5, '', sum('')), 204).headers['upload-offset'], '5');
			t.status(await put(t, url, 5, '', wrong()), 460, 'another digest');
			await t.agrees(url, 5, 10);
		},
	},
	{
		id: '109', title: 'checksum-trailer is announced only if trailers arrive', source, level: 'MUST', needs,
		run: async t => {
			const trailed = async (url, data, value) => {
				const c = await t.open('PATCH', url, { headers: patchHeaders(0, { Trailer: 'Upload-Checksum' }), chunked: true });
				await c.sendChunked(data, { last: false });
				await c.send(`0\r\nUpload-Checksum: ${value}\r\n\r\n`);
				const res = await c.answer({ timeout: 10000 });
				c.close();
				return res;
			};
			const url = await t.made({ length: 10 }), data = t.bytes('upload', 0, 10);
			const bad = await trailed(url, data, `sha1 ${digest('sha1', 'else')}`);
			if (!t.caps.extensions.includes('checksum-trailer')) {
				// A trailer is to be ignored or refused; offset and bytes agree.
				if (bad.status === 204) return t.whole(url, 10);
				assert.ok(bad.status >= 400 && bad.status < 500, `${bad}`);
				return t.agrees(url, await t.settled(url), 10);
			}
			t.status(bad, 460, 'wrong trailer');
			assert.equal(await t.offset(url), 0);
			t.status(await trailed(url, data, `sha1 ${digest('sha1', data)}`), 204, 'right trailer');
			await t.whole(url, 10);
		},
	},
];
