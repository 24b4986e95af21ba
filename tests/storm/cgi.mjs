// cgi.mjs - a request to the plain CGI program, on the data of a pool that runs beside it: one process a request, as a shared host's web server makes them.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { build } from '../e2e/lib/server.mjs';
import { Answer } from '../e2e/lib/http.mjs';

function variables(server, method, url, headers, length) {
	const env = { ...process.env, ...server.settings, DATA_DIR: server.data, GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', SERVER_NAME: 'localhost',
		REMOTE_ADDR: '127.0.0.1', REQUEST_METHOD: method, REQUEST_URI: url, HTTP_HOST: 'localhost', CONTENT_LENGTH: String(length) };
	for (const [k, v] of Object.entries(headers ?? {})) {
		const name = k.toUpperCase().replaceAll('-', '_');
		if (name !== 'CONTENT_LENGTH') env[name === 'CONTENT_TYPE' ? name : `HTTP_${name}`] = String(v);
	}
	return env;
}

function parsed(out) {
	const end = out.indexOf('\r\n\r\n');
	if (end < 0) throw new Error('the process ended without an answer');
	const lines = out.subarray(0, end).toString('latin1').split('\r\n');
	const res = new Answer(200);
	for (const l of lines) {
		const colon = l.indexOf(':'), value = l.slice(colon + 1).trim();
		if (l.slice(0, colon).toLowerCase() === 'status') res.status = parseInt(value, 10);
		else res.add(l.slice(0, colon), value);
	}
	res.body = out.subarray(end + 4);
	if (res.headers['content-length'] !== undefined && Number(res.headers['content-length']) > res.body.length) throw new Error('answer cut');
	return res;
}

// One request, one process, one answer. sent: how much of the body comes before it breaks off (all of it, unless told).
export function cgiRequest(server, method, url, { headers, body = Buffer.alloc(0), sent = body.length, timeout = 20000 } = {}) {
	return new Promise((done, fail) => {
		const child = spawn(path.join(build, 'upload.cgi'), [], { env: variables(server, method, url, headers, body.length), stdio: ['pipe', 'pipe', 'ignore'] });
		const timer = setTimeout(() => { child.kill('SIGKILL'); fail(new Error(`no answer within ${timeout} ms`)); }, timeout);
		const out = [];
		child.on('error', fail);
		child.stdin.on('error', () => { /* it has answered, or died, before it read all */ });
		child.stdout.on('data', d => out.push(d));
		child.on('close', () => {
			clearTimeout(timer);
			try { done(parsed(Buffer.concat(out))); } catch (e) { fail(e); }
		});
		child.stdin.end(body.subarray(0, sent));
	});
}
