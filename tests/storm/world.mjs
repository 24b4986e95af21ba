// world.mjs - what all clients of a storm share: the server as it is now, random numbers by seed, counters, and the list of violations.
import { connect, request, sleep } from '../e2e/lib/http.mjs';
import { cgiRequest } from './cgi.mjs';

// A small generator with a seed, so that a storm's choices can be made again.
export function randomOf(seed) {
	let a = seed >>> 0;
	const next = () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), 1 | a);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
	const int = (from, to) => from + Math.floor(next() * (to - from + 1));
	return {
		next, int,
		chance: p => next() < p,
		pick: list => list[int(0, list.length - 1)],
		// most are small, some large: sizes that differ by magnitudes
		size: (from, to) => Math.round(from * (to / from) ** next()),
		shuffle: list => {
			for (let i = list.length - 1; i > 0; i--) {
				const j = int(0, i);
				[list[i], list[j]] = [list[j], list[i]];
			}
			return list;
		},
	};
}

// After these a client tries again; any other answer that is no success is a violation. An error of ours (500) is none of them while the disk works.
const PASSING = [408, 409, 423, 429, 502, 503, 504, 507];

export class World {
	constructor({ seed, server, timeout = 20000, patience = 120000, first = false }) {
		Object.assign(this, { seed, server, timeout, patience, first });   // patience: an upload that does not get on for so long is wedged
		this.count = { requests: 0, unanswered: 0, resumes: 0, fights: 0, mismatches: 0, digests: 0, displaced: 0, cuts: 0, finished: 0, removed: 0, replaced: 0, stops: 0, late: 0, joined: 0,
			checked: 0, told: 0, chunks: 0, gone: 0, back: 0 };   // looked at while the world stood still
		this.statuses = new Map();
		this.violations = [];
		this.ending = false;      // no new work
		this.pausing = null;      // a promise while everybody is asked to stand still
		this.standing = 0;
		this.clients = 0;
		this.powerCuts = 0;
		this.diskFails = false;
		this.plain = 0;           // share of requests that go to plain CGI
		this.things = new Set();  // uploads and sessions that live
		this.scrap = new Map();   // files that nothing names, and their kind
		this.left = [];           // those whose clients never come back
	}

	violation(thing, what) {
		const text = `${thing.name}: ${what.slice(0, 400)}`;
		this.violations.push(text);
		console.log(`VIOLATION ${text}\n  ${thing.history.join('\n  ')}`);
		if (this.first) this.enough();
	}

	// One violation is all that is wanted: nothing of the server is left.
	enough() {
		console.log('1 violations');
		for (const pid of Object.values(this.server.pids())) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
		this.server.process?.kill('SIGKILL');
		process.exit(1);
	}

	passes(status) { return PASSING.includes(status) || (status === 500 && this.diskFails); }

	// Stands still while the others are looked at.
	async breath() {
		while (this.pausing) {
			this.standing++;
			await this.pausing;
			this.standing--;
		}
	}

	isPlain(thing) { return this.plain > 0 && thing.random.chance(this.plain); }

	// One request; null if there was no answer (what it did is not known then).
	async ask(thing, method, path, options = {}) {
		await this.breath();
		const cuts = this.powerCuts;
		this.count.requests++;
		thing.note(`> ${method} ${path} ${options.body?.length ?? ''} ${options.headers?.['Upload-Offset'] ?? ''}`);
		try {
			const plain = this.isPlain(thing);
			const res = await (plain ? cgiRequest : request)(this.server, method, path, { timeout: this.timeout, ...options });
			if (cuts !== this.powerCuts) throw new Error('the power was cut before this answer was heard');
			thing.note(`< ${res.status} ${res.headers['upload-offset'] ?? ''} ${res.status >= 400 ? res.text.slice(0, 120) : ''}`);
			const key = `${plain ? 'cgi ' : ''}${method} ${res.status}`;
			this.statuses.set(key, (this.statuses.get(key) ?? 0) + 1);
			return res;
		} catch (e) {
			thing.note(`< ${e.message}`);
			this.count.unanswered++;
			await sleep(20);
			return null;
		}
	}

	// A request whose body breaks off after n bytes, by FIN or RST.
	async cut(thing, method, path, headers, body, n, random) {
		await this.breath();
		this.count.cuts++;
		const how = random.chance(0.5) ? 'fin' : 'rst';
		thing.note(`> ${method} ${path} ${n} of ${body.length}, then ${how} ${headers['Upload-Offset'] ?? ''}`);
		try {
			if (this.isPlain(thing)) {
				await cgiRequest(this.server, method, path, { headers, body, sent: n, timeout: this.timeout });
				return;
			}
			const c = await connect(this.server);
			await c.sendHead(method, path, { Host: 'localhost', Connection: 'close', 'Content-Length': body.length, ...headers });
			const half = random.int(0, n);
			await c.send(body.subarray(0, half));
			if (random.chance(0.5)) await sleep(random.int(0, 60));
			await c.send(body.subarray(half, n));
			if (random.chance(0.5)) await sleep(random.int(0, 20));
			if (how === 'rst') c.rst();
			else c.close();
		} catch { /* the connection was refused or died: it is a cut all the same */ }
	}
}

// An upload or session with the last things that happened to it.
export class Thing {
	constructor(world, name) {
		this.world = world;
		this.name = name;
		this.history = [];
		this.began = Date.now();
	}

	note(text) {
		this.history.push(`${((Date.now() - this.world.start) / 1000).toFixed(3)} ${text}`);
		if (this.history.length > 40) this.history.shift();
	}

	wrong(what) { this.world.violation(this, what); }
}
