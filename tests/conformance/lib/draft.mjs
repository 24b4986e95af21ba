// draft.mjs - the versions of the IETF draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload) in one table, its requests as short
// calls, and `each`, which makes one check of a behaviour for every version that has it.
//
// A version is an interop version (Upload-Draft-Interop-Version); its drafts are those that share it, and `text` the last of them, after which the sections are named.
// What is the same in all sections of a table is the words of the texts: MUST where they have one; where they are silent or differ, every legal answer passes.
import assert from 'node:assert/strict';

const SUCCESS = [200, 201, 202, 203, 204];
const OLD_SECTIONS = { creation: '4', identification: '4.2', query: '5', completeness: '5', append: '6', concurrency: '6', cancel: '7' };
const NEW_SECTIONS = {
	creation: '4.2.2', query: '4.3.2', append: '4.4.2', cancel: '4.5.2', concurrency: '4.6', redirection: '4.3.2',
	offset: '4.1.1', completeness: '4.1.2', length: '4.1.3', limits: '4.1.4',
};

// field, done, more: the completeness field and its values on a complete upload and on another; more of the statuses: of a success that does not complete,
// of an offset query, of a cancellation, of what is not there. tells: Upload-Offset is demanded in every answer about an active upload. omitted: what an append
// without the field does to the upload; undefined: the text does not say. type: the one media type of an append. lifetime: name of that limit.
const OLD = { created: [201], appended: [201], query: [200, 204], removed: [204], unknown: [404], tells: true, pure: true, omitted: 'more', type: null };
const NEW = { created: SUCCESS, appended: SUCCESS, query: SUCCESS, unknown: [404, 410], tells: false, pure: false, type: 'application/partial-upload', lifetime: 'max-age' };
const COMPLETE = { field: 'Upload-Complete', done: '?1', more: '?0' };
export const versions = [
	{ ...OLD, v: 3, text: '01', field: 'Upload-Incomplete', done: '?0', more: '?1', omitted: 'done', query: [204], sections: { ...OLD_SECTIONS, offset: '9.1', redirection: '10' } },
	{ ...OLD, ...COMPLETE, v: 4, text: '02', query: [204], sections: { ...OLD_SECTIONS, offset: '8.1', redirection: '9' } },
	{ ...OLD, ...COMPLETE, v: 5, text: '03', sections: { ...OLD_SECTIONS, offset: '8.1', redirection: '9' } },
	{
		...OLD, ...COMPLETE, v: 6, text: '05', type: 'application/partial-upload', lifetime: 'expires',
		sections: { ...OLD_SECTIONS, offset: '11', redirection: '12', length: '4', limits: '8.2', type: '9', problem: '10', coding: '13', transfer: '14', repr: '15.1', content: '15.2' },
	},
	{
		...NEW, ...COMPLETE, v: 7, text: '08', removed: [204],
		sections: { ...NEW_SECTIONS, identification: '4.2.3', type: '5', problem: '6', coding: '7', transfer: '8', repr: '9.1', content: '9.2' },
	},
	{
		...NEW, ...COMPLETE, v: 8, text: '12', removed: SUCCESS,
		sections: { ...NEW_SECTIONS, identification: 'Appendix B', type: '6', problem: '7', coding: '8', transfer: '9', repr: '10.1', content: '10.2' },
	},
];
export const newest = versions.at(-1);
export const PROBLEMS = 'https://iana.org/assignments/http-problem-types#';

export const cite = (d, section) => {
	const at = d.sections[section] ?? section;
	return `draft-ietf-httpbis-resumable-upload-${d.text}, ${at.startsWith('Appendix') ? at : `Section ${at}`}`;
};

// ---- requests

export const interop = d => (d ? { 'Upload-Draft-Interop-Version': d.v } : {});
// The completeness field: `done`, `more`, or none.
const flag = (d, state) => (state === null ? {} : { [d.field]: d[state] });

