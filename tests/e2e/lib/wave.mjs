// wave.mjs - the session API as short calls: chunks by tus, chunks by form, status, completion.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { request, until } from './http.mjs';
import { create, patch } from './tus.mjs';
import { chunkForm, form, multipart } from './multipart.mjs';
import { metadata, sha256 } from './data.mjs';
import { completed } from './server.mjs';

let number = 0;
export const newSid = (kind = 'sess') => `${kind}_${Date.now()}_${process.pid.toString(36)}${(number++).toString(36)}`;

export const chunkMeta = (chunkIndex, totalChunks, recordingName = 'take', format = 'webm') =>
	metadata({ chunkIndex, ...(totalChunks === undefined ? {} : { totalChunks }), recordingName, format });

// POST for a chunk by tus.
export const postChunk = (server, sid, index, total, length, { slash = true, name, format, headers } = {}) =>
	create(server, { path: `/files/${sid}/chunks${slash ? '/' : ''}`, length, meta: chunkMeta(index, total, name, format), headers });

// A whole chunk by tus.
export async function tusChunk(server, sid, index, total, data, options) {
	const res = await postChunk(server, sid, index, total, data.length, options);
	assert.equal(res.status, 201, `POST chunk ${index}: ${res}`);
	const patched = await patch(server, res.headers.location, 0, data);
	assert.equal(patched.status, 204, `PATCH chunk ${index}: ${patched}`);
	return res.headers.location;
}

export const sendChunk = (server, sid, index, data, fields = {}) =>
	request(server, 'POST', '/upload/chunk', chunkForm({ session_id: sid, chunk_index: index, ...fields }, data));

export const verify = async (server, sid, index) => (await request(server, 'GET', `/api/verify/${sid}/${index}`)).json;

export const complete = (server, sid, fileName, meta, { urlencoded = false } = {}) => {
	const fields = { session_id: sid, file_name: fileName, ...(meta === undefined ? {} : { metadata: typeof meta === 'string' ? meta : JSON.stringify(meta) }) };
	return request(server, 'POST', '/recording/complete',
		urlencoded ? form(fields) : multipart(Object.entries(fields).map(([name, value]) => ({ name, value }))));
};

export const status = (server, sid) => request(server, 'GET', `/files/${sid}/status`);
export const download = (server, sid, name, headers) => request(server, 'GET', `/recordings/${sid}/${encodeURIComponent(name)}`, { headers });

export const assembled = (server, sid, timeout = 15000) =>
	until(async () => { const res = await status(server, sid); return res.status === 200 && res.json.assembled && res.json; }, { what: `assembly of ${sid}`, timeout });

// The finished recording is exactly these bytes, on the disk and by download.
export async function isRecording(server, sid, name, data) {
	await until(() => completed(server, sid)[name], { what: `finished file ${name}, there are ${Object.keys(completed(server, sid))}` });
	assert.equal(sha256(fs.readFileSync(completed(server, sid)[name])), sha256(data), 'file on the disk');
	// The file has its name a moment before the ledger knows of it.
	const got = await until(async () => { const res = await download(server, sid, name); return res.status !== 404 && res; }, { what: `download of ${name}` });
	assert.equal(got.status, 200, `download: ${got}`);
	assert.equal(sha256(got.body), sha256(data), 'download');
}

export const metaFile = (server, sid, name) => JSON.parse(fs.readFileSync(`${completed(server, sid)[name]}.meta.json`, 'utf8'));
