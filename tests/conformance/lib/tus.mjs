// tus.mjs - tus 1.0.0 requests as short calls, on the bare client of http.mjs.
import { request, open } from './http.mjs';

export const OFFSET_TYPE = 'application/offset+octet-stream';
export const TUS = { 'Tus-Resumable': '1.0.0' };

const pathOf = location => (/^https?:/.test(location) ? new URL(location).pathname : location);

export const create = (server, { length, meta, headers, body, path = '/files/', ...rest } = {}) =>
	request(server, 'POST', path, {
		headers: {
			...TUS,
			...(length === undefined ? {} : { 'Upload-Length': length }),
			...(meta === undefined ? {} : { 'Upload-Metadata': meta }),
			...(body === undefined ? { 'Content-Length': 0 } : { 'Content-Type': OFFSET_TYPE }),
			...headers,
		},
		body,
		...rest,
	});

// Creates and gives the path of the upload.
export async function made(server, options) {
	const res = await create(server, options);
	if (res.status !== 201) throw new Error(`POST answered ${res}`);
	return pathOf(res.headers.location);
}

export const head = (server, path, headers = TUS) => request(server, 'HEAD', path, { headers });
export const remove = (server, path, headers = TUS) => request(server, 'DELETE', path, { headers });
export const options = (server, path, headers = {}) => request(server, 'OPTIONS', path, { headers });

export const patchHeaders = (offset, headers = {}) => ({ ...TUS, 'Upload-Offset': offset, 'Content-Type': OFFSET_TYPE, ...headers });
export const patch = (server, path, offset, body = '', { headers, ...rest } = {}) =>
	request(server, 'PATCH', path, { headers: patchHeaders(offset, headers), body, ...rest });

// A PATCH whose body the test sends itself: head only.
export const openPatch = (server, path, offset, length, headers) =>
	open(server, 'PATCH', path, { headers: patchHeaders(offset, headers), length });

export async function offsetOf(server, path) {
	const res = await head(server, path);
	return res.status >= 200 && res.status < 300 ? Number(res.headers['upload-offset']) : -res.status;
}