// state: 'done' or 'more'. Content-Length 0 is said of an empty body, so that it is not taken for one of unknown length.
export async function create(t, d, { state = 'more', body = '', headers, url = t.base, method = 'POST', chunked } = {}) {
	const res = await t.http(method, url, { headers: { ...interop(d), ...flag(d, state), ...headers }, body, chunked });
	if (res.status < 300 && res.headers.location) t.mine.push(t.url(res));
	return res;
}

// Creates an upload that goes on, and gives its URL.
export async function begin(t, d, { body = '', headers } = {}) {
	const res = t.status(await create(t, d, { body, headers }), d.created, 'creation');
	assert.ok(res.headers.location, `creation without Location: ${res}`);
	return t.url(res);
}

export const appendHeaders = (d, offset, state, headers = {}) =>
	({ ...interop(d), 'Upload-Offset': offset, ...flag(d, state), ...(d.type ? { 'Content-Type': d.type } : {}), ...headers });
export const append = (t, d, url, offset, body, { state = 'more', headers, chunked } = {}) =>
	t.http('PATCH', url, { headers: appendHeaders(d, offset, state, headers), body, chunked });
// Only the head of an append whose body is to have `length` bytes.
export const openAppend = (t, d, url, offset, length, { state = 'more', chunked } = {}) =>
	t.open('PATCH', url, { headers: appendHeaders(d, offset, state), length, chunked });

export const openCreate = (t, d, state = 'more') => t.open('POST', t.base, { headers: { ...interop(d), ...flag(d, state) }, chunked: true });

// A body of unknown length that begins at `offset`: n bytes, and ten more when these have arrived, so that nobody on the way can know how many will come.
export async function inTwo(t, connection, n, offset = 0) {
	try {
		await connection.sendChunked(t.bytes('upload', offset, n), { last: false });
		await t.arrived(offset + n);
		await connection.sendChunked(t.bytes('upload', offset + n, 10));
		const res = await connection.answer({ timeout: 15000 });
		if (res.status === 411) t.skip('bodies of unknown length are refused (411)');
		return res;
	} finally {
		connection.close();
	}
}

export const query = (t, d, url, headers = {}) => t.http('HEAD', url, { headers: { ...interop(d), ...headers } });
export const cancel = (t, d, url, headers = {}) => t.http('DELETE', url, { headers: { ...interop(d), ...headers } });

// ---- judging

export const succeeded = (t, res, what) => t.status(res, SUCCESS, what);
export const refused = (res, what) => assert.ok(res.status >= 400 && res.status < 500, `${what}: expected 4xx, got ${res}`);

// What has lost its upload to another request gets an error, or no answer at all.
export const lost = connection => connection.answer({ timeout: 15000 }).then(res => assert.ok(res.status >= 400, `the append that was cut: ${res}`), () => {});

// The state that the answer tells is `done` or `more`; with `may` it may tell none.
export function tells(d, res, state, { may = false } = {}) {
	const got = res.headers[d.field.toLowerCase()];
	if (may && got === undefined) return;
	assert.equal(got, d[state], `${d.field} of ${res}`);
}

export const offsetOf = res => res.headers['upload-offset'];

// The answer to an append that does not complete.
export function goesOn(t, d, res, n) {
	t.status(res, d.appended, 'append');
	tells(d, res, 'more');
	if (d.tells || offsetOf(res) !== undefined) assert.equal(offsetOf(res), String(n), `Upload-Offset: ${res}`);
}

// And to one that does.
export function concludes(t, d, res, n) {
	succeeded(t, res, 'append');
	tells(d, res, 'done', { may: d.tells });
	if (d.tells) assert.equal(offsetOf(res), String(n), `Upload-Offset: ${res}`);
}

// A query says: n bytes, and more to come.
export async function stands(t, d, url, n, what = 'offset retrieval') {
	const res = t.status(await query(t, d, url), d.query, what);
	assert.equal(offsetOf(res), String(n), `Upload-Offset, ${what}: ${res}`);
	tells(d, res, 'more');
	return res;
}

