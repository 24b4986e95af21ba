// control.mjs - what the conformance suite may have done to our server from inside: its control module (tests/conformance/README.md).
import fs from 'node:fs';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { build, files, start } from './server.mjs';
import { until } from './http.mjs';

const stopped = pid => fs.readdirSync(`/proc/${pid}/task`).every(t => /\) T /.test(fs.readFileSync(`/proc/${pid}/task/${t}/stat`, 'latin1')));
const baseOf = s => `${s.url}/files/`;

// Name -> bytes on the disk, of unfinished and of finished uploads.
function occupied(server) {
	const out = new Map();
	for (const dir of [server.partsDir, server.doneDir]) for (const f of files(dir)) {
		try { out.set(path.join(path.basename(dir), f), fs.statSync(path.join(dir, f)).blocks * 512); } catch { /* just removed */ }
	}
	return out;
}

// How many uploads were told of as complete.
async function finished(server) {
	const { stdout } = await promisify(execFile)(path.join(build, 'tusctl'), ['--data', server.data, '--json', 'events', '--limit', '1000000'], { maxBuffer: 1 << 28 });
	return JSON.parse(stdout).events.filter(e => e.event === 'completed').length;
}

// A server of a certain kind, begun when a check first asks for its address.
function lazily(options, started) {
	let server;
	return async () => {
		server ??= start(options);
		started.add(await server);
		return baseOf(await server);
	};
}

// The control of one server; stop() ends the other servers that were begun for it.
export function controlOf(server) {
	const started = new Set();
	const held = () => server.writing();
	return {
		// the front hands requests to all processes in turn
		baseOther: () => baseOf(server),
		baseHasty: lazily({ settings: { WORKERS: 2, TUS_EXPIRATION: 4, REAP_INTERVAL: 1 } }, started),
		baseFull: lazily({ settings: { WORKERS: 2, MIN_FREE_SPACE: String(2 ** 50) } }, started),
		// no process may make a file longer than 4 MiB: a full disk, without a disk to fill
		baseNearlyFull: lazily({ settings: { WORKERS: 2 }, wrap: ['bash', '-c', 'ulimit -f 4096; exec "$@"', 'limited'] }, started),
		baseFinishedParts: lazily({ settings: { WORKERS: 2, TUS_EXTENSIONS_OFF: 'concatenation-unfinished' } }, started),
		baseImpatient: lazily({ settings: { WORKERS: 2, READ_TIMEOUT: 1 } }, started),
		arrived: n => server.arrived(n),
		interop: [3, 4, 5, 6, 7, 8],
		putTarget: name => `/upload/${name}`,
		files: () => occupied(server),
		stored: data => files(server.partsDir).some(f => {
			try { return fs.readFileSync(path.join(server.partsDir, f)).subarray(0, data.length).equals(data); } catch { return false; }
		}),
		finishedTotal: () => finished(server),
		kill: async () => server.waitWorkersBack(server.killWorkers()),
		stopGently: async () => process.kill(await held(), 'SIGTERM'),
		freeze: async () => {
			const pid = await held();
			process.kill(pid, 'SIGSTOP');
			// a thread that is still on its way to stopping could take the next connection with it
			await until(() => stopped(pid), { what: 'all threads to stop', every: 1 });
			return () => process.kill(pid, 'SIGCONT');
		},
		stop: async () => { for (const s of started) await s.stop(); },
	};
}
