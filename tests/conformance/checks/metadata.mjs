// metadata.mjs - the grammar of Upload-Metadata (069-077).
import assert from 'node:assert/strict';
import { b64 } from '../lib/data.mjs';
import { FINE } from '../lib/context.mjs';

const source = 'tus 1.0.0, Creation, Upload-Metadata', needs = ['creation'];

// What a header means: how exactly it comes back is 026.
const pairs = meta => meta.split(',').map(p => p.trim());

// Taken, and told again; then the upload works.
const taken = (t, list) => t.each(list, async meta => {
	const url = await t.made({ length: 1, meta });
	assert.deepEqual(pairs(t.status(await t.head(url), FINE).headers['upload-metadata'] ?? ''), pairs(meta));
	t.status(await t.patch(url, 0, 'x'), 204);
});
const refused = (t, list) => t.each(list, meta => t.refused(400, { length: 1, meta: Buffer.from(meta).toString('latin1') }));

export default [
	{
		id: '069', title: 'pairs of key and Base64 value are taken', source, level: 'MUST', needs,
		run: t => taken(t, ['a Yg==', `filename ${b64('x'.repeat(300))}`, 'K-e_y.1 Yg==', `a ${b64('1')},b ${b64('2')},c ${b64('3')}`, `n ${b64('null')}`, `n ${b64('Grüße')}`]),
	},
	{
		// An empty key before a blank cannot be sent: the blank belongs to no header value.
		id: '070', title: 'empty keys, more than one blank, and letters beyond ASCII are 400', source, level: 'practice', needs,
		run: t => refused(t, [',', ',a Yg==', 'a Yg==,,b Yg==', 'a  Yg==', 'a Yg== Yg==', 'ä Yg==']),
	},
	{
		id: '071', title: 'bad Base64 is 400', source, level: 'practice', needs,
		run: t => refused(t, ['a Y!==', 'a Yg', 'a -_-_', 'a Yg==,b Y=g=', 'a Yg=']),
	},
	{
		id: '072', title: 'empty values, with and without the space', source, level: 'MUST', needs,
		run: t => taken(t, ['a', 'a ', 'a ,b Yg==', 'a,b,c', 'a Yg==,b', 'a Yg==,b ']),
	},
	{
		id: '073', title: 'a key given twice is 400', source, level: 'practice', needs,
		run: t => refused(t, ['a Yg==,a Yg==', 'a Yg==,a Yw==', 'a,a', 'a Yg==,b Yw==,a ']),
	},
	{
		id: '074', title: 'blanks after commas are tolerated, a comma at the end is 400', source, level: 'practice', needs,
		run: async t => {
			await t.case('blank', async () => t.made({ length: 1, meta: 'a Yg==, b Yg==' }));
			await refused(t, ['a Yg==,']);
		},
	},
	{
		id: '075', title: 'an empty header is as none', source: 'tuspy sends it', level: 'practice', needs,
		run: async t => assert.equal((await t.head(await t.made({ length: 1, meta: '' }))).headers['upload-metadata'], undefined),
	},
	{
		id: '076', title: 'decoded values never get into headers', source, level: 'SHOULD', needs,
		run: async t => {
			for (const value of ['a\r\nX-Evil: 1', '../../evil\r\nX-Evil: 1\0.html', 'a\0b', '"\r\n\r\n<script>'])
				for (const key of ['filename', 'filetype', 'type', 'name']) {
					const url = await t.made({ length: 3, meta: `${key} ${b64(value)}` });
					t.status(await t.patch(url, 0, t.bytes('upload', 0, 3)), 204);
					for (const res of [await t.head(url), await t.http('GET', url)]) {
						assert.equal(res.headers['x-evil'], undefined, `${key}: ${res}`);
						assert.doesNotMatch(`${res.headers['content-disposition']} ${res.headers['content-type']}`, /[\r\n\0]|\.\.\//, `${key}: ${res}`);
					}
					await t.case('(practice) download', () => t.whole(url, 3));
				}
		},
	},
	{
		id: '077', title: 'metadata that is too large is refused in a way that browsers see', source, level: 'practice', needs,
		run: async t => {
			t.status(await t.create({ length: 1, meta: `a ${b64('x'.repeat(2250))}` }), 201, '3000 bytes');
			// Within what fronts let through, the server itself answers.
			await t.each([3800, 4800, 6000, 7600], async n => {
				const res = t.status(await t.create({ length: 1, meta: `a ${b64('x'.repeat(n / 4 * 3))}`, headers: { Origin: t.origin } }), [201, 400, 413, 431]);
				if (t.caps.cors) assert.ok(res.headers['access-control-allow-origin'], `CORS headers: ${res}`);
			});
			const meta = `a ${b64('x'.repeat(60000))}`;
			const res = t.status(await t.create({ length: 1, meta }), [201, 400, 413, 431, 494], '80000 bytes');
			if (res.status === 201) assert.equal((await t.head(t.url(res))).headers['upload-metadata'], meta, 'taken and cut');
		},
	},
];
