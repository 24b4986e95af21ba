// server.mjs - a tus-fcgi server of one's own: web server and pool on a free port, with a scratch folder that stays after a failure.
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request, until } from './http.mjs';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const build = path.resolve(root, process.env.TUS_BUILD ?? 'build');
const runner = path.join(root, 'scripts/run');
export const everything = process.env.TEST_ALL === '1';

let failures = 0;
const servers = new Set();
const webServers = ['nginx', 'apache', 'lighttpd'];

// A named test that remembers failure, so that the scratch folders are kept.
export function check(name, fn, { timeout = 60000, skip } = {}) {
	test(name, { timeout, skip }, async t => {
		try {
			await fn(t);
		} catch (e) {
			failures++;
			for (const s of servers) t.diagnostic(`scratch folder kept: ${s.dir}`);
			throw e;
		}
	});
}

export const scratch = () => fs.mkdtempSync(path.join(os.tmpdir(), 'tus-e2e-'));

const alive = pid => {
	try {
		return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
	} catch {
		return false;
	}
};

class Server {
	// below: folders between the scratch folder and the data folder.
	// program: another scripts/run.
	constructor({ settings = {}, dataDir, below = '', front, wrap = [], program = runner }) {
		this.own = dataDir === undefined;
		this.data = dataDir;
		this.below = below;
		this.settings = settings;
		this.front = front;
		this.wrap = wrap;
		this.program = program;
		this.text = '';
	}

