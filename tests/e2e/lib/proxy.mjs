// proxy.mjs - a TCP proxy between a client and its server: it writes down which requests the client sends, and stops one in the middle of its body.
//
// What a test asserts of a resumed upload is read here, off the wire, whatever the client says of itself.
import net from 'node:net';
import { once } from 'node:events';
import { check } from './server.mjs';

// Takes the bytes of one connection apart into requests. A body must have a Content-Length.
class Requests {
	constructor(list) { this.list = list; this.head = Buffer.alloc(0); this.left = 0; }

	// [piece, request] for every piece of data; request: whose body it is, null for bytes of a head.
	*split(data) {
		while (data.length) {
			if (this.left > 0) {
				const piece = data.subarray(0, this.left);
				this.left -= piece.length;
				data = data.subarray(piece.length);
				yield [piece, this.request];
				continue;
			}
			const before = this.head.length;
			this.head = Buffer.concat([this.head, data]);
			const end = this.head.indexOf('\r\n\r\n');
			const used = end < 0 ? data.length : end + 4 - before;
			yield [data.subarray(0, used), null];
			data = data.subarray(used);
			if (end >= 0) this.begin(this.head.subarray(0, end).toString('latin1'));
		}
	}

	begin(text) {
		const [line, ...fields] = text.split('\r\n');
		const [method, path] = line.split(' ');
		const headers = Object.fromEntries(fields.map(f => [f.slice(0, f.indexOf(':')).toLowerCase(), f.slice(f.indexOf(':') + 1).trim()]));
		this.left = Number(headers['content-length'] ?? 0);
		this.request = { method, path, headers, length: this.left, body: 0 };
		this.list.push(this.request);
		this.head = Buffer.alloc(0);
	}
}

// A connection and its continuation to the server.
class Link {
	constructor(client, port) {
		this.client = client;
		this.upstream = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
		for (const s of [client, this.upstream]) s.on('error', () => this.cut());
		this.upstream.pipe(client);
		this.upstream.on('close', () => client.destroy());
		client.on('close', () => this.upstream.destroy());
	}

	async pass(data) {
		if (data.length && !this.upstream.destroyed) await new Promise(done => this.upstream.write(data, done));
	}

	cut() {
		this.client.destroy();
		this.upstream.destroy();
	}

	// First at the server's end. A browser that has lost its connection sends a request again by itself, within a millisecond.
	async cutSlowly(settled) {
		this.upstream.unpipe(this.client);
		this.upstream.removeAllListeners('close').destroy();
		await settled();
		this.client.destroy();
	}
}

export class Proxy {
	// requests: of all connections, in the order in which their heads were complete: {method, path, headers, length, body: bytes passed on}.
	constructor(server) {
		this.server = server;
		this.requests = [];
		this.links = new Set();
		this.holds = [];
		this.up = true;
		this.net = net.createServer({ allowHalfOpen: true, noDelay: true }, c => this.serve(c));
	}

	async listen() {
		this.net.listen(0, '127.0.0.1');
		await once(this.net, 'listening');
		this.url = `http://127.0.0.1:${this.net.address().port}`;
		return this;
	}

	async serve(client) {
		if (!this.up) return client.destroy();
		const link = new Link(client, new URL(this.server.url).port);
		this.links.add(link);
		client.on('close', () => this.links.delete(link));
		const requests = new Requests(this.requests);
		try {
			for await (const data of client)
				for (const [piece, request] of requests.split(data)) await this.forward(link, piece, request);
			link.upstream.end();
		} catch { /* the client is gone, and with it the link */ }
	}

	async forward(link, piece, request) {
		const at = this.holds.findIndex(h => request && request.body + piece.length > h.after && h.which(request));
		if (at < 0) {
			await link.pass(piece);
			if (request) request.body += piece.length;
			return;
		}
		const [hold] = this.holds.splice(at, 1);
		const first = piece.subarray(0, hold.after - request.body);
		await link.pass(first);
		request.body += first.length;
		const change = await new Promise(go => hold.reached({ request, go, cut: () => link.cut(), cutSlowly: settled => link.cutSlowly(settled) }));
		const rest = piece.subarray(first.length);
		await this.forward(link, change ? change(Buffer.from(rest)) : rest, request);
	}

	// When `after` bytes of the body of the first request for which which(request) is true have been passed on, and there are more: {request, cut(), cutSlowly(settled),
	// go()}. Nothing of that connection goes further until one of them is called. cutSlowly: settled() is awaited before the client notices. go(change): with
	// the next bytes as change(bytes) gives them.
	hold(which, after, timeout = 20000) {
		return new Promise((reached, fail) => {
			this.holds.push({ which, after, reached });
			setTimeout(() => fail(new Error(`no request of which ${after} bytes came within ${timeout} ms`)), timeout).unref();
		});
	}

	// Nobody gets through from now on, and who was through is cut off; until restore.
	interrupt() {
		this.up = false;
		for (const l of this.links) l.cut();
	}

	restore() { this.up = true; }

	// Requests of a method, method override included.
	of(method) { return this.requests.filter(r => (r.headers['x-http-method-override'] ?? r.method) === method); }

	async close() {
		this.interrupt();
		this.net.close();
		await once(this.net, 'close');
	}
}

// A named test with a proxy of its own before the server: fn(proxy, t).
export function through(server, name, fn, options) {
	check(name, async t => {
		const proxy = await new Proxy(server).listen();
		try {
			await fn(proxy, t);
		} finally {
			await proxy.close();
		}
	}, options);
}
