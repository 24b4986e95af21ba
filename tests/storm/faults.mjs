// faults.mjs - what strikes the server: kills at chosen calls, stopped processes, the death of the supervisor.
import fs from 'node:fs';
import path from 'node:path';
import { sleep, until } from '../e2e/lib/http.mjs';
import { build } from '../e2e/lib/server.mjs';

// Offsets in the file that shim_kill.c shares (struct state), in 32-bit words.
const POINTS = 1, POINT = 2, LEFT = 5, TABLES = 6;
// The order of SHIM_POINTS in shim.h.
export const NAMES = ['open', 'write', 'copy', 'truncate', 'allocate', 'fsync', 'fdatasync', 'rename', 'link', 'unlink', 'mkdir', 'commit', 'step'];
// Where processes are killed: at every sync, write, rename and commit, and at the other changes of folders. How many calls pass at most before it happens.
const TARGETS = { open: 20, write: 60, copy: 1, fsync: 5, fdatasync: 20, rename: 2, link: 2, unlink: 4, mkdir: 2, commit: 20 };

export class Faults {
	constructor(world, dir, random) {
		Object.assign(this, { world, random, state: path.join(dir, 'shim-state'), deck: [], supervisors: 0 });
		fs.writeFileSync(this.state, Buffer.alloc(4 * (TABLES + 4 * NAMES.length)));
		this.fd = fs.openSync(this.state, 'r+');
		this.kills = new Map();
	}

	// Settings of the environment for the pool.
	environment(roots) {
		return { LD_PRELOAD: path.join(build, 'tests/shim.so'), SHIM: 'kill', SHIM_STATE: this.state, SHIM_ROOT: roots.join(':') };
	}

	words() {
		const b = Buffer.alloc(4 * (TABLES + 4 * NAMES.length));
		fs.readSync(this.fd, b, 0, b.length, 0);
		const w = new Uint32Array(b.buffer, b.byteOffset, b.length / 4);
		if (w[POINTS] && w[POINTS] !== NAMES.length) throw new Error('shim.h has other points than faults.mjs');
		return w;
	}

	put(at, ...values) {
		const b = Buffer.from(Uint32Array.from(values).buffer);
		fs.writeSync(this.fd, b, 0, b.length, 4 * at);
	}

	disarm() { this.put(LEFT, 0); }
	seen(name, side) { return this.words()[TABLES + 2 * NAMES.indexOf(name) + side]; }
	killed(name, side) { return this.words()[TABLES + 2 * NAMES.length + 2 * NAMES.indexOf(name) + side]; }
	total() { return Object.keys(TARGETS).reduce((sum, n) => sum + this.killed(n, 0) + this.killed(n, 1), 0); }

	// The next point: all in turn, in random order.
	next() {
		if (!this.deck.length) this.deck = this.random.shuffle(Object.keys(TARGETS).flatMap(name => [[name, 0], [name, 1]]));
		return this.deck.pop();
	}

	// Kills whoever makes the chosen call next, or nobody if it is not made within ms. most: how many calls pass at most before.
	async strike(victim, ms, most = Infinity) {
		const [name, side] = this.next(), before = this.total();
		this.put(POINT, NAMES.indexOf(name), side, victim, this.random.int(1, Math.min(most, TARGETS[name])));
		for (const end = Date.now() + ms; Date.now() < end && this.total() === before;) await sleep(10);
		this.disarm();
		if (this.total() === before) this.deck.splice(this.random.int(0, this.deck.length), 0, [name, side]);
		return this.total() > before;
	}

	async stopOne() {
		const holders = this.world.server.holders();
		if (!holders.length) return;
		const pid = this.random.pick(holders);
		try {
			process.kill(pid, 'SIGSTOP');
			this.world.count.stops++;
			this.stopped = pid;
			await sleep(this.random.size(50, 3000));
			process.kill(pid, 'SIGCONT');
		} catch { /* it has been killed */ }
		this.stopped = 0;
	}

	// The supervisor is gone: its workers follow, and the whole server is begun again on the same data.
	async revive() {
		const server = this.world.server;
		await until(() => server.gone, { what: 'end of the run script', timeout: 30000 });
		server.gone = undefined;
		server.text = server.text.replace(/^ready /mg, 'was ready ');
		await server.begin();
	}

	async killSupervisor() {
		if (!await this.strike(1, 2000)) return;
		this.supervisors++;
		await this.revive();
	}

	report() {
		const lines = Object.keys(TARGETS).map(n => `  ${n.padEnd(10)} ${String(this.killed(n, 0)).padStart(5)} before ${String(this.killed(n, 1)).padStart(5)} after   (${this.seen(n, 1)} calls)`);
		const none = Object.keys(TARGETS).flatMap(n => [0, 1].filter(s => !this.killed(n, s)).map(s => `${n} ${s ? 'after' : 'before'}`));
		return { lines, none };
	}
}