// A query of a complete upload says so, if it is still there.
export async function finished(t, d, url, n) {
	const res = await query(t, d, url);
	if ([404, 410].includes(res.status)) return;
	t.status(res, d.query, 'offset retrieval after completion');
	assert.equal(offsetOf(res), String(n), `Upload-Offset after completion: ${res}`);
	tells(d, res, 'done');
}

// The upload has n bytes; the rest completes it, and then it has exactly the right ones.
export async function completes(t, d, url, n, length, seed = 'upload') {
	await stands(t, d, url, n);
	const res = succeeded(t, await append(t, d, url, n, t.bytes(seed, n, length - n), { state: 'done' }), 'rest of the bytes');
	await finished(t, d, url, length);
	await t.whole(url, length, seed);
	return res;
}

// Nothing is complete, and where an offset is still told it is at most n.
export async function notBeyond(t, d, url, n) {
	const res = await query(t, d, url);
	if (res.status >= 400 && res.status < 500) return res;
	t.status(res, d.query, 'offset retrieval');
	tells(d, res, 'more');
	assert.ok(Number(offsetOf(res)) <= n, `at most ${n} bytes: ${res}`);
	return res;
}

// The problem details of an answer, undefined if it has none: they are the server's to give.
export function problem(res) {
	if (!/^application\/problem\+json\b/i.test(res.headers['content-type'] ?? '')) return undefined;
	const p = res.json;
	assert.equal(typeof p, 'object', `problem details are an object: ${res}`);
	if (p.status !== undefined) assert.equal(p.status, res.status, 'status in the problem details');
	return p;
}

// An Upload-Limit: integers by name. RFC 8941, 4.2.2.
export function limits(res) {
	const text = res.headers['upload-limit'];
	if (text === undefined) return undefined;
	const out = {};
	for (const member of text.split(',')) {
		const m = /^ *([a-z*][a-z0-9_.*-]*)=(-?\d{1,15})((?:; *[a-z*][a-z0-9_.*-]*(?:=[^;,]*)?)*) *$/.exec(member);
		assert.ok(m, `Upload-Limit is a Dictionary of Integers: ${text}`);
		out[m[1]] = Number(m[2]);
	}
	return out;
}

// ---- one check a version

const known = new Map();

// Whether the server speaks this version at all: an answer to a creation, or to a query after it, has a field of the draft.
function knows(t, d) {
	const key = `${t.base} ${d.v}`;
	if (!known.has(key)) known.set(key, (async () => {
		const made = await create(t, d);
		const answers = [made, ...(made.status < 300 && made.headers.location ? [await query(t, d, t.url(made))] : [])];
		const fields = [d.field, 'Upload-Limit', 'Upload-Draft-Interop-Version'].map(f => f.toLowerCase());
		return answers.some(res => fields.some(f => res.headers[f] !== undefined));
	})());
	return known.get(key);
}

// Whoever says that his server speaks a version is not let off.
function unspoken(t, d) {
	assert.ok(!t.control.interop?.includes(d.v), `the server does not speak interop version ${d.v}`);
	t.skip(`the server does not speak interop version ${d.v}`);
}

// n: number of the behaviour, the same in all versions. of: the first version that has it, a list, or none for all. section, level: text, or by version.
export function each(n, { title, of = 3, section, level = 'MUST', alone, run }) {
	const has = d => (Array.isArray(of) ? of.includes(d.v) : d.v >= of);
	const by = (x, d) => (typeof x === 'function' ? x(d) : x);
	return versions.filter(has).map(d => ({
		id: `D${d.v}-${n}`, title: `interop ${d.v}: ${by(title, d)}`, source: cite(d, by(section, d)), level: by(level, d), alone,
		run: async t => {
			if (!await knows(t, d)) unspoken(t, d);
			await run(t, d);
		},
	}));
}

// A check that is not of one version; it runs in the newest that the server speaks.
export function common(n, { title, source, level = 'practice', alone, run }) {
	return {
		id: `D-${n}`, title: `draft: ${title}`, source, level, alone,
		run: async t => {
			for (const d of [...versions].reverse()) if (await knows(t, d)) return run(t, d);
			t.skip('the server does not speak the draft');
		},
	};
}
