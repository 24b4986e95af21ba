// http.mjs - an HTTP/1.1 client on a bare socket: tests decide every byte, and how a connection dies.
// A server is a URL, or an object with one as `url` (and, for https, the certificate to trust as `ca`); a path may be an absolute URL, which then says both.
import net from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';

export const sleep = ms => new Promise(done => setTimeout(done, ms));

// Asks again until fn gives something true; the only way in which tests wait.
export async function until(fn, { what = 'condition', timeout = 10000, every = 20 } = {}) {
	const end = Date.now() + timeout;
	for (;;) {
		const value = await fn();
		if (value) return value;
		if (Date.now() > end) throw new Error(`no ${what} within ${timeout} ms`);
		await sleep(every);
	}
}

export class Connection {
	constructor(socket, raw = socket) {
		this.socket = socket;
		this.raw = raw;   // below TLS
		this.buffer = Buffer.alloc(0);
		this.ended = false;
		this.error = null;
		this.waiting = [];
		socket.on('data', d => { this.buffer = Buffer.concat([this.buffer, d]); this.wake(); });
		socket.on('end', () => { this.ended = true; this.wake(); });
		socket.on('close', () => { this.ended = true; this.wake(); });
		socket.on('error', e => { this.error = e; this.ended = true; this.wake(); });
	}

	wake() { for (const w of this.waiting.splice(0)) w(); }

	// Waits until the kernel has taken the bytes (or the peer is gone, which is no failure of the sender).
	async send(data) {
		for (const piece of typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data) {
			if (this.ended && this.error) return;
			await new Promise(done => this.socket.write(piece, done));
		}
	}

	async sendHead(method, path, headers, version = '1.1') {
		const lines = (Array.isArray(headers) ? headers : Object.entries(headers)).map(([k, v]) => `${k}: ${v}\r\n`);
		await this.send(Buffer.from(`${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`, 'latin1'));
	}

	// n pieces of the data with a pause between them, as from a slow line.
	async sendSlowly(data, piece, pauseMs) {
		for (let at = 0; at < data.length && !this.ended; at += piece) {
			await this.send(data.subarray(at, at + piece));
			await sleep(pauseMs);
		}
	}

	async sendChunked(data, { last = true } = {}) {
		for (const p of Buffer.isBuffer(data) ? [data] : data)
			if (p.length) await this.send(Buffer.concat([Buffer.from(p.length.toString(16) + '\r\n'), p, Buffer.from('\r\n')]));
		if (last) await this.send('0\r\n\r\n');
	}

	// Half close, close (FIN) and reset (RST).
	fin() { this.socket.end(); }
	close() { this.socket.destroy(); }
	rst() { this.raw.resetAndDestroy(); }

	async more(timeout) {
		if (this.ended) return false;
		let timer;
		await new Promise((done, fail) => {
			this.waiting.push(done);
			timer = setTimeout(() => fail(new Error(`no answer within ${timeout} ms`)), timeout);
		}).finally(() => clearTimeout(timer));
		return true;
	}

	async need(n, timeout) {
		while (this.buffer.length < n) if (!await this.more(timeout)) return false;
		return true;
	}

	async line(timeout) {
		for (;;) {
			const at = this.buffer.indexOf('\r\n');
			if (at >= 0) {
				const text = this.buffer.subarray(0, at).toString('latin1');
				this.buffer = this.buffer.subarray(at + 2);
				return text;
			}
			if (!await this.more(timeout)) throw new Error(`connection ended without an answer${this.error ? `: ${this.error.message}` : ''}`);
		}
	}

	take(n) {
		const out = this.buffer.subarray(0, n);
		this.buffer = this.buffer.subarray(n);
		return out;
	}

	// One answer. informational: give a 1xx too instead of passing over it.
	async answer({ method = 'GET', timeout = 30000, informational = false } = {}) {
		for (;;) {
			const m = /^HTTP\/1\.[01] (\d{3})/.exec(await this.line(timeout));
			if (!m) throw new Error('no status line');
			const res = new Answer(Number(m[1]));
			for (let l; (l = await this.line(timeout)) !== '';) {
				const colon = l.indexOf(':');
				res.add(l.slice(0, colon), l.slice(colon + 1).trim());
			}
			if (res.status < 200 && !informational) continue;
			if (method !== 'HEAD' && res.status >= 200 && res.status !== 204 && res.status !== 304)
				res.body = await this.answerBody(res, timeout);
			return res;
		}
	}