	async launch() {
		servers.add(this);
		if (this.data === undefined) {
			this.dir = scratch();
			this.data = path.join(this.dir, this.below, 'data');
		}
		this.dir ??= path.dirname(this.data);
		fs.mkdirSync(this.data, { recursive: true });
		const args = ['--port', '0', '--data', this.data, '--build', build];
		if (this.front) args.push('--front', this.front);
		for (const [k, v] of Object.entries(this.settings)) args.push('--set', `${k}=${v}`);
		const [file, ...rest] = [...this.wrap, this.program, ...args];
		this.process = spawn(file, rest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
		this.exited = new Promise(done => this.process.on('exit', (code, signal) => { this.gone = { code, signal }; done(); }));
		this.url = await new Promise((ready, fail) => {
			const hear = d => {
				this.text += d;
				const m = /^ready (https?:\/\/\S+?)\/?$/m.exec(this.text);
				if (m) ready(m[1]);
			};
			this.process.stdout.on('data', hear);
			this.process.stderr.on('data', hear);
			this.process.on('error', fail);
			this.exited.then(() => fail(new Error(`server ended before it was ready: ${JSON.stringify(this.gone)}\n${this.text}`)));
			setTimeout(() => fail(new Error(`server not ready within 30 s\n${this.text}`)), 30000).unref();
		});
		this.port = Number(new URL(this.url).port);
		if (this.url.startsWith('https:')) this.ca = fs.readFileSync(path.join(this.runDir, 'tls/cert.pem'));
		return this;
	}

	get runDir() { return this.settings.RUN_DIR ?? path.join(this.data, 'run'); }
	get partsDir() { return this.settings.TUS_UPLOAD_DIR ?? path.join(this.data, 'tus_uploads'); }
	get doneDir() { return this.settings.UPLOAD_DIR ?? path.join(this.data, 'uploaded_data'); }

	// {supervisor, nginx (or apache, lighttpd), 'worker-0': ...} of the pid files whose process lives.
	pids() {
		const out = {};
		for (const f of fs.existsSync(this.runDir) ? fs.readdirSync(this.runDir) : []) {
			if (!f.endsWith('.pid')) continue;
			let pid = 0;
			try { pid = Number(fs.readFileSync(path.join(this.runDir, f), 'latin1')); } catch { /* being replaced */ }
			if (pid > 0 && alive(pid)) out[f.slice(0, -4)] = pid;
		}
		return out;
	}

	// The processes that serve requests: those of the pool, or what the web server has started.
	workers() {
		const own = Object.entries(this.pids()).filter(([n]) => n.startsWith('worker-')).map(([, pid]) => pid);
		return own.length ? own : this.family().filter(p => ['tus-fcgi', 'upload.cgi'].includes(p.comm) && p.pid !== p.session).map(p => p.pid);
	}
	pool() { return Object.entries(this.pids()).filter(([n]) => !webServers.includes(n)).map(([, pid]) => pid); }
	web() { return Object.entries(this.pids()).find(([n]) => webServers.includes(n))?.[1]; }

	// All processes below the web server and the pool, themselves included: each of the two has a session of its own.
	family(heads = [this.web(), this.pids().supervisor]) {
		return fs.readdirSync('/proc').filter(n => /^\d+$/.test(n)).flatMap(n => {
			try {
				const [, comm, rest] = /^\d+ \((.*)\) (.*)$/s.exec(fs.readFileSync(`/proc/${n}/stat`, 'latin1'));
				const [state, , , session] = rest.split(' ');
				return state !== 'Z' && heads.includes(Number(session)) ? [{ pid: Number(n), comm, session: Number(session) }] : [];
			} catch { return []; }
		});
	}

	// Sends sig to every worker and gives their pids.
	killWorkers(sig = 'SIGKILL') {
		const old = this.workers();
		if (!old.length) throw new Error(`no worker pid files in ${this.runDir}`);
		for (const pid of old) process.kill(pid, sig);
		return old;
	}

	// Until as many new workers live as were killed, and the server answers.
	async waitWorkersBack(old) {
		await until(() => {
			const now = this.workers();
			return now.length >= old.length && now.every(pid => !old.includes(pid));
		}, { what: 'new workers', timeout: 15000 });
		await until(async () => {
			try { return (await request(this, 'GET', '/health')).status === 200; } catch { return false; }
		}, { what: 'health', timeout: 10000 });
	}

	// The workers that have a part file open, i.e. which receive bodies.
	holders() {
		return this.workers().filter(pid => {
			try {
				return fs.readdirSync(`/proc/${pid}/fd`).some(fd => {
					try { return /\.part( \(deleted\))?$/.test(fs.readlinkSync(`/proc/${pid}/fd/${fd}`)); } catch { return false; }
				});
			} catch { return false; }
		});
	}

	// Waits until some worker writes, and gives its pid; until none does.
	writing() { return until(() => this.holders()[0], { what: 'a worker that writes' }); }
	idle() { return until(() => !this.holders().length, { what: 'end of the writers' }); }

	// Waits until a part file is exactly n bytes long: what a client has sent has arrived. (nginx keeps up to client_body_buffer_size
	// bytes to itself that come together with the end of a connection.)
	arrived(n) { return this.part(size => size === n, n); }
	grown(n) { return this.part(size => size >= n, n); }

	part(fits, n) {
		return until(() => files(this.partsDir).some(f => {
			try { return fits(fs.statSync(path.join(this.partsDir, f)).size); } catch { return false; }
		}), { what: `part file of ${n} bytes` });
	}

	// Everything that the server said: its own output and the log files below the data folder.
	log() {
		let out = this.text;
		for (const f of files(this.data)) if (f.endsWith('.log')) out += fs.readFileSync(path.join(this.data, f), 'utf8');
		return out;
	}

	// Asks the whole server to end; after 15 s ends it hard.
	async halt() {
		if (!this.process || this.gone) return;
		this.process.kill('SIGTERM');
		const timer = setTimeout(() => {
			this.forced = true;
			for (const pid of Object.values(this.pids())) try { process.kill(pid, 'SIGKILL'); } catch { /* already gone */ }
			this.process.kill('SIGKILL');
		}, 15000);
		await this.exited;
		clearTimeout(timer);
	}

	async stop() {
		await this.halt();
		servers.delete(this);
		// A program that a web server starts does not know where the reports are collected.
		const report = process.env.SANITIZED && /\w+Sanitizer: .*|runtime error: .*/.exec(this.log());
		if (report) failures++;
		if (failures) process.stderr.write(`scratch folder kept: ${this.dir}\n`);
		else if (this.own) fs.rmSync(this.dir, { recursive: true, force: true });
		if (report) throw new Error(report[0]);
		if (this.forced) throw new Error('server did not end on SIGTERM within 15 s');
		const left = Object.entries(this.pids());
		if (left.length) throw new Error(`processes left: ${JSON.stringify(left)}`);
	}

	// The same data folder again, e.g. with other settings.
	async restart(settings = this.settings) {
		await this.halt();
		this.settings = settings;
		this.gone = undefined;
		this.text = this.text.replace(/^ready /mg, 'was ready ');
		return this.begin();
	}

	// launch, and no process is left if it fails.
	async begin() {
		try {
			return await this.launch();
		} catch (e) {
			failures++;
			await this.halt();
			throw e;
		}
	}
}

export const start = (options = {}) => new Server(options).begin();

// One server for a test file, there when its first test runs.
export function useServer(options = {}) {
	const s = new Server(options);
	before(() => s.begin());
	after(() => s.stop());
	return s;
}

// Relative names of all files below a folder.
export function files(dir, below = '') {
	if (!fs.existsSync(path.join(dir, below))) return [];
	return fs.readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap(e =>
		e.isDirectory() ? files(dir, path.join(below, e.name)) : [path.join(below, e.name)]);
}

// Finished files of a session on the disk: {name: path}; side files (.meta.json) and what is just being made (.name) apart.
export function completed(server, sid) {
	const dir = path.join(server.doneDir, sid, 'completed');
	const out = {};
	for (const f of fs.existsSync(dir) ? fs.readdirSync(dir) : []) if (!f.endsWith('.meta.json') && !f.startsWith('.')) out[f] = path.join(dir, f);
	return out;
}

export async function metrics(server) {
	const res = await request(server, 'GET', '/metrics');
	if (res.status !== 200) throw new Error(`/metrics answered ${res}`);
	const out = {};
	for (const l of res.text.split('\n')) {
		const m = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/.exec(l);
		if (m) out[m[1]] = Number(m[2]);
	}
	return out;
}

// Exit hook of last resort: nothing of ours outlives the test process.
process.on('exit', () => {
	for (const s of servers) {
		for (const pid of Object.values(s.pids())) try { process.kill(pid, 'SIGKILL'); } catch { /* already gone */ }
		try { s.process?.kill('SIGKILL'); } catch { /* already gone */ }
	}
});
