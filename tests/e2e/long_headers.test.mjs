// long_headers.test.mjs - what HEAD has to repeat passes every web server, however long a header was taken: a HEAD that fails makes a client begin again.
import assert from 'node:assert/strict';
import { check, useServer } from './lib/server.mjs';
import { request } from './lib/http.mjs';
import { head, made, TUS } from './lib/tus.mjs';

const METADATA = 4096, LIST = 8000;    // the longest that are taken
const fronts = ['nginx', 'apache-proxy', 'lighttpd'].map(name => ({ name, server: useServer({ front: name, settings: { WORKERS: 1 } }) }));

const everywhere = (name, fn) => check(name, async () => { for (const f of fronts) await fn(f.server, f.name); });

// A key and a value of n bytes together.
const metadata = n => `${'k'.repeat(3 + (n % 4))} ${Buffer.alloc(Math.floor(n / 4) * 3 - 3).toString('base64')}`;

async function taken(server, name, headers) {
	const refused = await request(server, 'POST', '/files/', { headers: { ...TUS, 'Content-Length': 0, ...headers(1) } });
	assert.equal(refused.status, 431, `${name}: ${refused}`);
	const res = await request(server, 'POST', '/files/', { headers: { ...TUS, 'Content-Length': 0, ...headers(0) } });
	assert.equal(res.status, 201, `${name}: ${res}`);
	const h = await head(server, new URL(res.headers.location, 'http://localhost').pathname);
	assert.equal(h.status, 200, `${name}: ${h}`);
	for (const [k, v] of Object.entries(headers(0))) if (/concat|metadata/i.test(k)) assert.equal(h.headers[k.toLowerCase()], v, name);
}

everywhere('HEAD_repeats_the_longest_metadata', (server, name) =>
	taken(server, name, more => ({ 'Upload-Length': 7, 'Upload-Metadata': metadata(METADATA + more) })));

everywhere('HEAD_repeats_the_longest_list_of_parts', async (server, name) => {
	const part = await made(server, { length: 1, body: 'x', headers: { 'Upload-Concat': 'partial' } });
	const list = n => `final;${`${part} `.repeat(Math.floor((n - 6) / (part.length + 1))).trimEnd().padStart(n - 6)}`;
	await taken(server, name, more => ({ 'Upload-Concat': list(LIST + more), 'Upload-Metadata': metadata(METADATA) }));
});