	async answerBody(res, timeout) {
		if (/chunked/i.test(res.headers['transfer-encoding'] ?? '')) {
			const out = [];
			for (;;) {
				const n = parseInt(await this.line(timeout), 16);
				if (!await this.need(n + 2, timeout)) throw new Error('answer cut');
				out.push(Buffer.from(this.take(n)));
				this.take(2);
				if (n === 0) return Buffer.concat(out);
			}
		}
		const parts = [];
		let left = res.headers['content-length'] === undefined ? Infinity : Number(res.headers['content-length']);
		while (left > 0) {
			if (!this.buffer.length && !await this.more(timeout)) {
				if (left === Infinity) break;
				throw new Error(`answer body cut, ${left} bytes missing`);
			}
			const piece = this.take(Math.min(left, this.buffer.length));
			left -= piece.length;
			parts.push(piece);
		}
		return Buffer.concat(parts);
	}
}

export class Answer {
	constructor(status) { this.status = status; this.headers = {}; this.list = []; this.body = Buffer.alloc(0); }

	add(name, value) {
		const key = name.toLowerCase();
		this.list.push([key, value]);
		this.headers[key] = key in this.headers ? `${this.headers[key]}, ${value}` : value;
	}

	get text() { return this.body.toString('utf8'); }
	get json() { return JSON.parse(this.text); }
	toString() { return `${this.status} ${JSON.stringify(this.headers)} ${this.body.subarray(0, 300)}`; }
}

export async function connect(server) {
	const { protocol, hostname, port } = new URL(server.url ?? server);
	const host = hostname.replace(/^\[|\]$/g, '');
	const secure = protocol === 'https:';
	const raw = net.connect({ host, port: Number(port || (secure ? 443 : 80)), allowHalfOpen: true, noDelay: true });
	await once(raw, 'connect');
	if (!secure) return new Connection(raw);
	const socket = tls.connect({ socket: raw, host, servername: net.isIP(host) ? undefined : host, ALPNProtocols: ['http/1.1'], ca: server.ca });
	await once(socket, 'secureConnect');
	return new Connection(socket, raw);
}

// Where a request goes: the server, and the path as it is put on the request line.
function target(server, path) {
	if (!/^https?:/.test(path)) return [server, path];
	const url = new URL(path);
	return [url.origin, url.pathname + url.search];
}

// Headers of a request: an object, or a list of pairs where order and repetition matter. Host, Connection and Content-Length are
// added unless given; a value of null leaves a header out.
function requestHeaders(server, given, body, chunked) {
	const list = Array.isArray(given) ? [...given] : Object.entries(given ?? {});
	const has = name => list.some(([k]) => k.toLowerCase() === name);
	if (!has('host')) list.unshift(['Host', new URL(server.url ?? server).host]);
	if (!has('connection')) list.push(['Connection', 'close']);
	if (chunked && !has('transfer-encoding')) list.push(['Transfer-Encoding', 'chunked']);
	if (body !== undefined && !chunked && !has('content-length')) list.push(['Content-Length', Buffer.byteLength(body)]);
	return list.filter(([, v]) => v !== null);
}

// The head and the whole body of one request on a new connection, without waiting for the answer.
export async function open(server, method, path, { headers, length, version, chunked } = {}) {
	const [to, line] = target(server, path);
	const c = await connect(to);
	const list = requestHeaders(to, headers, undefined, chunked);
	if (length !== undefined) list.push(['Content-Length', length]);
	await c.sendHead(method, line, list, version);
	return c;
}

// One request, one connection, one answer. body: Buffer, text, or (with headers Content-Length or chunked) an iterable of Buffers.
export async function request(server, method, path, { headers, body, version, chunked = false, timeout } = {}) {
	const [to, line] = target(server, path);
	const c = await connect(to);
	try {
		const plain = body === undefined || Buffer.isBuffer(body) || typeof body === 'string';
		const wire = typeof body === 'string' ? Buffer.from(body) : body;
		await c.sendHead(method, line, requestHeaders(to, headers, plain ? wire : undefined, chunked), version);
		const sending = wire === undefined ? null : chunked ? c.sendChunked(wire) : c.send(wire);
		const res = await c.answer({ method, timeout });
		if (c.ended) sending?.catch(() => {});
		return res;
	} finally {
		c.close();
	}
}
